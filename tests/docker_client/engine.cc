#include "tests/docker_client/engine.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace plumb::test {

namespace {

constexpr int kPatienceMs = 60'000;

Result<UniqueFd> bind_socket(int type, const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(static_cast<char*>(address.sun_path), path.c_str(), sizeof address.sun_path - 1);
  ::unlink(path.c_str());
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Err{errno_error(errno, "bind " + path)};
  }
  return fd;
}

// Waits for READY=1 on `notify`, or for the end of the process.
bool wait_ready(int notify, int pidfd) {
  std::array<pollfd, 2> both{{{notify, POLLIN, 0}, {pidfd, POLLIN, 0}}};
  for (;;) {
    const int got = ::poll(both.data(), both.size(), kPatienceMs);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || both[1].revents != 0) return false;
    std::array<char, 512> message{};
    const ssize_t size = ::recv(notify, message.data(), message.size(), 0);
    if (size > 0 && std::string(message.data(), static_cast<std::size_t>(size)).find("READY=1") != std::string::npos)
      return true;
  }
}

}  // namespace

Engine::Engine(EngineKind kind, int netns) : kind_(kind), netns_(netns), socket_(scratch_.path() + "/engine.sock") {}

Engine::~Engine() {
  stop();
  end_orphans();
}

Result<void> Engine::start(const std::vector<std::string>& more_arguments) {
  if (netns_ < 0) {
    own_netns_ = TRY(make_netns());
    netns_ = own_netns_.get();
  }
  return kind_ == EngineKind::docker ? start_docker(more_arguments) : start_podman(more_arguments);
}

Result<void> Engine::start_docker(const std::vector<std::string>& more_arguments) {
  const std::string& folder = scratch_.path();
  const UniqueFd notify = TRY(bind_socket(SOCK_DGRAM, folder + "/notify"));
  ProcessOptions options;
  options.argv = {"dockerd",
                  "--config-file",
                  scratch_.write("daemon.json", "{}"),
                  "--data-root",
                  folder + "/data",
                  "--exec-root",
                  folder + "/exec",
                  "--pidfile",
                  folder + "/pid",
                  "-H",
                  "unix://" + socket_,
                  "--bridge",
                  "none",
                  "--iptables=false",
                  "--ip6tables=false",
                  "--ip-forward=false",
                  "--shutdown-timeout",
                  "2"};
  options.argv.insert(options.argv.end(), more_arguments.begin(), more_arguments.end());
  options.environment = {"NOTIFY_SOCKET=" + folder + "/notify"};
  options.netns = netns_;
  options.output = folder + "/log";
  process_ = TRY(Process::start(options));
  if (wait_ready(notify.get(), process_->pidfd())) return {};
  process_->kill();
  return Err{ErrorKind::failed, "start dockerd: it does not get ready:\n" + log()};
}

Result<void> Engine::start_podman(const std::vector<std::string>& more_arguments) {
  const std::string& folder = scratch_.path();
  const UniqueFd listener = TRY(bind_socket(SOCK_STREAM, socket_));
  if (::listen(listener.get(), 16) != 0) return Err{errno_error(errno, "listen")};
  ProcessOptions options;
  options.argv = {"podman",        "--root",    folder + "/data", "--runroot",        folder + "/run", "--tmpdir",
                  folder + "/tmp", "--runtime", "runc",           "--cgroup-manager", "cgroupfs"};
  options.argv.insert(options.argv.end(), more_arguments.begin(), more_arguments.end());
  options.argv.insert(options.argv.end(), {"system", "service", "--time", "0"});
  // Podman raises the limits of containers to what not every machine lets even root have.
  options.environment = {"CONTAINERS_CONF=" +
                         scratch_.write("containers.conf",
                                        "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n"
                                        "[engine]\nevents_logger = \"file\"\n")};
  options.netns = netns_;
  options.output = folder + "/log";
  options.listen_fd = listener.get();
  process_ = TRY(Process::start(options));
  return {};
}

void Engine::stop() {
  if (process_) process_->stop();
  process_.reset();
}

void Engine::kill() {
  if (process_) process_->kill();
  process_.reset();
}

// A killed engine leaves the shims and processes of its containers: they carry this engine's folder in their command
// line.
void Engine::end_orphans() const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (text.str().find(scratch_.path() + "/") == std::string::npos) continue;
    const auto pid = static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10));
    if (pid != ::getpid()) ::kill(pid, SIGKILL);
  }
}

std::string Engine::log() const {
  std::ifstream file(scratch_.path() + "/log");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace plumb::test
