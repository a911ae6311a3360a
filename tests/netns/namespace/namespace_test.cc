#include "netns/namespace/namespace.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <thread>

#include "netns/link/link.h"
#include "netns/namespace/enter.h"
#include "netns/namespace/process.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::must;

// A child process that waits for its end; in a network namespace of its own with `apart`.
class Child {
 public:
  explicit Child(bool apart = false, pid_t wanted = 0) {
    std::array<int, 2> ready{};
    REQUIRE(::pipe2(ready.data(), O_CLOEXEC) == 0);
    clone_args args{};
    args.exit_signal = SIGCHLD;
    if (wanted != 0) {
      args.set_tid = reinterpret_cast<std::uint64_t>(&wanted);
      args.set_tid_size = 1;
    }
    pid_ = static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::signal(SIGTERM, SIG_DFL);  // doctest's handler is for the parent
      if (apart && ::unshare(CLONE_NEWNET) != 0) ::_exit(1);
      if (::write(ready[1], "r", 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    ::close(ready[1]);
    char c = 0;
    REQUIRE(::read(ready[0], &c, 1) == 1);
    ::close(ready[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) end();
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  void kill_only() const { ::kill(pid_, SIGKILL); }
  void end() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
};

std::chrono::steady_clock::time_point in(int milliseconds) {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
}

TEST_CASE("a namespace is known by its identity") {
  const auto mine = must(Namespace::current());
  const auto again = must(Namespace::current());
  const auto other = must(Namespace::create());
  CHECK(same(mine, again));
  CHECK(mine.is_current());
  CHECK_FALSE(same(mine, other));
  CHECK_FALSE(other.is_current());
  const auto copy = must(other.dup());
  CHECK(same(copy, other));
  CHECK(copy.fd() != other.fd());
  CHECK((::fcntl(copy.fd(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((::fcntl(other.fd(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("the namespace of a process") {
  const Child same_child;
  const Child apart(true);
  const auto mine = must(Namespace::current());
  CHECK(same(mine, must(Namespace::of_process(same_child.pid()))));
  CHECK_FALSE(same(mine, must(Namespace::of_process(apart.pid()))));
}

TEST_CASE("a process that is dead, a zombie or impossible has no namespace") {
  Child child;
  const pid_t pid = child.pid();
  child.kill_only();
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);  // a zombie from here
  CHECK(Namespace::of_process(pid).error().kind == ErrorKind::not_found);
  child.end();
  CHECK(Namespace::of_process(pid).error().kind == ErrorKind::not_found);
  CHECK(Namespace::of_process(0).error().kind == ErrorKind::not_found);
  CHECK(Namespace::of_process(-3).error().kind == ErrorKind::not_found);
  CHECK(Namespace::of_process(pid).error().what.find(std::to_string(pid)) != std::string::npos);
}

TEST_CASE("a path must be a network namespace") {
  const auto other = must(Namespace::create());
  CHECK(same(other, must(Namespace::from_path("/proc/self/fd/" + std::to_string(other.fd())))));
  CHECK(Namespace::from_path("/nowhere/at/all").error().kind == ErrorKind::not_found);
  const auto wrong_kind = Namespace::from_path("/proc/self/ns/mnt");
  CHECK(wrong_kind.error().what.find("not a network namespace") != std::string::npos);
  std::string file = "/tmp/plumb-test-XXXXXX";
  const UniqueFd fd(::mkstemp(file.data()));
  REQUIRE(fd.get() >= 0);
  const auto empty = Namespace::from_path(file);
  ::unlink(file.c_str());
  CHECK(empty.error().what.find("no namespace") != std::string::npos);
  CHECK(empty.error().next.find("mount namespace") != std::string::npos);
}

TEST_CASE("a namespace that is bound to a file is listed, whatever the file's name, until it is unbound") {
  const auto other = must(Namespace::create());
  const auto listed = [&] {
    const auto all = must(Namespace::bound());
    return std::any_of(all.begin(), all.end(), [&](const Namespace& ns) { return same(ns, other); });
  };
  std::thread([&] {
    REQUIRE(::unshare(CLONE_FS | CLONE_NEWNS) == 0);
    REQUIRE(::mount("", "/", "", MS_PRIVATE | MS_REC, nullptr) == 0);
    std::string file = "/tmp/plumb test\\1 XXXXXX";
    const UniqueFd fd(::mkstemp(file.data()));
    REQUIRE(fd.get() >= 0);
    CHECK_FALSE(listed());
    const std::string from = "/proc/self/fd/" + std::to_string(other.fd());
    REQUIRE(::mount(from.c_str(), file.c_str(), "", MS_BIND, nullptr) == 0);
    CHECK(listed());
    REQUIRE(::umount2(file.c_str(), MNT_DETACH) == 0);
    CHECK_FALSE(listed());
    ::unlink(file.c_str());
  }).join();
}

TEST_CASE("run_in enters the namespace and never changes the caller's") {
  const auto mine = must(Namespace::current());
  const auto other = must(Namespace::create());
  const pid_t thread = ::gettid();
  const bool inside = must(run_in(other, [&]() -> Result<bool> { return other.is_current() && ::gettid() != thread; }));
  CHECK(inside);
  CHECK(mine.is_current());
  // Nested calls, and calls for the caller's own namespace, take no further thread.
  const auto nested = [&]() -> Result<bool> {
    const pid_t outer = ::gettid();
    return run_in(other, [&]() -> Result<bool> { return ::gettid() == outer; });
  };
  CHECK(must(run_in(other, nested)));
  CHECK(must(run_in(mine, [&]() -> Result<bool> { return ::gettid() == thread; })));
  CHECK(must(Namespace::current()).id() == mine.id());
}

TEST_CASE("run_in hands errors through") {
  const auto other = must(Namespace::create());
  const auto failed = run_in(other, []() -> Result<int> { return Err{ErrorKind::conflict, "as told"}; });
  CHECK(failed.error().what == "as told");
}

TEST_CASE("a socket opened in another namespace stays there, its opener does not") {
  const auto mine = must(Namespace::current());
  const auto other = must(Namespace::create());
  auto there = must(RouteSocket::open(other));
  auto here = must(RouteSocket::open(mine));
  CHECK(mine.is_current());
  CHECK(must(links(there)).front().name.str() == "lo");
  CHECK_FALSE(must(links(there)).front().up);
  const auto made = test::make_bridge(there, test::ifname("only-there"));
  CHECK(made > 0);
  CHECK(must(find_link(there, test::ifname("only-there"))).has_value());
  CHECK_FALSE(must(find_link(here, test::ifname("only-there"))).has_value());
}

// The inode of a namespace that is gone is soon another one's.
TEST_CASE("each namespace has a number of its own, for good") {
  const auto mine = must(Namespace::current());
  const auto number = must(RouteSocket::open(mine)).cookie();
  REQUIRE(number);
  CHECK(must(RouteSocket::open(mine)).cookie() == number);
  std::set<std::uint64_t> seen{*number};
  for (int i = 0; i < 5; ++i) {
    const auto other = must(Namespace::create());
    CHECK(seen.insert(must(RouteSocket::open(other)).cookie().value()).second);
  }
}

TEST_CASE("a process is waited for and signalled by its identity") {
  Child child;
  const auto process = must(Process::open(child.pid()));
  CHECK(process.alive());
  CHECK(process.pid() == child.pid());
  CHECK(process.wait(in(0)).error().kind == ErrorKind::timeout);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  CHECK(process.wait(in(60'000), stop.get_token()).error().kind == ErrorKind::cancelled);
  must(process.signal(SIGTERM));
  must(process.wait(in(5'000)));
  CHECK_FALSE(process.alive());
}

TEST_CASE("a pid that was given to another process is not the old process") {
  Child old;
  const pid_t pid = old.pid();
  const auto process = must(Process::open(pid));
  old.end();
  const Child young(false, pid);  // the same number again
  REQUIRE(young.pid() == pid);
  CHECK(must(Process::open(pid)).alive());  // the number is alive
  CHECK_FALSE(process.alive());             // the process is not
  CHECK(process.signal(SIGKILL).error().kind == ErrorKind::not_found);
  CHECK(must(Process::open(pid)).alive());  // and nobody hit the young one
}

TEST_CASE("no such process") {
  CHECK(Process::open(0).error().kind == ErrorKind::not_found);
  Child child;
  const pid_t pid = child.pid();
  child.end();
  CHECK(Process::open(pid).error().kind == ErrorKind::not_found);
}

}  // namespace
}  // namespace plumb::netns
