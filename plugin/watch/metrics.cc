#include "plugin/watch/metrics.h"

#include "plugin/daemon/metrics_text.h"

namespace plumb::watch {

std::string Metrics::text() const {
  MetricsText out;
  const auto counter = [&](std::string_view name, std::string_view help, Event event) {
    out.single(name, MetricType::counter, help, value(event));
  };
  out.single("plumb_watch_services", MetricType::gauge, "Services that are started on this node.", services_.load());
  out.single("plumb_watch_ailing_services", MetricType::gauge, "Of these, those that could not be made whole yet.",
             ailing_.load());
  counter("plumb_watch_looks_total", "Looks at services, because of something that has happened.", Event::look);
  out.head("plumb_watch_heals_total", MetricType::counter, "Heals of services, by how they ended.");
  out.sample("plumb_watch_heals_total", MetricsText::label("result", "ok"), value(Event::healed));
  out.sample("plumb_watch_heals_total", MetricsText::label("result", "failed"), value(Event::heal_failed));
  counter("plumb_watch_container_restarts_total", "Restarts of containers that ended by themselves.",
          Event::container_restart);
  counter("plumb_watch_rivals_total", "Times that another host began to claim an address.", Event::rival);
  counter("plumb_watch_doubts_total", "Times that an address was taken off its link until it had been asked for again.",
          Event::doubt);
  counter("plumb_watch_losses_total", "Addresses that were taken off their links, since another host has them.",
          Event::loss);
  counter("plumb_watch_announced_frames_total", "Frames sent to announce or to defend addresses.",
          Event::announced_frames);
  counter("plumb_watch_carrier_returns_total", "Carriers of uplinks that came back.", Event::carrier_return);
  counter("plumb_watch_engine_connections_total", "Connections made to engines.", Event::engine_reconnect);
  return out.take();
}

}  // namespace plumb::watch
