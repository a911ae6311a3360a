#include "netns/socket/packet_socket.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "netns/namespace/enter.h"

namespace plumb::netns {

namespace {

template <typename T>
bool set(int fd, int level, int option, const T& value) {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

}  // namespace

Result<UniqueFd> open_packet_socket(const Namespace& ns, const std::string& what) {
  return run_in(ns, [&]() -> Result<UniqueFd> {
    // Protocol 0: no frame of any device gets in (packet_create, net/packet/af_packet.c).
    UniqueFd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd) return fd;
    Error error = errno_error(errno, what);
    if (error.code == EPERM) error.next = "Run as root, or with CAP_NET_RAW";
    return Err{std::move(error)};
  });
}

Result<PacketSocket> PacketSocket::open(const Namespace& ns, int ifindex, std::uint16_t ethertype,
                                        std::span<const sock_filter> filter) {
  const auto what = [&] { return "open a packet socket on device " + std::to_string(ifindex); };
  UniqueFd fd = TRY(open_packet_socket(ns, what()));
  sock_fprog program{static_cast<unsigned short>(filter.size()),
                     const_cast<sock_filter*>(filter.data())};  // NOLINT: only read
  if (!filter.empty() && !set(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, program))
    return Err{errno_error(errno, what() + ": attach its filter")};
  // Linux 4.20; the senders' MACs are checked, too.
  if (!set(fd.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)) return Err{errno_error(errno, what())};
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ethertype);
  address.sll_ifindex = ifindex;
  auto* plain = reinterpret_cast<sockaddr*>(&address);  // NOLINT: the socket API's own way
  if (::bind(fd.get(), plain, sizeof address) != 0) return Err{errno_error(errno, what())};
  socklen_t size = sizeof address;
  if (::getsockname(fd.get(), plain, &size) != 0) return Err{errno_error(errno, what())};
  if (address.sll_hatype != ARPHRD_ETHER || address.sll_halen != 6)
    return Err{ErrorKind::unsupported, what() + ": it is no Ethernet device", "Name an Ethernet device as ipdev"};
  const Mac mac = TRY(Mac::from_bytes(std::span(address.sll_addr).first(6)));
  return PacketSocket(std::move(fd), ifindex, mac);
}

Result<std::string> PacketSocket::device() const {
  ifreq request{};
  request.ifr_ifindex = ifindex_;
  if (::ioctl(fd_.get(), SIOCGIFNAME, &request) != 0)
    return Err{errno_error(errno, "ask for the name of device " + std::to_string(ifindex_))};
  return std::string(request.ifr_name, ::strnlen(request.ifr_name, sizeof request.ifr_name));
}

std::optional<std::size_t> PacketSocket::mtu() const {
  ifreq request{};
  request.ifr_ifindex = ifindex_;
  if (::ioctl(fd_.get(), SIOCGIFNAME, &request) != 0 || ::ioctl(fd_.get(), SIOCGIFMTU, &request) != 0 ||
      request.ifr_mtu < 0)
    return std::nullopt;
  return static_cast<std::size_t>(request.ifr_mtu);
}

Result<void> PacketSocket::join(const Mac& group) {
  packet_mreq request{};
  request.mr_ifindex = ifindex_;
  request.mr_type = PACKET_MR_MULTICAST;
  request.mr_alen = 6;
  std::copy(group.bytes().begin(), group.bytes().end(), request.mr_address);
  if (set(fd_.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, request)) return {};
  return Err{errno_error(errno, "listen to " + group.to_string() + " on device " + std::to_string(ifindex_))};
}

int PacketSocket::send(std::span<const std::uint8_t> frame) const {
  // A bound raw packet socket needs no address for a whole frame.
  return ::send(fd_.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

Result<std::optional<std::span<const std::uint8_t>>> PacketSocket::receive(std::span<std::uint8_t> buffer) const {
  using Frame = std::optional<std::span<const std::uint8_t>>;
  for (;;) {
    const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (size >= 0) return Frame{buffer.first(static_cast<std::size_t>(size))};
    if (errno == EAGAIN) return Frame{};
    if (errno != EINTR) return Err{errno_error(errno, "receive on device " + std::to_string(ifindex_))};
  }
}

}  // namespace plumb::netns
