#include "plugin/node/process_stat.h"

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <thread>

using namespace plumb;

TEST_CASE("the start of a process is read behind a name that looks like more fields") {
  const auto before = start_ticks_of(::getpid());
  REQUIRE(before);
  CHECK(*before > 0);
  REQUIRE(::prctl(PR_SET_NAME, "a) S 1 (b 2") == 0);
  CHECK(start_ticks_of(::getpid()) == before);
}

TEST_CASE("a process that is not there has no start") { CHECK_FALSE(start_ticks_of(-1)); }

TEST_CASE("a process runs until its end, a zombie does not, and nor does one with another start") {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const auto start = start_ticks_of(child);
  REQUIRE(start);
  CHECK(still_runs(child, *start));
  CHECK_FALSE(still_runs(child, *start + 1));
  ::kill(child, SIGKILL);
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
  CHECK(start_ticks_of(child) == start);
  CHECK_FALSE(still_runs(child, *start));
  ::waitpid(child, nullptr, 0);
  CHECK_FALSE(still_runs(child, *start));
}

// As a program does whose first thread ends by pthread_exit().
TEST_CASE("a process whose first thread alone has ended runs") {
  const pid_t child = ::fork();
  if (child == 0) {
    std::thread([] { ::pause(); }).detach();
    ::syscall(SYS_exit, 0);
  }
  const auto start = start_ticks_of(child);
  REQUIRE(start);
  // The first thread is a zombie at once, or in a moment.
  const auto leader_ended = [&] {
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string line;
    std::getline(stat, line);
    return line.find(") Z ") != std::string::npos;
  };
  for (int i = 0; i < 5000 && !leader_ended(); ++i) ::usleep(1000);
  CHECK(leader_ended());
  CHECK(still_runs(child, *start));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}
