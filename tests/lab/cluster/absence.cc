#include "tests/lab/cluster/absence.h"

#include <arpa/inet.h>
#include <linux/icmp.h>
#include <netinet/in.h>
#include <netinet/ip.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "specs/value/unique_fd.h"

namespace plumb::lab {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kPingEvery = 1ms;
constexpr auto kRequestEvery = 5ms;
constexpr auto kPatience = 100ms;  // with one request, before the next

sockaddr_in place(const std::string& address, int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  return to;
}

bool await(int socket, int events, Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  pollfd ready{socket, static_cast<short>(events), 0};
  return left > 0 && poll(&ready, 1, static_cast<int>(left)) > 0;
}

// RFC 1071.
std::uint16_t checksum(const std::array<std::uint8_t, 8>& bytes) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) sum += static_cast<unsigned>(bytes[i] << 8 | bytes[i + 1]);
  while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::array<std::uint8_t, 8> echo(std::uint16_t sequence) {
  std::array<std::uint8_t, 8> message{ICMP_ECHO, 0, 0, 0, 'p', 'l'};
  message[6] = static_cast<std::uint8_t>(sequence >> 8);
  message[7] = static_cast<std::uint8_t>(sequence);
  const std::uint16_t sum = checksum(message);
  message[2] = static_cast<std::uint8_t>(sum >> 8);
  message[3] = static_cast<std::uint8_t>(sum);
  return message;
}

// One request to its end: the page came in time. Each has a connection of its own, as a new client would.
bool page_comes(const sockaddr_in& to) {
  const auto until = Clock::now() + kPatience;
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) give_up_errno("absence: socket");
  // No TIME_WAIT for each of thousands.
  const linger reset{1, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 &&
      (errno != EINPROGRESS || !await(socket.get(), POLLOUT, until))) {
    return false;
  }
  constexpr std::string_view kGet = "GET / HTTP/1.0\r\n\r\n";
  if (send(socket.get(), kGet.data(), kGet.size(), MSG_NOSIGNAL) < 0) return false;
  std::string page;
  while (await(socket.get(), POLLIN, until)) {
    std::array<char, 2048> part{};
    const ssize_t size = recv(socket.get(), part.data(), part.size(), 0);
    if (size <= 0) break;
    page.append(part.data(), static_cast<std::size_t>(size));
  }
  return page.find("Welcome to nginx!") != std::string::npos;
}

}  // namespace

Absence::Absence(std::string address)
    : address_(std::move(address)),
      begin_(Clock::now()),
      pinger_([this](const std::stop_token& stop) { ping(stop); }),
      requester_([this](const std::stop_token& stop) { request(stop); }) {}

Absence::~Absence() = default;

void Absence::answered(std::vector<Time>& by) {
  const std::lock_guard lock(mutex_);
  by.push_back(Clock::now());
}

void Absence::ping(const std::stop_token& stop) {
  Node("client").enter_network();
  const UniqueFd socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
  const icmp_filter replies{~(1U << ICMP_ECHOREPLY)};
  if (!socket || setsockopt(socket.get(), SOL_RAW, ICMP_FILTER, &replies, sizeof replies) != 0)
    give_up_errno("absence: ping");
  const sockaddr_in to = place(address_, 0);
  std::uint16_t sequence = 0;
  for (auto next = Clock::now(); !stop.stop_requested(); next = std::max(next + kPingEvery, Clock::now())) {
    const auto message = echo(++sequence);
    // Where nobody has the address it fails, or is dropped: that is what is measured.
    (void)sendto(socket.get(), message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    while (await(socket.get(), POLLIN, next + kPingEvery)) {
      std::array<std::uint8_t, 256> reply{};
      const ssize_t size = recv(socket.get(), reply.data(), reply.size(), MSG_DONTWAIT);
      if (size >= static_cast<ssize_t>(sizeof(ip)) && std::memcmp(&reply[12], &to.sin_addr, 4) == 0) answered(pings_);
    }
  }
}

void Absence::request(const std::stop_token& stop) {
  Node("client").enter_network();
  const sockaddr_in to = place(address_, 80);
  for (auto next = Clock::now(); !stop.stop_requested(); next = std::max(next + kRequestEvery, Clock::now())) {
    if (page_comes(to)) answered(pages_);
    std::this_thread::sleep_until(next + kRequestEvery);
  }
}

void Absence::begin() {
  const std::lock_guard lock(mutex_);
  pings_.clear();
  pages_.clear();
  begin_ = Clock::now();
}

bool Absence::await_answers(std::chrono::milliseconds deadline) const {
  const auto from = Clock::now();
  const auto since = [&](const std::vector<Time>& answers) { return !answers.empty() && answers.back() > from; };
  while (Clock::now() < from + deadline) {
    {
      const std::lock_guard lock(mutex_);
      if (since(pings_) && since(pages_)) return true;
    }
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

bool Absence::await_silence(std::chrono::milliseconds time, std::chrono::milliseconds deadline) const {
  const auto from = Clock::now();
  while (Clock::now() < from + deadline) {
    {
      const std::lock_guard lock(mutex_);
      if (Clock::now() - (pings_.empty() ? begin_ : pings_.back()) > time) return true;
    }
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

std::chrono::milliseconds Absence::longest(const std::vector<Time>& answers) const {
  Clock::duration most{};
  Time last = begin_;
  for (const Time& time : answers) {
    most = std::max(most, time - last);
    last = time;
  }
  return std::chrono::round<std::chrono::milliseconds>(std::max(most, Clock::now() - last));
}

std::chrono::milliseconds Absence::of_address() const {
  const std::lock_guard lock(mutex_);
  return longest(pings_);
}

std::string Absence::to_string() const {
  const std::lock_guard lock(mutex_);
  return "address " + std::to_string(longest(pings_).count()) + " ms, nginx " +
         std::to_string(longest(pages_).count()) + " ms";
}

}  // namespace plumb::lab
