// Pings an IPv4 address every millisecond until its input ends, as a client that never gives up, and prints the time of
// each answer: nanoseconds of CLOCK_REALTIME, one in a line, in order. With a port it connects to that instead: an
// answer is a connection that somebody takes.
//
// usage: bench_echo ADDRESS [PORT]
// Threads: one. Privilege: CAP_NET_RAW; none with a port.
#include <arpa/inet.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>
#include <vector>

#include "specs/value/unique_fd.h"

using plumb::UniqueFd;

namespace {

std::uint16_t checksum(const icmphdr& header) {
  std::array<std::uint16_t, sizeof(icmphdr) / 2> words{};
  __builtin_memcpy(words.data(), &header, sizeof header);
  std::uint32_t sum = 0;
  for (const auto word : words) sum += word;
  sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~(sum + (sum >> 16U)));
}

void send_echo(int fd, std::uint16_t sequence) {
  icmphdr header{};
  header.type = ICMP_ECHO;
  header.un.echo.id = htons(0x706c);
  header.un.echo.sequence = htons(sequence);
  header.checksum = checksum(header);
  // Nobody there (EHOSTUNREACH), or the queue behind an open question is full: the next one may get through.
  static_cast<void>(::send(fd, &header, sizeof header, MSG_DONTWAIT));
}

std::int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Whether a frame was one of our answers.
bool take_answer(int fd) {
  std::array<unsigned char, 2048> buffer{};
  const auto size = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  const std::size_t header = (buffer[0] & 0x0fU) * std::size_t{4};
  if (size < static_cast<ssize_t>(header + sizeof(icmphdr))) return false;
  return buffer[header] == ICMP_ECHOREPLY && buffer[header + 4] == 0x70 && buffer[header + 5] == 0x6c;
}

using Answers = std::vector<std::int64_t>;

UniqueFd every_millisecond() {
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
  const itimerspec each{{0, 1'000'000}, {0, 1'000'000}};
  ::timerfd_settime(timer.get(), 0, &each, nullptr);
  return timer;
}

bool ticked(const pollfd& timer) {
  std::uint64_t ticks = 0;
  return timer.revents != 0 && ::read(timer.fd, &ticks, sizeof ticks) > 0;
}

Answers ping(const UniqueFd& socket) {
  Answers out;
  const UniqueFd timer = every_millisecond();
  std::array<pollfd, 3> fds{{{socket.get(), POLLIN, 0}, {timer.get(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
  for (std::uint16_t sequence = 0; ::poll(fds.data(), fds.size(), -1) > 0 && fds[2].revents == 0;) {
    if (fds[0].revents != 0) {
      const auto at = now();
      if (take_answer(socket.get())) out.push_back(at);
    }
    if (ticked(fds[1])) send_echo(socket.get(), ++sequence);
  }
  return out;
}

// A connection that nobody takes is given up after so many others, long before the kernel asks again.
constexpr std::size_t kMostOpen = 30;

Answers connect_to(const sockaddr_in& peer) {
  Answers out;
  const UniqueFd timer = every_millisecond();
  std::vector<UniqueFd> open;
  std::vector<pollfd> fds{{STDIN_FILENO, POLLIN, 0}, {timer.get(), POLLIN, 0}};
  while (::poll(fds.data(), fds.size(), -1) > 0 && fds[0].revents == 0) {
    const auto at = now();
    for (std::size_t i = fds.size(); i-- > 2;) {
      if (fds[i].revents == 0) continue;
      if ((fds[i].revents & (POLLERR | POLLHUP)) == 0) out.push_back(at);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(i - 2));
    }
    if (ticked(fds[1])) {
      if (open.size() == kMostOpen) open.erase(open.begin());
      UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      // A reset instead of a connection that lingers: thousands of them would use up the ports.
      const linger none{1, 0};
      ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
      static_cast<void>(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer));
      open.push_back(std::move(fd));
    }
    fds.resize(2);
    for (const auto& fd : open) fds.push_back({fd.get(), POLLOUT, 0});
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  if ((argc != 2 && argc != 3) || ::inet_pton(AF_INET, argv[1], &peer.sin_addr) != 1) {
    std::fputs("usage: bench_echo ADDRESS [PORT]\n", stderr);
    return 2;
  }
  Answers answers;
  if (argc == 3) {
    peer.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(argv[2], nullptr, 10)));
    answers = connect_to(peer);
  } else {
    const UniqueFd fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
    if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0) {
      std::perror("bench_echo: socket");
      return 1;
    }
    answers = ping(fd);
  }
  for (const auto at : answers) std::printf("%lld\n", static_cast<long long>(at));
  return 0;
}
