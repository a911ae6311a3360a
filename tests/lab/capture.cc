#include "tests/lab/capture.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

namespace plumb::lab {
namespace {

using Clock = std::chrono::steady_clock;

template <typename T>
void set_option(int socket, int level, int name, const T& value) {
  if (setsockopt(socket, level, name, &value, sizeof value) != 0)
    give_up_errno("capture: setsockopt " + std::to_string(name));
}

// ARP, ICMP and ICMPv6: a transfer of the service must not push them out of the buffer.
void only_control_frames(int socket) {
  std::array<sock_filter, 9> code{{
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 6, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 2),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14 + 9),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMP, 3, 2),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14 + 6),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, 65535),
  }};
  set_option(socket, SOL_SOCKET, SO_ATTACH_FILTER, sock_fprog{code.size(), code.data()});
}

// A packet socket stays in the namespace where it was made, so a thread enters, makes it and ends.
UniqueFd packet_socket(const Node& node, const std::string& device) {
  UniqueFd socket;
  std::thread([&] {
    node.enter_network();
    // Protocol 0 receives nothing yet: the filter comes first.
    socket.reset(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    if (!socket) give_up_errno("capture: packet socket");
    only_control_frames(socket.get());
    set_option(socket.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1);
    set_option(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20);
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ETH_P_ALL);
    at.sll_ifindex = static_cast<int>(if_nametoindex(device.c_str()));
    if (at.sll_ifindex == 0) give_up_errno("capture: " + device);
    if (bind(socket.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0)
      give_up_errno("capture: bind to " + device);
  }).join();
  return socket;
}

}  // namespace

Capture::Capture(const Node& node, const std::string& device) : socket_(packet_socket(node, device)) {}

bool Capture::read_one(int timeout_ms) {
  pollfd ready{socket_.get(), POLLIN, 0};
  if (poll(&ready, 1, timeout_ms) <= 0) return false;
  Frame frame;
  frame.bytes.resize(65536);
  std::array<std::byte, 128> control{};
  sockaddr_ll from{};
  iovec part{frame.bytes.data(), frame.bytes.size()};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = recvmsg(socket_.get(), &message, MSG_DONTWAIT);
  if (size < 0) give_up_errno("capture: recvmsg");
  frame.bytes.resize(static_cast<std::size_t>(size));
  frame.outgoing = from.sll_pkttype == PACKET_OUTGOING;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec time{};
    std::memcpy(&time, CMSG_DATA(header), sizeof time);
    frame.at = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
  frames_.push_back(std::move(frame));
  return true;
}

const std::vector<Frame>& Capture::frames() {
  while (read_one(0)) {
  }
  tpacket_stats counts{};
  socklen_t size = sizeof counts;
  if (getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &counts, &size) != 0)
    give_up_errno("capture: statistics");
  if (counts.tp_drops != 0) give_up("capture: " + std::to_string(counts.tp_drops) + " frames were lost");
  return frames_;
}

bool Capture::await(const std::function<bool(const Frame&)>& fits, std::chrono::milliseconds deadline) {
  const auto until = Clock::now() + deadline;
  for (std::size_t seen = 0;;) {
    for (; seen < frames_.size(); ++seen) {
      if (fits(frames_[seen])) return true;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (!read_one(static_cast<int>(std::max<decltype(left)>(left, 0)))) return false;
  }
}

}  // namespace plumb::lab
