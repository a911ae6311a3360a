// Pings an IPv4 address every millisecond until its input ends, as a client that never gives up, and prints the time of
// each answer: nanoseconds of CLOCK_REALTIME, one in a line, in order.
//
// usage: bench_echo ADDRESS
// Threads: one. Privilege: CAP_NET_RAW.
#include <arpa/inet.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <vector>

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

}  // namespace

int main(int argc, char** argv) {
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  if (argc != 2 || ::inet_pton(AF_INET, argv[1], &peer.sin_addr) != 1) {
    std::fputs("usage: bench_echo ADDRESS\n", stderr);
    return 2;
  }
  const int fd = ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0) {
    std::perror("bench_echo: socket");
    return 1;
  }
  const int timer = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  const itimerspec each{{0, 1'000'000}, {0, 1'000'000}};
  ::timerfd_settime(timer, 0, &each, nullptr);
  std::vector<std::int64_t> answers;
  std::array<pollfd, 3> fds{{{fd, POLLIN, 0}, {timer, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
  for (std::uint16_t sequence = 0; ::poll(fds.data(), fds.size(), -1) > 0 && fds[2].revents == 0;) {
    if (fds[0].revents != 0) {
      const auto at = now();
      if (take_answer(fd)) answers.push_back(at);
    }
    std::uint64_t ticks = 0;
    if (fds[1].revents != 0 && ::read(timer, &ticks, sizeof ticks) > 0) send_echo(fd, ++sequence);
  }
  for (const auto at : answers) std::printf("%lld\n", static_cast<long long>(at));
  return 0;
}
