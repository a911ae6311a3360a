#include "plugin/node/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>

namespace plumb {

namespace {

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const auto& s : strings) out.push_back(const_cast<char*>(s.c_str()));  // NOLINT: execve's signature
  out.push_back(nullptr);
  return out;
}

// In the child, between fork and exec of a program with threads: async-signal-safe calls only.
[[noreturn]] void run_child(int gate, int input, int output, char* const* argv, char* const* envp) {
  constexpr int kGate = STDERR_FILENO + 1;
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::dup2(gate, kGate);
  // Before it waits: what else the parent has open, such as the locks and gates of other services, is none of its.
  ::close_range(kGate + 1, ~0U, 0);
  char byte = 0;
  ssize_t got = 0;
  do got = ::read(kGate, &byte, 1);
  while (got < 0 && errno == EINTR);
  if (got != 1) ::_exit(0);  // the parent is gone
  ::close(kGate);
  ::setsid();
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execve(argv[0], argv, envp);
  ::_exit(127);
}

}  // namespace

Result<std::string> find_program(const std::string& name, const std::string& next) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) +
                             ":/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (folder.empty() || folder.front() != '/') continue;
    std::string candidate = folder + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return Err{ErrorKind::not_found, "run " + name + ": it is not installed", next};
}

Result<GatedProgram> GatedProgram::fork(const std::vector<std::string>& arguments,
                                        const std::vector<std::string>& extra_environment, int output_fd) {
  std::vector<std::string> environment = extra_environment;
  for (char** e = environ; *e != nullptr; ++e) environment.emplace_back(*e);
  const auto argv = pointers(arguments);
  const auto envp = pointers(environment);
  UniqueFd input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::array<int, 2> ends{};
  if (!input || ::pipe2(ends.data(), O_CLOEXEC) != 0) return Err{errno_error(errno, "run " + arguments.front())};
  UniqueFd gate(ends[0]);
  UniqueFd opener(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return Err{errno_error(errno, "run " + arguments.front())};
  if (pid == 0) {
    ::close(opener.get());  // else the child itself would keep its gate from closing
    run_child(gate.get(), input.get(), output_fd, argv.data(), envp.data());
  }
  return GatedProgram(pid, std::move(opener));
}

Result<void> GatedProgram::go() {
  const char byte = 1;
  if (::write(gate_.get(), &byte, 1) != 1)
    return Err{errno_error(errno, "let process " + std::to_string(pid_) + " go")};
  return {};
}

namespace {

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

Result<Pipe> open_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Err{errno_error(errno, "make a pipe")};
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Reads both to their ends, whichever has something.
void drain(const UniqueFd& output, std::string& out, const UniqueFd& errors, std::string& err) {
  std::array<pollfd, 2> fds{{{output.get(), POLLIN, 0}, {errors.get(), POLLIN, 0}}};
  std::array<char, 4096> buffer{};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    for (auto& fd : fds) {
      if (fd.fd < 0 || fd.revents == 0) continue;
      const ssize_t got = ::read(fd.fd, buffer.data(), buffer.size());
      if (got > 0) (fd.fd == output.get() ? out : err).append(buffer.data(), static_cast<std::size_t>(got));
      if (got == 0 || (got < 0 && errno != EINTR)) fd.fd = -1;  // poll passes over it
    }
  }
}

}  // namespace

Result<ProgramResult> run_program(const std::vector<std::string>& arguments) {
  const auto argv = pointers(arguments);
  auto output = TRY(open_pipe());
  auto errors = TRY(open_pipe());
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output.writer.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, errors.writer.get(), STDERR_FILENO);
  posix_spawnattr_t attributes{};
  ::posix_spawnattr_init(&attributes);
  sigset_t none;  // threads of ours block signals, which the program's own time limits may need
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t pipe;  // which main() ignores
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  ::posix_spawnattr_setsigdefault(&attributes, &pipe);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return Err{errno_error(failed, "run " + arguments.front())};
  output.writer.reset();
  errors.writer.reset();
  ProgramResult ran;
  drain(output.reader, ran.output, errors.reader, ran.errors);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) ran.signal = WTERMSIG(status);
  if (WIFEXITED(status)) ran.status = WEXITSTATUS(status);
  return ran;
}

Error exec_program(const std::vector<std::string>& arguments) {
  const auto argv = pointers(arguments);
  std::signal(SIGPIPE, SIG_DFL);  // main() ignores it, and exec would pass that on
  ::execv(argv[0], argv.data());
  return errno_error(errno, "run " + arguments.front());
}

}  // namespace plumb
