// The first look at an endpoint of before the start of the driver: where its link is, and what follows from that.
#include <algorithm>
#include <atomic>

#include "plugin/daemon/descriptor_limit.h"
#include "plugin/driver/endpoint_link.h"
#include "plugin/driver/id_lock.h"
#include "plugin/driver/log.h"
#include "plugin/driver/networks.h"
#include "plugin/node/device.h"
#include "specs/service/uplink.h"

namespace plumb::driver {

// Returns when somebody has looked.
void Networks::see(const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    if (!unseen_.contains(id)) return;
  }
  const IdLock looks(*this, id);
}

void Networks::see_network(const std::string& network) {
  std::vector<std::string> its;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& id : unseen_)
      if (const auto found = endpoints_.find(id); found != endpoints_.end() && found->second.network == network)
        its.push_back(id);
  }
  for (const auto& id : its) see(id);
}

// With its id. One that could not be looked at, or not be cleared away, is not lost: it stays known, and is looked at
// again when a call is about it, or later.
void Networks::look_first(const std::string& id) {
  if (const auto record = find_endpoint(id))
    if (auto looked = look(*record); !looked) {
      say_of_endpoint(id, "looked at again later: " + looked.error().what);
      return watch_over(id, is_scarcity(looked.error()) ? kLookedAgain : kEnginePatience);
    }
  const std::lock_guard lock(mutex_);
  unseen_.erase(id);
}

Result<void> Networks::look(const EndpointRecord& record) {
  const auto arrival = arrival_of(record);
  Greeting greeting;
  EndpointSight sight;
  // No link outlives its boot: nothing would be found, but what Open vSwitch keeps has to go.
  if (record.boot_id == boot_)
    sight = TRY(visit_endpoint_link(
        record, [&](netns::RouteSocket& inside, const netns::Link& link) { greeting = greet(inside, link, arrival); }));
  if (sight.where == Whereabouts::nowhere) {
    metrics_.count(Event::collected_endpoints);
    return clear(record);
  }
  if (sight.where == Whereabouts::node)
    resume_on_node(record, arrival);
  else if (sight.where == Whereabouts::sandbox)
    TRY(resume_inside(record, arrival, *sight.link, greeting));
  watch_over(record.id, kEnginePatience);
  return {};
}

// The claims of a link on the node are asked for again, and nobody waits for the answer: Join looks.
void Networks::resume_on_node(const EndpointRecord& record, const Arrival& arrival) {
  if (network_of(record).parsed.link.probe != ProbeProfile::off && !probed_from_link(record.mode))
    if (auto begun = claims_->begin(record.id); !begun)
      say_of_endpoint(record.id, "its address is not claimed: " + begun.error().what);
  if (record.sandbox.empty()) return;
  arrivals_->expect(arrival);
  // Nobody would tell that it has gone there between the look and this.
  if (const auto where = find_endpoint_link(record); where && *where == Whereabouts::sandbox)
    arrivals_->resume(arrival, {});
}

// Those of a link in its container go on; of one that has only just come there they begin when it has arrived.
Result<void> Networks::resume_inside(const EndpointRecord& record, const Arrival& arrival, const netns::Link& link,
                                     const Greeting& greeting) {
  if (link.up) {
    const auto silent = [&]() -> Result<bool> {
      auto node = TRY(open_node());
      const auto device = TRY(device_named(node, record.uplink));
      return device && !device->carrier && device->kind != "bridge";
    }();
    const bool asks = network_of(record).parsed.link.probe != ProbeProfile::off;
    auto resumed = claims_->resume(record.id, link, greeting.present, !asks || !silent || !*silent);
    if (!resumed && is_scarcity(resumed.error())) return resumed;
    if (!resumed) say_of_endpoint(record.id, "its address is not claimed: " + resumed.error().what);
  }
  arrivals_->resume(arrival, greeting.usable ? std::optional(link) : std::nullopt);
  return {};
}

void Networks::look_at_all(std::function<void(const Looked&)> done) {
  std::vector<std::string> ids;
  {
    const std::lock_guard lock(mutex_);
    ids.assign(unseen_.begin(), unseen_.end());
  }
  first_look_ = std::jthread([this, ids = std::move(ids), done = std::move(done)](const std::stop_token& stop) {
    std::atomic<std::size_t> next = 0;
    std::atomic<std::size_t> cleared = 0;
    const auto look_on = [&] {
      for (auto i = next++; i < ids.size() && !stop.stop_requested(); i = next++) {
        see(ids[i]);
        if (!find_endpoint(ids[i])) ++cleared;
      }
    };
    {
      std::vector<std::jthread> others;
      for (std::size_t i = 1; i < std::min<std::size_t>(kLookers, ids.size()); ++i) others.emplace_back(look_on);
      look_on();
    }
    if (!stop.stop_requested()) done({ids.size(), cleared});
  });
}

}  // namespace plumb::driver
