#include "tests/lab/cluster/owners.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace plumb::lab {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kSilentAsks = 2;
constexpr std::uint16_t kHandoverType = 0x88b5;
const std::string kClientAddress = "10.0.3.100";
const std::string kBroadcast = "ff:ff:ff:ff:ff:ff";

UniqueFd packet_socket(int device, int protocol) {
  UniqueFd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket) give_up_errno("owners: packet socket");
  sockaddr_ll at{};
  at.sll_family = AF_PACKET;
  at.sll_protocol = htons(static_cast<std::uint16_t>(protocol));
  at.sll_ifindex = device;
  // ARP and the words of a hand-over that come in, once: a frame leaves by many ports.
  std::array<sock_filter, 7> code{{
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kHandoverType, 0, 3),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, static_cast<unsigned>(SKF_AD_OFF + SKF_AD_PKTTYPE)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, 65535),
      BPF_STMT(BPF_RET | BPF_K, 0),
  }};
  const sock_fprog program{code.size(), code.data()};
  const int stamp = 1;
  const int size = 16 << 20;
  if (setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
      setsockopt(socket.get(), SOL_SOCKET, SO_TIMESTAMPNS, &stamp, sizeof stamp) != 0 ||
      setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
    give_up_errno("owners: setsockopt");
  }
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) give_up_errno("owners: bind");
  return socket;
}

// All ports of the LAN, also those that nodes get later.
UniqueFd wire() {
  UniqueFd socket;
  std::thread([&] {
    Node("lan").enter_network();
    socket = packet_socket(0, ETH_P_ALL);
  }).join();
  return socket;
}

// "Who has ADDRESS?", to everybody (RFC 826).
std::array<std::uint8_t, 42> question(const std::string& address) {
  ether_arp arp{};
  arp.arp_hrd = htons(ARPHRD_ETHER);
  arp.arp_pro = htons(ETHERTYPE_IP);
  arp.arp_hln = ETH_ALEN;
  arp.arp_pln = 4;
  arp.arp_op = htons(ARPOP_REQUEST);
  ether_header header{};
  header.ether_type = htons(ETHERTYPE_ARP);
  std::fill(std::begin(header.ether_dhost), std::end(header.ether_dhost), 0xff);
  constexpr std::array<std::uint8_t, ETH_ALEN> kMac{0x02, 0, 0x0a, 0, 0x03, 100};  // as ci/lab gives it
  std::copy(kMac.begin(), kMac.end(), std::begin(header.ether_shost));
  std::copy(kMac.begin(), kMac.end(), std::begin(arp.arp_sha));
  inet_pton(AF_INET, kClientAddress.c_str(), arp.arp_spa);
  inet_pton(AF_INET, address.c_str(), arp.arp_tpa);
  std::array<std::uint8_t, 42> frame{};
  std::memcpy(frame.data(), &header, sizeof header);
  std::memcpy(&frame[sizeof header], &arp, sizeof arp);
  return frame;
}

std::chrono::nanoseconds stamp_of(msghdr& message) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec time{};
    std::memcpy(&time, CMSG_DATA(header), sizeof time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
  return {};
}

// The ports' names. A name is asked for with the first frame, as a port can be gone later; its number is never used
// again.
class Ports {
 public:
  explicit Ports(int socket) : socket_(socket) {}
  const std::string& operator[](int index) {
    std::string& name = names_[index];
    if (name.empty()) {
      ifreq request{};
      request.ifr_ifindex = index;
      // A second port of a node is n1-eth1.
      name = ioctl(socket_, SIOCGIFNAME, &request) == 0 ? request.ifr_name : "port " + std::to_string(index);
      name = name.substr(0, name.find('-'));
    }
    return name;
  }

 private:
  int socket_;
  std::map<int, std::string> names_;
};

// The word "withdrawn" of a hand-over, as netns/wire/handover_message.cc lays it out.
bool says_withdrawn(const std::vector<std::uint8_t>& frame) {
  constexpr std::array<std::uint8_t, 8> kHead{0x88, 0xb5, 'P', 'L', 'M', 'B', 1, 2};
  return frame.size() >= 12 + kHead.size() && std::equal(kHead.begin(), kHead.end(), frame.begin() + 12);
}

}  // namespace

Owners::Owners(std::vector<std::string> addresses, std::chrono::milliseconds every)
    : addresses_(std::move(addresses)), wire_(wire()) {
  for (const auto& address : addresses_) sights_[address];
  looker_ = std::jthread([this](const std::stop_token& stop) { look(stop); });
  asker_ = std::jthread([this, every](const std::stop_token& stop) { ask(stop, every); });
}

Owners::~Owners() = default;

void Owners::ask(const std::stop_token& stop, std::chrono::milliseconds every) const {
  Node("client").enter_network();
  const UniqueFd socket = packet_socket(static_cast<int>(if_nametoindex("eth0")), 0);
  std::vector<std::array<std::uint8_t, 42>> questions;
  std::transform(addresses_.begin(), addresses_.end(), std::back_inserter(questions), question);
  for (auto next = Clock::now(); !stop.stop_requested(); next = std::max(next + every, Clock::now())) {
    for (const auto& frame : questions) {
      if (send(socket.get(), frame.data(), frame.size(), 0) < 0 && errno != ENOBUFS && errno != ENETDOWN)
        give_up_errno("owners: ask");
    }
    std::this_thread::sleep_until(next + every);
  }
}

void Owners::look(const std::stop_token& stop) {
  Ports ports(wire_.get());
  Frame frame;
  std::array<std::byte, 128> control{};
  while (!stop.stop_requested()) {
    pollfd ready{wire_.get(), POLLIN, 0};
    if (poll(&ready, 1, 20) <= 0) continue;
    frame.bytes.resize(128);
    sockaddr_ll from{};
    iovec part{frame.bytes.data(), frame.bytes.size()};
    msghdr message{&from, sizeof from, &part, 1, control.data(), control.size(), 0};
    const ssize_t size = recvmsg(wire_.get(), &message, MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) continue;
    if (size < 0) give_up_errno("owners: recvmsg");
    frame.bytes.resize(static_cast<std::size_t>(size));
    frame.at = stamp_of(message);
    note(frame, ports[from.sll_ifindex]);
    tpacket_stats counts{};
    socklen_t length = sizeof counts;
    if (getsockopt(wire_.get(), SOL_PACKET, PACKET_STATISTICS, &counts, &length) != 0)
      give_up_errno("owners: statistics");
    if (counts.tp_drops != 0) lost_ = true;
  }
}

// The bridge gets what it floods once more, as its own device `lan`.
void Owners::note(const Frame& frame, const std::string& port) {
  if (port == "lan" || port == "lo") return;
  const std::lock_guard lock(mutex_);
  if (says_withdrawn(frame.bytes))
    for (auto& [address, sights] : sights_) sights.push_back({frame.at, Kind::withdrawal, port, {}});
  const auto arp = frame.arp();
  if (!arp) return;
  const bool ask = port == "client" && arp->operation == 1 && arp->destination == kBroadcast;
  const auto found = sights_.find(ask ? arp->target_ip : arp->sender_ip);
  if (found == sights_.end()) return;
  found->second.push_back({frame.at, ask ? Kind::question : Kind::claim, port, arp->sender_mac});
}

std::string Owners::history(const std::string& address) const {
  const std::lock_guard lock(mutex_);
  std::string all;
  std::string last;
  for (const Sight& sight : sights_.at(address)) {
    if (sight.kind != Kind::claim || sight.port == last) continue;
    last = sight.port;
    all += (all.empty() ? "" : " ") + last;
  }
  return all;
}

std::chrono::milliseconds Owners::absence(const std::string& address) const {
  const std::lock_guard lock(mutex_);
  std::chrono::nanoseconds most{};
  const Sight* last = nullptr;
  for (const Sight& sight : sights_.at(address)) {
    if (sight.kind != Kind::claim) continue;
    if (last != nullptr) most = std::max(most, sight.at - last->at);
    last = &sight;
  }
  return std::chrono::round<std::chrono::milliseconds>(most);
}

bool Owners::await_other(const std::string& address, const std::string& port,
                         std::chrono::milliseconds deadline) const {
  for (const auto until = Clock::now() + deadline; Clock::now() < until;) {
    {
      const std::lock_guard lock(mutex_);
      const auto& all = sights_.at(address);
      const auto last =
          std::find_if(all.rbegin(), all.rend(), [](const Sight& sight) { return sight.kind == Kind::claim; });
      if (last != all.rend() && last->port != port) return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

// What led to it: " n1 claims -9800 us, client asks -4100 us, n1 withdraws -300 us".
std::string Owners::before(const std::vector<Sight>& sights, const Sight& last) {
  constexpr std::ptrdiff_t kEnough = 10;
  const auto end = sights.begin() + (&last - sights.data());
  std::string out;
  for (auto sight = end - std::min(kEnough, end - sights.begin()); sight != end; ++sight) {
    const auto apart = std::chrono::duration_cast<std::chrono::microseconds>(sight->at - last.at);
    out += (out.empty() ? " " : ", ") + sight->port +
           (sight->kind == Kind::question ? " asks "
            : sight->kind == Kind::claim  ? " claims "
                                          : " withdraws ") +
           std::to_string(apart.count()) + " us";
  }
  return out;
}

std::string Owners::overlap(const std::string& address, const std::vector<Sight>& sights) {
  const Sight* owner = nullptr;
  std::size_t unanswered = 0;
  bool withdrawn = false;
  for (const Sight& sight : sights) {
    if (sight.kind == Kind::question) ++unanswered;
    if (sight.kind == Kind::withdrawal && owner != nullptr && sight.port == owner->port) withdrawn = true;
    if (sight.kind != Kind::claim) continue;
    if (owner != nullptr && owner->port != sight.port && unanswered < kSilentAsks && !withdrawn) {
      const auto apart = std::chrono::duration_cast<std::chrono::microseconds>(sight.at - owner->at);
      return address + ": " + owner->port + " (" + owner->mac + ") had it when " + sight.port + " (" + sight.mac +
             ") claimed it, " + std::to_string(apart.count()) + " us later; before:" + before(sights, sight) + "\n";
    }
    owner = &sight;
    unanswered = 0;
    withdrawn = false;
  }
  return {};
}

std::string Owners::overlap() const {
  const std::lock_guard lock(mutex_);
  if (lost_) return "the kernel had to drop frames: nothing is proven\n";
  std::string text;
  for (const auto& [address, sights] : sights_) text += overlap(address, sights);
  return text;
}

std::size_t Owners::asked() const {
  const std::lock_guard lock(mutex_);
  std::size_t least = SIZE_MAX;
  for (const auto& [address, sights] : sights_) {
    const auto asks =
        std::count_if(sights.begin(), sights.end(), [](const Sight& sight) { return sight.kind == Kind::question; });
    least = std::min(least, static_cast<std::size_t>(asks));
  }
  return least;
}

}  // namespace plumb::lab
