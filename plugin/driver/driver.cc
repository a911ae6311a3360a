#include "plugin/driver/driver.h"

#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "plugin/daemon/activation.h"
#include "plugin/daemon/http_server.h"
#include "plugin/driver/metrics.h"
#include "plugin/driver/networks.h"
#include "plugin/driver/pools.h"
#include "plugin/driver/privileges.h"
#include "plugin/driver/protocol.h"
#include "plugin/driver/store.h"
#include "plugin/node/signals.h"
#include "plugin/node/wakeup.h"
#include "plugin/output/console.h"

namespace plumb::driver {

namespace {

// A socket that others connect to: systemd's, which stays, or one that goes with the driver.
class Door {
 public:
  static Result<Door> open(UniqueFd inherited, const std::string& path) {
    if (inherited) return Door(std::move(inherited), {});
    auto fd = TRY(listen_on(path));
    return Door(std::move(fd), path);
  }
  Door(Door&& other) noexcept : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})) {}
  Door& operator=(Door&&) = delete;
  ~Door() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  [[nodiscard]] UniqueFd take() { return std::move(fd_); }

 private:
  Door(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  UniqueFd fd_;
  std::string path_;
};

void wait_for(const std::stop_token& stop) {
  const Wakeup wakeup(stop);
  pollfd waiting{wakeup.fd(), POLLIN, 0};
  while (!stop.stop_requested()) ::poll(&waiting, 1, -1);
}

Reply scraped(const Metrics& metrics, const Request& request) {
  if (request.path != "/metrics") return {404, "there is only /metrics\n", "text/plain; charset=utf-8"};
  if (request.method != "GET" && request.method != "HEAD") return {405, "only GET\n", "text/plain; charset=utf-8"};
  return {200, metrics.text(), std::string(kMetricsContentType)};
}

Result<void> serve(const DriverCommand& command) {
  auto inherited = TRY(inherited_sockets());
  // The doors come first: from now on a call waits instead of being refused.
  auto door = TRY(Door::open(std::move(inherited.plugin), command.socket));
  std::optional<Door> metrics_door;
  if (inherited.metrics || !command.metrics.empty())
    metrics_door.emplace(TRY(Door::open(std::move(inherited.metrics), command.metrics)));
  TRY(uncover_sysctls());
  TRY(drop_privileges());
  const Signals signals;
  auto store = TRY(Store::open(command.state));
  Metrics metrics;
  const auto networks = TRY(Networks::open(store, metrics));
  auto pools = TRY(Pools::open(
      store,
      {[&](const std::string& network, const IpAddress& address) { return networks->endpoint_with(network, address); },
       [&](const std::string& network, const IpAddress& address) { return networks->answers(network, address); },
       {},
       [&](const std::string& network) { networks->pool_released(network); }}));
  Protocol protocol(*networks, pools, metrics);
  const auto server =
      TRY(HttpServer::start(door.take(), [&](const Request& request) { return protocol.answer(request); }));
  std::optional<HttpServer> metrics_server;
  if (metrics_door)
    metrics_server.emplace(TRY(
        HttpServer::start(metrics_door->take(), [&](const Request& request) { return scraped(metrics, request); })));
  // Whoever started the driver can wait for this line, or for the service manager.
  std::fprintf(stderr, "plumb driver: ready, %zu networks and %zu endpoints\n", networks->network_count(),
               networks->endpoint_count());
  TRY(notify("READY=1"));
  wait_for(signals.stop());
  return notify("STOPPING=1");
}

}  // namespace

int run_driver(const CommandLine& command) {
  if (auto served = serve(command.driver); !served) return report(command, "driver", served.error());
  return code(ExitCode::ok);
}

}  // namespace plumb::driver
