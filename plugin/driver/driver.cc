#include "plugin/driver/driver.h"

#include <poll.h>

#include <cstdio>
#include <optional>

#include "netns/namespace/stop_event.h"
#include "plugin/daemon/activation.h"
#include "plugin/daemon/descriptor_limit.h"
#include "plugin/daemon/http_server.h"
#include "plugin/daemon/listening_socket.h"
#include "plugin/daemon/metrics_server.h"
#include "plugin/driver/metrics.h"
#include "plugin/driver/networks.h"
#include "plugin/driver/pools.h"
#include "plugin/driver/privileges.h"
#include "plugin/driver/protocol.h"
#include "plugin/driver/record/store.h"
#include "plugin/node/notify.h"
#include "plugin/node/signals.h"
#include "plugin/output/console.h"

namespace plumb::driver {

namespace {

constexpr const char* kPluginSocket = "plumb-driver";  // FileDescriptorName of the socket units
constexpr const char* kMetricsSocket = "plumb-driver-metrics";

Result<void> wait_for(const std::stop_token& stop) {
  const auto event = TRY(netns::StopEvent::open(stop));
  pollfd waiting{event.fd(), POLLIN, 0};
  while (!stop.stop_requested()) ::poll(&waiting, 1, -1);
  return {};
}

Result<void> serve(const DriverCommand& command) {
  auto inherited = TRY(inherited_sockets({kPluginSocket, kMetricsSocket}));
  // The sockets come first: from now on a call waits instead of being refused.
  auto listening = TRY(ListeningSocket::open(std::move(inherited[0]), command.socket));
  std::optional<ListeningSocket> for_metrics;
  if (inherited[1] || !command.metrics.empty())
    for_metrics.emplace(TRY(ListeningSocket::open(std::move(inherited[1]), command.metrics)));
  TRY(uncover_sysctls());
  TRY(drop_privileges());
  raise_descriptor_limit();
  const Signals signals;
  auto store = TRY(Store::open(command.state));
  Metrics metrics;
  const auto networks = TRY(Networks::open(store, metrics));
  auto pools = TRY(Pools::open(
      store,
      {[&](const std::string& network, const IpAddress& address) { return networks->endpoint_with(network, address); },
       [&](const std::string& network, const IpAddress& address) { return networks->answers(network, address); },
       [&](const std::string& network) { return networks->place(network); },
       {},
       [&](const std::string& network) { networks->pool_released(network); },
       [&](const std::string& network, const IpAddress& address) { networks->give_back(network, address); }}));
  Protocol protocol(*networks, pools, metrics);
  const auto server = TRY(HttpServer::start(
      listening.take(), protocol_options([&](const HttpRequest& request) { return protocol.answer(request); })));
  std::optional<MetricsServer> metrics_server;
  if (for_metrics)
    metrics_server.emplace(
        TRY(MetricsServer::start(*std::move(for_metrics), "plumb driver", [&] { return metrics.text(); })));
  // Whoever started the driver can wait for this line, or for the service manager.
  std::fprintf(stderr, "plumb driver: ready, %zu networks and %zu endpoints\n", networks->network_count(),
               networks->endpoint_count());
  TRY(notify_manager("READY=1"));
  networks->look_at_all([](const Networks::Looked& looked) {
    if (looked.endpoints == 0) return;
    std::fprintf(stderr, "plumb driver: has looked at %zu endpoints, and cleared %zu away\n", looked.endpoints,
                 looked.cleared);
  });
  TRY(wait_for(signals.stop()));
  return notify_manager("STOPPING=1");
}

}  // namespace

int run_driver(const DriverCommand& command) {
  if (auto served = serve(command); !served) return report({}, "driver", served.error());
  return code(ExitCode::ok);
}

}  // namespace plumb::driver
