#include "plugin/engine/private_engine.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "netns/link/link.h"
#include "netns/namespace/namespace.h"
#include "netns/namespace/stop_event.h"
#include "plugin/engine/engine_log.h"
#include "plugin/engine/engine_scope.h"
#include "plugin/node/process_stat.h"
#include "plugin/node/program.h"
#include "plugin/node/service_lock.h"
#include "plugin/node/state_file.h"
#include "plugin/node/unix_address.h"

namespace plumb {

namespace {

namespace fs = std::filesystem;
using Deadline = std::chrono::steady_clock::time_point;

// A cold start takes about half a second; a large image store or a slow disk makes it many.
constexpr std::chrono::seconds kStartDeadline{120};
// dockerd gives its containers 15 s at most when it shuts down (shutdown-timeout).
constexpr std::chrono::seconds kStopDeadline{45};

// As docker.service and dockerd 20.10 have it: of the node's processes an engine is not the first to go. Its containers
// are not concerned: it sets theirs. Whatever the starter has, which may be to go last, is not handed on. Who may not
// lower a score may still take back what was raised, and that it remains at all is no reason not to start.
void set_oom_score(int pid) {
  for (const char* score : {"-500", "0"}) {
    std::ofstream file("/proc/" + std::to_string(pid) + "/oom_score_adj");
    if (file << score << std::flush) return;
  }
}

// As the record has it; empty when there is no such process.
std::string start_time_of(int pid) {
  const auto ticks = start_ticks_of(pid);
  return ticks ? std::to_string(*ticks) : std::string();
}

// The recorded process, if it still is that process. The pidfd is opened before the start time is read: from then on
// the number cannot pass to another process unnoticed.
std::optional<netns::Process> process_of(const EngineRecord& record) {
  auto process = netns::Process::open(record.pid);
  if (!process || start_time_of(record.pid) != record.start_time || !process->alive()) return std::nullopt;
  return std::move(*process);
}

// Whether somebody listens on the socket, and with the pid of who does (SO_PEERCRED: of the process that listened).
bool listened_by(const std::string& path, int pid) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = UnixAddress::of_path(path);
  if (!fd || !address || ::connect(fd.get(), address->get(), address->size()) != 0) return false;
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == pid;
}

int remaining_ms(Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

}  // namespace

PrivateEngine PrivateEngine::of(const Service& service) { return PrivateEngine(service); }

PrivateEngine::PrivateEngine(const Service& service)
    : service_(service.name),
      data_dir_(service.docker_data_dir),
      daemon_args_(service.docker_daemon_args),
      run_dir_("/run/plumb/" + service.name),
      socket_(run_dir_ + "/docker.sock"),
      pid_file_(run_dir_ + "/docker.pid"),
      record_(run_dir_ + "/engine.pid"),
      log_("/var/log/plumb/" + service.name + ".dockerd.log") {}

Result<std::optional<EngineRecord>> PrivateEngine::read_record() const {
  auto out = decode_engine(read_state_file(record_).value_or(std::string()));
  if (!out) out.error().what = "read " + record_ + ": " + out.error().what;
  return out;
}

Result<std::optional<netns::Process>> PrivateEngine::process() const {
  const auto record = TRY(read_record());
  return record ? process_of(*record) : std::nullopt;
}

Result<EngineState> PrivateEngine::state() const {
  const auto record = TRY(read_record());
  // An empty or torn one was written by a start that was killed before the engine's program was executed.
  if (!record) return EngineState::down;
  return process_of(*record) ? EngineState::up : EngineState::crashed;
}

Result<void> PrivateEngine::write_record(int pid) const {
  return write_state_file(record_, encode(EngineRecord{pid, start_time_of(pid)}), 0644);
}

Result<void> PrivateEngine::prepare_directories() const {
  TRY(run_directory());
  for (const auto& path : {run_dir_, run_dir_ + "/exec", std::string("/var/log/plumb"), data_dir_}) {
    std::error_code ec;
    fs::create_directories(path, ec);
    if (ec) return Err{errno_error(ec.value(), "make directory " + path)};
  }
  std::ofstream(run_dir_ + "/daemon.json") << "{}\n";
  return {};
}

Result<std::vector<std::string>> PrivateEngine::arguments() const {
  const auto program = TRY(find_program("dockerd", "install Docker Engine (Debian: apt-get install docker.io)"));
  std::vector<std::string> out = {
      program, "--data-root", data_dir_, "--exec-root", run_dir_ + "/exec", "--pidfile", pid_file_, "--host",
      "unix://" + socket_,
      // A system-wide containerd is shared when there is one: the names keep the services apart.
      "--containerd-namespace", "plumb-" + service_, "--containerd-plugins-namespace", "plumb-" + service_ + "-plugins",
      // Plumb does the network. The host's bridges, rules and sysctls are not this engine's.
      "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"};
  const bool own_config = std::any_of(daemon_args_.begin(), daemon_args_.end(),
                                      [](const std::string& a) { return a.starts_with("--config-file"); });
  // Not /etc/docker/daemon.json: it is the system engine's, and what it sets there collides with the flags above.
  if (!own_config) out.insert(out.end(), {"--config-file", run_dir_ + "/daemon.json"});
  out.insert(out.end(), daemon_args_.begin(), daemon_args_.end());
  return out;
}

Result<PrivateEngine::Spawned> PrivateEngine::spawn(const std::string& notify_path) const {
  const auto log = TRY(begin_engine_log(log_));
  const auto command = TRY(arguments());
  std::vector<std::string> environment{"NOTIFY_SOCKET=" + notify_path};
  // It looks for its containerd and runc there; Pacemaker and systemd may give us none.
  if (const char* path = std::getenv("PATH"); path == nullptr || *path == '\0')
    environment.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  auto gated = TRY(GatedProgram::fork(command, environment, log.get()));
  TRY(write_record(gated.pid()));
  auto process = TRY(netns::Process::open(gated.pid()));
  set_oom_score(gated.pid());
  std::string warning;
  // Before its program runs: what the engine starts is where the engine is.
  if (has_systemd())
    if (const auto entered = enter_scope(service_, gated.pid()); !entered)
      warning = entered.error().what + "; it runs in the control group of who has started it";
  if (!warning.empty()) note_in_engine_log(log.get(), warning);
  TRY(gated.go());
  return Spawned{std::move(process), std::move(warning)};
}

Result<std::string> PrivateEngine::start(const std::stop_token& stop) {
  if (const auto running = TRY(process())) {
    TRY(await_adopted(*running, stop));
    return std::string();
  }
  TRY(prepare_directories());
  withdraw_leftovers();
  // Whoever wrote these is gone: process() has just asked.
  for (const auto& stale : {socket_, pid_file_}) ::unlink(stale.c_str());
  const std::string notify_path = run_dir_ + "/notify.sock";
  const auto notify = TRY(NotifySocket::bind(notify_path));
  auto engine = TRY(spawn(notify_path));
  auto ready = await_ready(engine.process, notify, stop);
  if (!ready) {
    if (auto ended = this->stop(); !ended) ready.error().what += "; and " + ended.error().what;
    return Err{std::move(ready).error()};
  }
  return std::move(engine.warning);
}

// dockerd says READY=1 on NOTIFY_SOCKET when its API answers (sd_notify(3); moby cmd/dockerd/daemon_linux.go).
Result<void> PrivateEngine::await_ready(const netns::Process& process, const NotifySocket& notify,
                                        const std::stop_token& stop) const {
  const auto stop_event = TRY(netns::StopEvent::open(stop));
  const Deadline deadline = std::chrono::steady_clock::now() + kStartDeadline;
  for (;;) {
    std::array<pollfd, 3> fds{{{notify.fd(), POLLIN, 0}, {process.fd(), POLLIN, 0}, {stop_event.fd(), POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), remaining_ms(deadline));
    if (ready < 0 && errno != EINTR) return Err{errno_error(errno, "wait for dockerd")};
    if (stop.stop_requested()) return Err{ErrorKind::cancelled, "start the engine of " + service_ + ": interrupted"};
    if (ready == 0)
      return Err{
          ErrorKind::timeout,
          "start the engine of " + service_ + ": not ready after " + std::to_string(kStartDeadline.count()) + " s",
          "see " + log_};
    if (fds[0].revents != 0) {
      if (notify.says_ready()) return {};
    } else if (fds[1].revents != 0) {
      return Err{ErrorKind::failed,
                 "start the engine of " + service_ + ": dockerd ended: " + last_words_of_engine(log_), "see " + log_};
    }
  }
}

// An engine that another, killed start has begun: its READY went to a socket that is gone, so its own socket is
// awaited; a request waits there until the API answers.
Result<void> PrivateEngine::await_adopted(const netns::Process& process, const std::stop_token& stop) const {
  const auto stop_event = TRY(netns::StopEvent::open(stop));
  UniqueFd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  // A socket is there before somebody listens on it. dockerd sets its mode after that (go-connections
  // sockets.NewUnixSocketWithOpts), which is the last event that there is.
  if (!watch || ::inotify_add_watch(watch.get(), run_dir_.c_str(), IN_CREATE | IN_MOVED_TO | IN_ATTRIB) < 0)
    return Err{errno_error(errno, "watch " + run_dir_)};
  const Deadline deadline = std::chrono::steady_clock::now() + kStartDeadline;
  while (!listened_by(socket_, process.pid())) {
    std::array<pollfd, 3> fds{{{watch.get(), POLLIN, 0}, {process.fd(), POLLIN, 0}, {stop_event.fd(), POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), remaining_ms(deadline));
    if (stop.stop_requested()) return Err{ErrorKind::cancelled, "start the engine of " + service_ + ": interrupted"};
    if (ready == 0)
      return Err{ErrorKind::timeout, "start the engine of " + service_ + ": its socket " + socket_ + " does not appear",
                 "see " + log_};
    if (fds[1].revents != 0)
      return Err{ErrorKind::failed,
                 "start the engine of " + service_ + ": dockerd ended: " + last_words_of_engine(log_), "see " + log_};
    std::array<char, 4096> drained{};
    while (::read(watch.get(), drained.data(), drained.size()) > 0) {
    }
  }
  return {};
}

Result<void> PrivateEngine::stop() {
  if (const auto engine = TRY(process())) {
    TRY(engine->signal(SIGTERM));
    if (auto ended = engine->wait(std::chrono::steady_clock::now() + kStopDeadline); !ended) {
      if (ended.error().kind != ErrorKind::timeout) return ended;
      // The record stays: the next verb sees a crashed engine and clears up after it.
      TRY(engine->signal(SIGKILL));
      return Err{ErrorKind::timeout,
                 "stop the engine of " + service_ + ": still there after " + std::to_string(kStopDeadline.count()) +
                     " s, killed",
                 "see " + log_ + "; run `plumb stop " + service_ + "` again"};
    }
  }
  remove_run_files();
  return {};
}

// Of an engine that was killed: its containers run on, and the new engine ends them, but their namespaces die some time
// after that. Until then their addresses would answer, to our own probe too. So their links are removed now. An engine
// keeps its sandboxes bound in its exec root (libnetwork osl.SetBasePath).
void PrivateEngine::withdraw_leftovers() const {
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(run_dir_ + "/exec/netns", ec)) {
    const auto ns = netns::Namespace::from_path(entry.path());
    if (!ns || ns->is_current()) continue;
    auto socket = netns::RouteSocket::open(*ns);
    if (!socket) continue;
    const auto links = netns::links(*socket);
    if (!links) continue;
    // What cannot be removed is found by the probe.
    for (const auto& link : *links)
      if (!link.loopback) [[maybe_unused]]
        const auto removed = netns::remove_link(*socket, link.index);
  }
}

void PrivateEngine::remove_run_files() const {
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(run_dir_ + "/exec/netns", ec))
    ::umount2(entry.path().c_str(), MNT_DETACH);  // a sandbox that a killed engine left bound
  // The record goes last but one: while it is there the next verb knows that there is something to clear.
  for (const auto& entry : fs::directory_iterator(run_dir_, ec))
    if (entry.path() != record_) fs::remove_all(entry.path(), ec);
  ::unlink(record_.c_str());
  ::rmdir(run_dir_.c_str());
}

}  // namespace plumb
