#include "plugin/node/signals.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <array>
#include <csignal>
#include <cstdio>

#include "plugin/node/wakeup.h"

namespace plumb {

namespace {

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

void watch(const std::stop_token& end, std::stop_source& source) {
  const sigset_t set = our_signals();
  const UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC));
  const Wakeup wakeup(end);
  while (!end.stop_requested()) {
    std::array<pollfd, 2> fds{{{fd.get(), POLLIN, 0}, {wakeup.fd(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0 || fds[0].revents == 0) continue;
    signalfd_siginfo info{};
    if (::read(fd.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) continue;
    const int signal = static_cast<int>(info.ssi_signo);
    if (source.stop_requested()) {
      ::signal(signal, SIG_DFL);
      ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
      ::raise(signal);
    }
    std::fputs("plumb: interrupted; finishing in order (a second signal ends it at once)\n", stderr);
    source.request_stop();
  }
}

}  // namespace

Signals::Signals() {
  const sigset_t set = our_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::jthread([this](const std::stop_token& end) { watch(end, source_); });
}

Signals::~Signals() {
  thread_.request_stop();
  thread_.join();
  const sigset_t set = our_signals();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace plumb
