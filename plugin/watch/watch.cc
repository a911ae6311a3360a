#include "plugin/watch/watch.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "plugin/daemon/activation.h"
#include "plugin/daemon/http_server.h"
#include "plugin/daemon/log.h"
#include "plugin/driver/metrics.h"
#include "plugin/node/service_lock.h"
#include "plugin/node/signals.h"
#include "plugin/output/console.h"
#include "plugin/watch/watcher.h"

namespace plumb::watch {

namespace {

// Half of the time after which systemd takes the watcher for dead (sd_watchdog_enabled(3)); none where it does not.
std::optional<milliseconds> heartbeat() {
  const auto number = [](const char* name) -> std::optional<long long> {
    const char* text = std::getenv(name);
    if (text == nullptr) return std::nullopt;
    const std::string_view value(text);
    long long out = 0;
    const auto [end, err] = std::from_chars(value.data(), value.data() + value.size(), out);
    return err == std::errc{} && end == value.data() + value.size() ? std::optional(out) : std::nullopt;
  };
  const auto limit = number("WATCHDOG_USEC");
  const auto whose = number("WATCHDOG_PID");
  if (!limit || *limit < 2000 || (whose && *whose != ::getpid())) return std::nullopt;
  return milliseconds{*limit / 2000};
}

// Some five descriptors for each service are more than the usual 1024 in all.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, 65536));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

driver::Reply scraped(const Metrics& metrics, const driver::Request& request) {
  const std::string text = "text/plain; charset=utf-8";
  if (request.path != "/metrics") return {404, "there is only /metrics\n", text};
  if (request.method != "GET" && request.method != "HEAD") return {405, "only GET\n", text};
  return {200, metrics.text(), std::string(driver::kMetricsContentType)};
}

// A socket for the metrics: systemd's, which stays, or one that goes with the watcher.
class MetricsDoor {
 public:
  static Result<MetricsDoor> open(UniqueFd inherited, std::string path, const Metrics& metrics) {
    if (inherited) path.clear();
    auto fd = inherited ? std::move(inherited) : TRY(driver::listen_on(path));
    return MetricsDoor(std::move(path),
                       TRY(driver::HttpServer::start(
                           std::move(fd), [&](const driver::Request& request) { return scraped(metrics, request); })));
  }
  MetricsDoor(MetricsDoor&& other) noexcept
      : path_(std::exchange(other.path_, {})), server_(std::move(other.server_)) {}
  MetricsDoor& operator=(MetricsDoor&&) = delete;
  ~MetricsDoor() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

 private:
  MetricsDoor(std::string path, driver::HttpServer server) : path_(std::move(path)), server_(std::move(server)) {}
  std::string path_;
  driver::HttpServer server_;
};

// Two of them would restart containers twice as often as they may. Held as long as the descriptor.
Result<UniqueFd> be_the_only_one() {
  const std::string path = TRY(run_directory()) + "/.watch.lock";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return Err{errno_error(errno, "open " + path)};
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    return Err{ErrorKind::exists, "lock " + path + ": another plumb watch runs on this node",
               "systemctl status plumb-watch.service; one is enough for all services"};
  return fd;
}

Result<void> serve(const CommandLine& command) {
  TRY(check_privilege());
  auto inherited = TRY(driver::inherited_watch_metrics());
  const auto only = TRY(be_the_only_one());
  // What is on its way in the environment is for this process, not for the engines that it starts.
  const auto beat = heartbeat();
  for (const char* name : {"WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  raise_descriptor_limit();
  const Signals signals;
  Metrics metrics;
  std::optional<MetricsDoor> door;
  if (inherited || !command.watch_metrics.empty())
    door.emplace(TRY(MetricsDoor::open(std::move(inherited), command.watch_metrics, metrics)));
  const auto watcher = TRY(Watcher::open(metrics, command.timing, signals.stop()));
  // Whoever started the watcher can wait for this line, or for the service manager.
  say({}, "ready, " + counted(started_services().size(), "service") + " started");
  TRY(driver::notify("READY=1"));
  watcher->run(beat, [] {
    if (auto told = driver::notify("WATCHDOG=1"); !told) say({}, "", told.error());
  });
  return driver::notify("STOPPING=1");
}

}  // namespace

int run_watch(const CommandLine& command) {
  if (auto served = serve(command); !served) return report(command, "watch", served.error());
  return code(ExitCode::ok);
}

}  // namespace plumb::watch
