#include "tests/docker_client/process.h"

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

namespace plumb::test {

namespace {

int up_loopback() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(static_cast<char*>(request.ifr_name), "lo");
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return errno;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  return ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0 ? 0 : errno;
}

// What runs between fork and exec: only system calls, on memory that was made ready before.
struct Prepared {
  std::vector<char*> argv;
  std::vector<std::string> environment;
  std::vector<char*> envp;
  std::string listen_pid = "LISTEN_PID=00000000000";
  int output = -1;
};

void write_pid(std::string& variable) {
  // LISTEN_PID is the child's own pid, which only the child knows; std::to_string would allocate.
  long pid = ::getpid();
  for (std::size_t i = variable.size(); i-- > std::strlen("LISTEN_PID=");) {
    variable[i] = static_cast<char>('0' + pid % 10);
    pid /= 10;
  }
}

[[noreturn]] void run_child(const ProcessOptions& options, Prepared& prepared, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(126);
  if (options.netns >= 0 && ::setns(options.netns, CLONE_NEWNET) != 0) ::_exit(125);
  if (prepared.output >= 0) {
    ::dup2(prepared.output, 1);
    ::dup2(prepared.output, 2);
  }
  if (options.stdin_fd >= 0) ::dup2(options.stdin_fd, 0);
  unsigned first = 3;
  if (options.listen_fd >= 0) {
    ::dup2(options.listen_fd, 3);
    first = 4;
    write_pid(prepared.listen_pid);
  }
  ::syscall(SYS_close_range, first, ~0U, 0U);
  ::execvpe(prepared.argv[0], prepared.argv.data(), prepared.envp.data());
  ::_exit(127);
}

}  // namespace

Result<UniqueFd> make_netns() {
  UniqueFd made;
  int err = 0;
  // A thread of its own: unshare moves the thread that calls it.
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      err = errno;
      return;
    }
    err = up_loopback();
    if (err == 0) made.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  }).join();
  if (!made) return Err{errno_error(err, "make network namespace")};
  return made;
}

Result<Process> Process::start(const ProcessOptions& options) {
  Prepared prepared;
  for (const std::string& word : options.argv) prepared.argv.push_back(const_cast<char*>(word.c_str()));
  prepared.argv.push_back(nullptr);
  prepared.environment = options.environment;
  if (options.listen_fd >= 0) prepared.environment.emplace_back("LISTEN_FDS=1");
  for (char** variable = environ; *variable != nullptr; ++variable) prepared.envp.push_back(*variable);
  for (std::string& variable : prepared.environment) prepared.envp.push_back(variable.data());
  if (options.listen_fd >= 0) prepared.envp.push_back(prepared.listen_pid.data());
  prepared.envp.push_back(nullptr);
  UniqueFd output;
  if (!options.output.empty()) {
    output.reset(::open(options.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!output) return Err{errno_error(errno, "open " + options.output)};
    prepared.output = output.get();
  }
  if (options.output_fd >= 0) prepared.output = options.output_fd;
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return Err{errno_error(errno, "fork")};
  if (pid == 0) run_child(options, prepared, parent);
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return Process(pid, std::move(pidfd));
}

Process::Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    stop();
    pid_ = std::exchange(other.pid_, 0);
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

Process::~Process() { stop(); }

void Process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

bool Process::wait(std::chrono::milliseconds patience) {
  if (pid_ <= 0) return true;
  pollfd ended{pidfd_.get(), POLLIN, 0};
  int got = 0;
  do {
    got = ::poll(&ended, 1, static_cast<int>(patience.count()));
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return false;
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
  return true;
}

void Process::stop() {
  if (pid_ <= 0) return;
  signal(SIGTERM);
  if (!wait(std::chrono::seconds(30))) kill();
}

void Process::kill() {
  signal(SIGKILL);
  wait(std::chrono::seconds(30));
}

}  // namespace plumb::test
