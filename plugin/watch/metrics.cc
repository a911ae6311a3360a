#include "plugin/watch/metrics.h"

namespace plumb::watch {

namespace {

std::string head(const std::string& name, const std::string& type, const std::string& help) {
  return "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

}  // namespace

std::string Metrics::text() const {
  const auto counter = [&](const std::string& name, const std::string& help, Event event) {
    return head(name, "counter", help) + name + " " + value(event) + "\n";
  };
  return head("plumb_watch_services", "gauge", "Services that are started on this node.") + "plumb_watch_services " +
         std::to_string(services_.load()) + "\n" +
         head("plumb_watch_ailing_services", "gauge", "Of these, those that could not be made whole yet.") +
         "plumb_watch_ailing_services " + std::to_string(ailing_.load()) + "\n" +
         head("plumb_watch_heals_total", "counter", "Heals of services, by how they ended.") +
         "plumb_watch_heals_total{result=\"ok\"} " + value(Event::healed) + "\n" +
         "plumb_watch_heals_total{result=\"failed\"} " + value(Event::heal_failed) + "\n" +
         counter("plumb_watch_container_restarts_total", "Restarts of containers that ended by themselves.",
                 Event::container_restart) +
         counter("plumb_watch_rivals_total", "Times that another host began to claim an address.", Event::rival) +
         counter("plumb_watch_announced_frames_total", "Frames sent to announce or to defend addresses.",
                 Event::announced_frames) +
         counter("plumb_watch_carrier_returns_total", "Carriers of uplinks that came back.", Event::carrier_return) +
         counter("plumb_watch_engine_connections_total", "Connections made to engines.", Event::engine_reconnect);
}

}  // namespace plumb::watch
