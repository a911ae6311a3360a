#include "plugin/watch/engine_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <fstream>
#include <mutex>
#include <optional>

#include "docker_client/events.h"
#include "netns/namespace/process.h"
#include "plugin/engine/ownership.h"
#include "plugin/watch/decision.h"

namespace plumb::watch {

namespace {

constexpr std::chrono::seconds kAnswerLimit{30};
constexpr std::chrono::hours kForEver{24 * 365};
// An engine that ends the stream sooner than that is not asked again at once.
constexpr std::chrono::seconds kShortestStream{1};

// The socket is made before somebody listens on it, and its mode is set after that (see PrivateEngine::await_adopted).
UniqueFd watch_folder(const std::string& socket) {
  UniqueFd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::string folder = socket.substr(0, socket.rfind('/'));
  // A folder that is not there comes with a start, which pokes.
  if (fd && ::inotify_add_watch(fd.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO | IN_ATTRIB) < 0) fd.reset();
  return fd;
}

// Whether it was poked.
bool drain(int fd) {
  std::uint64_t count = 0;
  return ::read(fd, &count, sizeof count) > 0;
}

// Nobody shortens it but the stop.
void pause_for(std::chrono::seconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, time, [] { return false; });
}

std::optional<netns::Process> engine_process(const std::string& pid_file) {
  int pid = 0;
  if (pid_file.empty() || !(std::ifstream(pid_file) >> pid) || pid <= 0) return std::nullopt;
  auto process = netns::Process::open(pid);
  return process ? std::optional(std::move(*process)) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<EngineWatch>> EngineWatch::open(std::string socket, std::string pid_file, Hooks hooks) {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return Err{errno_error(errno, "make an eventfd")};
  std::unique_ptr<EngineWatch> engine(
      new EngineWatch(std::move(socket), std::move(pid_file), std::move(hooks), std::move(wake)));  // NOLINT: private
  engine->thread_ = std::jthread([own = engine.get()](const std::stop_token& stop) { own->run(stop); });
  return engine;
}

EngineWatch::EngineWatch(std::string socket, std::string pid_file, Hooks hooks, UniqueFd wake)
    : socket_(std::move(socket)), pid_file_(std::move(pid_file)), hooks_(std::move(hooks)), wake_(std::move(wake)) {}

EngineWatch::~EngineWatch() {
  thread_.request_stop();
  poke();
}

void EngineWatch::poke() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void EngineWatch::run(const std::stop_token& stop) {
  unsigned missed = 0;
  while (!stop.stop_requested()) {
    // Before the look, so that no return falls between the two.
    UniqueFd folder = watch_folder(socket_);
    const bool poked = drain(wake_.get());
    const auto begin = std::chrono::steady_clock::now();
    const Error error = listen(stop, folder);
    if (stop.stop_requested()) return;
    if (connected_.exchange(false)) {
      hooks_.lost(error);
      if (std::chrono::steady_clock::now() - begin < kShortestStream) pause_for(kShortestStream, stop);
      missed = 0;
      continue;
    }
    // It was seen a moment ago: whoever saw it has to look again. Not at once, should it only refuse to be listened to.
    if (poked) {
      pause_for(backoff(missed++), stop);
      hooks_.lost(error);
      continue;
    }
    if (error.kind == ErrorKind::timeout) continue;
    auto engine = engine_process(pid_file_);
    if (engine && ::waitpid(engine->pid(), nullptr, WNOHANG) != 0) engine.reset();  // ended, or no child of ours
    wait(folder.get(), engine ? engine->fd() : -1);
  }
}

// Returns why it ended.
Error EngineWatch::listen(const std::stop_token& stop, UniqueFd& folder) {
  const docker::Call call{kAnswerLimit, stop};
  auto client = docker::Client::open(socket_, call);
  if (!client) return client.error();
  // Only these: an engine tells of each health check, too.
  auto stream = docker::EventStream::open(
      *client,
      {{"container"}, {std::string(kLabelService)}, 0, {"start", "die", "destroy", "pause", "unpause", "rename"}},
      call);
  if (!stream) return stream.error();
  folder.reset();  // whatever goes on there is nobody's concern as long as the engine answers
  connected_ = true;
  static_cast<void>(drain(wake_.get()));  // it is here
  hooks_.connected();
  for (;;) {
    const auto event = stream->next({kForEver, stop});
    if (!event && event.error().kind == ErrorKind::timeout) continue;
    if (!event) return event.error();
    const auto service = event->attributes.find(std::string(kLabelService));
    if (service != event->attributes.end()) hooks_.happened(service->second);
  }
}

// The destructor pokes, too.
void EngineWatch::wait(int folder, int child) const {
  std::array<pollfd, 3> waiting{{{wake_.get(), POLLIN, 0}, {folder, POLLIN, 0}, {child, POLLIN, 0}}};
  ::poll(waiting.data(), waiting.size(), -1);
}

}  // namespace plumb::watch
