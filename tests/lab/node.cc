#include "tests/lab/node.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgets that C++ may read it
}

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace plumb::lab {
namespace {

using Clock = std::chrono::steady_clock;

std::string lab_name() {
  const char* name = std::getenv("PLUMB_LAB");
  return name != nullptr ? name : "lab";
}

// The pid that the node's file names, when it is the node's still; else -1.
pid_t find_pid(const std::string& node) {
  std::ifstream file("/var/cache/plumb-lab/" + lab_name() + "/" + node + "/pid");
  pid_t pid = -1;
  file >> pid;
  std::string mark;
  std::ifstream("/proc/" + std::to_string(pid) + "/root/run/plumb-lab") >> mark;
  return mark == lab_name() + "/" + node ? pid : -1;
}

// PATH and HOME are those that ci/lab gives; of ours only what sanitizers read.
Words environment_of(const Words& extra) {
  Words all{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/srv/home"};
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name); value != nullptr) all.push_back(std::string(name) + "=" + value);
  }
  all.insert(all.end(), extra.begin(), extra.end());
  return all;
}

std::vector<char*> pointers(Words& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Pipe make_pipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) give_up_errno("pipe2");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// Starts the program with the namespaces of the calling thread, in a session of its own.
pid_t spawn(Words command, Words environment, const std::string& folder, int out, int err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, command.front().c_str(), &actions, &attributes, pointers(command).data(),
                                 pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) give_up("start " + command.front() + ": " + std::strerror(error));
  return pid;
}

// A thread enters the namespaces, starts the program and ends: children of a thread are children of the process, and
// the test's other threads stay where they are. A mount namespace needs a thread that shares its folders with no other
// (setns(2)).
pid_t spawn_in(pid_t node, const Words& command, const Words& environment, int out, int err) {
  const UniqueFd target(pidfd_open(node, 0));
  if (!target) give_up_errno("pidfd_open " + std::to_string(node));
  const std::string folder = std::filesystem::current_path();
  pid_t pid = -1;
  std::thread([&] {
    if (unshare(CLONE_FS) != 0) give_up_errno("unshare");
    if (setns(target.get(), CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWPID) != 0) {
      give_up_errno("enter the namespaces of " + std::to_string(node));
    }
    pid = spawn(command, environment, folder, out, err);
  }).join();
  return pid;
}

// Appends what can be read; false at end of file.
bool append(const UniqueFd& fd, std::string& text) {
  char buffer[16384];
  const ssize_t size = read(fd.get(), buffer, sizeof buffer);
  if (size <= 0) return size < 0 && errno == EINTR;
  text.append(buffer, static_cast<std::size_t>(size));
  return true;
}

int remaining_ms(Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, 1 << 30));
}

}  // namespace

void give_up(const std::string& what) { throw std::runtime_error("lab: " + what); }

void give_up_errno(const std::string& what) { give_up(what + ": " + std::strerror(errno)); }

bool becomes(const std::function<bool()>& so, std::chrono::milliseconds deadline) {
  for (const auto until = Clock::now() + deadline; !so(); std::this_thread::sleep_for(std::chrono::milliseconds(50))) {
    if (Clock::now() > until) return false;
  }
  return true;
}

Running::Running(pid_t pid, UniqueFd out, UniqueFd err)
    : pid_(pid), process_(pidfd_open(pid, 0)), out_(std::move(out)), err_(std::move(err)), begin_(Clock::now()) {
  if (!process_) give_up_errno("pidfd_open " + std::to_string(pid));
}

Running::Running(Running&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      process_(std::move(other.process_)),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)),
      begin_(other.begin_),
      outcome_(std::move(other.outcome_)) {}

Running::~Running() {
  if (pid_ < 0) return;
  signal(SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Running::signal(int number) const {
  if (pidfd_send_signal(process_.get(), number, nullptr, 0) != 0 && errno != ESRCH) give_up_errno("pidfd_send_signal");
}

// One round of reading. Returns false when the program has ended or the time is over.
bool Running::read_some(Clock::time_point until) {
  pollfd fds[] = {{process_.get(), POLLIN, 0}, {out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}};
  const int ready = poll(fds, std::size(fds), remaining_ms(until));
  if (ready < 0 && errno != EINTR) give_up_errno("poll");
  if (ready == 0) return false;
  if (fds[1].revents != 0 && !append(out_, outcome_.out)) out_.reset();
  if (fds[2].revents != 0 && !append(err_, outcome_.err)) err_.reset();
  // What a program wrote before it ended is still in the pipe: it is read first.
  return fds[0].revents == 0 || fds[1].revents != 0 || fds[2].revents != 0;
}

bool Running::await(const std::string& stream, std::string_view text, std::chrono::milliseconds deadline) {
  const auto until = Clock::now() + deadline;
  while (stream.find(text) == std::string::npos) {
    if (!read_some(until)) return stream.find(text) != std::string::npos;
  }
  return true;
}

bool Running::await_output(std::string_view text, std::chrono::milliseconds deadline) {
  return await(outcome_.out, text, deadline);
}

bool Running::await_errors(std::string_view text, std::chrono::milliseconds deadline) {
  return await(outcome_.err, text, deadline);
}

const std::string& Running::errors() {
  while (read_some(Clock::now())) {
  }
  return outcome_.err;
}

Outcome Running::wait(std::chrono::milliseconds deadline) {
  const auto until = Clock::now() + deadline;
  while (read_some(until)) {
  }
  siginfo_t info{};
  if (waitid(P_PIDFD, static_cast<id_t>(process_.get()), &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0) {
    outcome_.timed_out = true;
    signal(SIGKILL);
    waitid(P_PIDFD, static_cast<id_t>(process_.get()), &info, WEXITED);
  }
  pid_ = -1;
  outcome_.took = Clock::now() - begin_;
  outcome_.exit_code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
  return std::move(outcome_);
}

Node::Node(std::string name) : name_(std::move(name)) { (void)pid(); }

bool Node::is_up(const std::string& name) { return find_pid(name) > 0; }

pid_t Node::pid() const {
  const pid_t pid = find_pid(name_);
  if (pid < 0) give_up("node " + name_ + " of the lab " + lab_name() + " is not up: run 'ci/lab up'");
  return pid;
}

void Node::enter_network() const {
  const UniqueFd target(pidfd_open(pid(), 0));
  if (!target || setns(target.get(), CLONE_NEWNET) != 0) give_up_errno("enter the network of " + name_);
}

Running Node::start(const Words& command, const Words& environment) const {
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  const pid_t child = spawn_in(pid(), command, environment_of(environment), out.write.get(), err.write.get());
  return {child, std::move(out.read), std::move(err.read)};
}

Outcome Node::run(const Words& command, std::chrono::milliseconds deadline) const {
  return start(command).wait(deadline);
}

std::string Node::must(const Words& command) const {
  Outcome outcome = run(command);
  if (outcome.exit_code != 0) {
    give_up(name_ + ": " + command.front() + " ended with " + std::to_string(outcome.exit_code) + ": " + outcome.out +
            outcome.err);
  }
  return std::move(outcome.out);
}

bool Node::knows(const std::string& kind) const {
  return run({"unshare", "--net", "bash", "-c",
              "ip link add e0 type veth peer name e1 && ip link add link e0 name x type " + kind})
             .exit_code == 0;
}

std::string Node::engine_log() const {
  const std::ifstream file("/var/cache/plumb-lab/" + lab_name() + "/" + name_ + "/dockerd.log");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Node::outside(const std::string& path) const { return "/proc/" + std::to_string(pid()) + "/root" + path; }

void Node::write(const std::string& path, std::string_view text) const {
  const std::filesystem::path file = outside(path);
  std::filesystem::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::trunc);
  out << text;
  out.close();
  if (!out) give_up("write " + path + " in " + name_);
}

void Node::remove(const std::string& path) const { std::filesystem::remove_all(outside(path)); }

State Node::state(const Words& engines) const {
  Words command{PLUMB_SOURCE_DIR "/tests/lab/state.sh"};
  command.insert(command.end(), engines.begin(), engines.end());
  std::istringstream lines(must(command));
  State state;
  std::string line;
  std::string kind;
  while (std::getline(lines, line)) {
    if (line.starts_with("# ")) {
      kind = line.substr(2);
      state[kind];
    } else {
      state[kind].insert(line);
    }
  }
  return state;
}

std::string difference(const State& before, const State& after) {
  std::string text;
  const auto only = [&text](const State& in, const State& not_in, char mark) {
    for (const auto& [kind, lines] : in) {
      const auto other = not_in.find(kind);
      for (const std::string& line : lines) {
        if (other == not_in.end() || !other->second.contains(line)) text += mark + (" " + kind) + ": " + line + "\n";
      }
    }
  };
  only(before, after, '-');
  only(after, before, '+');
  return text;
}

std::string difference_to_now(const State& before, const std::function<State()>& look) {
  // Its socket tells nobody when an engine has done.
  constexpr std::chrono::seconds kEngineLag{5};
  const auto at_once = [](const State& state) {
    State out;
    for (const auto& [kind, lines] : state)
      if (kind == "containers" || kind == "links" || kind == "addresses" || kind == "routes") out[kind] = lines;
    return out;
  };
  State now = look();
  if (auto text = difference(at_once(before), at_once(now)); !text.empty()) return text;
  for (const auto until = Clock::now() + kEngineLag; Clock::now() < until; now = look()) {
    if (difference(before, now).empty()) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return difference(before, now);
}

std::string lab(const Words& command) {
  Words words{PLUMB_SOURCE_DIR "/ci/lab"};
  words.insert(words.end(), command.begin(), command.end());
  Words environment = environment_of({"PLUMB_LAB=" + lab_name()});
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  const pid_t child = spawn(words, environment, "/", out.write.get(), err.write.get());
  out.write.reset();
  err.write.reset();
  Outcome outcome = Running(child, std::move(out.read), std::move(err.read)).wait();
  if (outcome.exit_code != 0) give_up("ci/lab " + command.front() + ": " + outcome.out + outcome.err);
  return std::move(outcome.out);
}

}  // namespace plumb::lab
