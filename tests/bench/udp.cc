// Requests and answers by UDP, one datagram each: what a client of a service that moves gets to feel.
//
// usage: bench_udp serve              answers on every address of port 7007 until SIGTERM
//        bench_udp ask ADDRESS        asks every millisecond until its input ends
// While it asks, it prints "first" at the first answer, from which on all counts, and "back MS" at each one that comes
// after more than half a second without. At its end it prints how many requests it sent, how many of them were never
// answered, the longest time between two answers in ms, when that ended (seconds of CLOCK_REALTIME), and how many ms
// ago the last answer came.
// Threads: one. Privilege: none. It is linked statically, to run in whatever image.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <vector>

namespace {

constexpr std::uint16_t kPort = 7007;
constexpr int kLastAnswersMs = 200;  // how long the answers to the last requests are waited for

double now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Answers from the address that was asked: on a node that has several the kernel would take another.
int serve() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(kPort);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) {
    std::perror("bench_udp: bind");
    return 1;
  }
  ::signal(SIGTERM, [](int) { ::_exit(0); });  // the first process of a container has no default
  std::array<char, 64> data{};
  std::array<char, 256> control{};
  for (;;) {
    sockaddr_in peer{};
    iovec part{data.data(), data.size()};
    msghdr message{&peer, sizeof peer, &part, 1, control.data(), control.size(), 0};
    const auto size = ::recvmsg(fd, &message, 0);
    if (size < 0) continue;
    part.iov_len = static_cast<std::size_t>(size);
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c))
      if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
        in_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(c), sizeof info);
        info.ipi_ifindex = 0;
        info.ipi_spec_dst = info.ipi_addr;
        std::memcpy(CMSG_DATA(c), &info, sizeof info);
      }
    static_cast<void>(::sendmsg(fd, &message, MSG_DONTWAIT));
  }
}

class Asker {
 public:
  explicit Asker(int fd) : fd_(fd) {}

  void ask() {
    const std::uint64_t number = answered_.size();
    if (last_ > 0) answered_.push_back(false);
    // Nobody there (EHOSTUNREACH, ECONNREFUSED): the next one may get through.
    static_cast<void>(::send(fd_, &number, sizeof number, MSG_DONTWAIT));
  }

  void take_answers() {
    std::uint64_t number = 0;
    for (;;) {
      const auto size = ::recv(fd_, &number, sizeof number, MSG_DONTWAIT);
      if (size < 0 && (errno == ECONNREFUSED || errno == EHOSTUNREACH)) continue;  // said once for each
      if (size < 0) return;
      const double at = now();
      if (number < answered_.size()) answered_[number] = true;
      if (last_ == 0)
        std::puts("first");
      else
        take_gap(at);
      last_ = at;
    }
  }

  void report() const {
    std::size_t lost = 0;
    for (const bool answered : answered_) lost += answered ? 0U : 1U;
    std::printf("%zu %zu %.1f %.3f %.0f\n", answered_.size(), lost, gap_ * 1e3, gap_end_, (now() - last_) * 1e3);
  }

 private:
  void take_gap(double at) {
    if (at - last_ > 0.5) std::printf("back %.1f\n", (at - last_) * 1e3);
    if (at - last_ <= gap_) return;
    gap_ = at - last_;
    gap_end_ = at;
  }

  int fd_;
  std::vector<bool> answered_;
  double last_ = 0;  // 0: nothing was answered yet
  double gap_ = 0;
  double gap_end_ = 0;
};

int ask(const char* address) {
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(kPort);
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (::inet_pton(AF_INET, address, &peer.sin_addr) != 1 ||
      ::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0) {
    std::perror("bench_udp: connect");
    return 1;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const int timer = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  const itimerspec each{{0, 1'000'000}, {0, 1'000'000}};
  ::timerfd_settime(timer, 0, &each, nullptr);
  std::array<pollfd, 3> fds{{{fd, POLLIN, 0}, {timer, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
  Asker asker(fd);
  while (::poll(fds.data(), fds.size(), -1) > 0 && fds[2].revents == 0) {
    if (fds[0].revents != 0) asker.take_answers();
    std::uint64_t ticks = 0;
    if (fds[1].revents != 0 && ::read(timer, &ticks, sizeof ticks) > 0)
      while (ticks-- > 0) asker.ask();  // one that this process was late for counts, too
  }
  while (::poll(fds.data(), 1, kLastAnswersMs) > 0) asker.take_answers();
  asker.report();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "serve") == 0) return serve();
  if (argc == 3 && std::strcmp(argv[1], "ask") == 0) return ask(argv[2]);
  std::fputs("usage: bench_udp serve | bench_udp ask ADDRESS\n", stderr);
  return 2;
}
