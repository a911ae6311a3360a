#include "plugin/watch/watch.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "plugin/daemon/activation.h"
#include "plugin/daemon/descriptor_limit.h"
#include "plugin/daemon/listening_socket.h"
#include "plugin/daemon/metrics_server.h"
#include "plugin/node/notify.h"
#include "plugin/node/service_lock.h"
#include "plugin/node/signals.h"
#include "plugin/output/console.h"
#include "plugin/watch/log.h"
#include "plugin/watch/watcher.h"

namespace plumb::watch {

namespace {

constexpr const char* kMetricsSocket = "plumb-watch-metrics";  // FileDescriptorName of the socket unit

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

Result<void> serve(const WatchCommand& command) {
  TRY(check_privilege());
  auto inherited = TRY(inherited_sockets({kMetricsSocket}));
  const auto only = TRY(be_the_only_one());
  // What is on its way in the environment is for this process, not for the engines that it starts.
  const auto beat = watchdog_interval();
  for (const char* name : {"WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  raise_descriptor_limit();
  const Signals signals;
  Metrics metrics;
  std::optional<MetricsServer> metrics_server;
  if (inherited[0] || !command.metrics.empty()) {
    auto socket = TRY(ListeningSocket::open(std::move(inherited[0]), command.metrics));
    metrics_server.emplace(TRY(MetricsServer::start(std::move(socket), "plumb watch", [&] { return metrics.text(); })));
  }
  const auto watcher = TRY(Watcher::open(metrics, command.timing, signals.stop()));
  // Whoever started the watcher can wait for this line, or for the service manager.
  say({}, "ready, " + counted(started_services().size(), "service") + " started");
  TRY(notify_manager("READY=1"));
  watcher->run(beat, [] {
    if (auto told = notify_manager("WATCHDOG=1"); !told) say({}, "", told.error());
  });
  return notify_manager("STOPPING=1");
}

}  // namespace

int run_watch(const WatchCommand& command) {
  if (auto served = serve(command); !served) return report({}, "watch", served.error());
  return code(ExitCode::ok);
}

}  // namespace plumb::watch
