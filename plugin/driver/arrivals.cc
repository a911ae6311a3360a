#include "plugin/driver/arrivals.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "netns/address/address.h"
#include "netns/address/route.h"
#include "netns/address/sysctl.h"
#include "netns/link/link_watch.h"
#include "plugin/daemon/descriptor_limit.h"
#include "plugin/driver/endpoint_link.h"
#include "plugin/driver/log.h"
#include "plugin/node/carrier_change.h"
#include "plugin/node/device.h"
#include "plugin/node/own_answers.h"

namespace plumb::driver {

namespace {

using Clock = std::chrono::steady_clock;

// How long the engine may take from the move to an address on a link that is up. It needs milliseconds.
constexpr std::chrono::seconds kSettleLimit{15};
// Where there was no descriptor for an arrival, before it is tried again.
constexpr std::chrono::milliseconds kTriedAgain{100};
constexpr int kRouterProtocol = 9;  // RTPROT_RA

// An endpoint on its way: expected (the engine has been answered), arriving (`watch` is set), settled.
struct TrackedEndpoint {
  Arrival arrival;
  std::optional<netns::RouteSocket> socket;  // in the sandbox, while it arrives
  std::optional<netns::LinkWatch> watch;
  bool quiet = false;  // routers are not listened to, and other links' addresses not answered for
  bool settled = false;
  bool waits = false;                                // for descriptors
  Clock::time_point due = Clock::time_point::max();  // the end of patience
};

bool has_v6(const EndpointRecord& endpoint) {
  return std::any_of(endpoint.addresses.begin(), endpoint.addresses.end(),
                     [](const Cidr& cidr) { return cidr.address().is_v6(); });
}

// Nothing of a router's word is taken on a static address, and nothing said for another link's. Before the link is up;
// whatever came in between is taken back later: routes and addresses are, and what neighbours believe is announced.
Result<void> quieten(const netns::RouteSocket& socket, const netns::Link& link, const EndpointRecord& endpoint) {
  TRY(keep_answers_apart(socket.ns(), link.name));
  if (!has_v6(endpoint)) return {};
  const std::array<netns::SysctlValue, 2> values{{{netns::Sysctl::accept_ra, 0}, {netns::Sysctl::autoconf, 0}}};
  return netns::write_sysctls(socket.ns(), link.name, values);
}

Result<void> forget_routers(netns::RouteSocket& socket, const netns::Link& link) {
  for (const auto& have : TRY(netns::addresses(socket, link.index, netns::Family::v6)))
    if (!have.permanent && !have.cidr.address().is_link_local())
      TRY(netns::remove_address(socket, link.index, have.cidr));
  for (const auto& route : TRY(netns::routes(socket, {netns::Family::v6, netns::kMainTable, link.index})))
    if (route.protocol == kRouterProtocol) TRY(netns::remove_route(socket, route));
  return {};
}

bool is_usable(const netns::Link& link, const std::vector<netns::Address>& have, const EndpointRecord& endpoint) {
  return link.up && std::all_of(endpoint.addresses.begin(), endpoint.addresses.end(), [&](const Cidr& wanted) {
           return std::any_of(have.begin(), have.end(), [&](const netns::Address& address) {
             return address.cidr.address() == wanted.address() && !address.tentative;
           });
         });
}

void quieten_or_say(const netns::RouteSocket& socket, const netns::Link& link, const EndpointRecord& endpoint,
                    bool& quiet) {
  const auto quieted = quieten(socket, link, endpoint);
  quiet = quieted.has_value();
  // One that is not there any more: the container has ended at once.
  if (!quieted && quieted.error().kind != ErrorKind::not_found) say_of_endpoint(endpoint.id, quieted.error().what);
}

// Of a link that is usable: what its namespace has to know, and to forget.
void make_ways(netns::RouteSocket& socket, const netns::Link& link, const Arrival& arrival) {
  const auto& endpoint = arrival.endpoint;
  if (has_v6(endpoint)) {
    for (const auto& side : arrival.host)
      if (auto told = tell_neighbours(socket, link.index, side); !told) say_of_endpoint(endpoint.id, told.error().what);
    if (auto forgot = forget_routers(socket, link); !forgot) say_of_endpoint(endpoint.id, forgot.error().what);
  }
  for (const auto& route : arrival.way)
    if (auto made = netns::replace_route(socket, own_route(route, link.index)); !made)
      say_of_endpoint(endpoint.id, made.error().what);
}

}  // namespace

Greeting greet(netns::RouteSocket& inside, const netns::Link& link, const Arrival& arrival) {
  Greeting greeting;
  bool quiet = false;
  quieten_or_say(inside, link, arrival.endpoint, quiet);
  const auto have = netns::addresses(inside, link.index);
  if (!have) {
    say_of_endpoint(arrival.endpoint.id, have.error().what);
    return greeting;
  }
  for (const auto& address : *have) greeting.present.push_back(address.cidr);
  greeting.usable = is_usable(link, *have, arrival.endpoint);
  if (greeting.usable) make_ways(inside, link, arrival);
  return greeting;
}

struct Arrivals::Loop {
  Loop(Metrics& metrics_in, ArrivalHooks hooks_in, netns::LinkWatch node_in, UniqueFd wake_in)
      : metrics(metrics_in), hooks(std::move(hooks_in)), node(std::move(node_in)), wake(std::move(wake_in)) {}

  void run(const std::stop_token& stop);
  void hear_node();
  void visit(TrackedEndpoint& tracked);
  void arrive(TrackedEndpoint& tracked);
  static void wait(TrackedEndpoint& tracked);
  void look(TrackedEndpoint& tracked);
  void settle(TrackedEndpoint& tracked);
  void hear_carrier(const std::string& device, const Carrier& now);
  void look_at_carriers();
  void rouse() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake.get(), &one, sizeof one);
  }

  Metrics& metrics;
  const ArrivalHooks hooks;
  std::mutex mutex;                                          // of what follows
  std::vector<std::pair<std::string, netns::Link>> arrived;  // to be told by the thread, without the mutex
  struct Changed {
    std::string device;
    bool up;
    bool flapped;
  };
  std::vector<Changed> carriers_changed;  // the same
  std::map<std::string, TrackedEndpoint> endpoints;
  std::map<std::string, std::string> expected;  // device on the node -> endpoint
  std::map<std::string, Carrier> carriers;      // of devices of the node, as last heard
  std::vector<TrackedEndpoint> leaving;         // closed by the thread that may be waiting on their descriptors
  netns::LinkWatch node;
  UniqueFd wake;
  std::jthread thread;  // last: it uses the others until it is joined
};

void Arrivals::Loop::run(const std::stop_token& stop) {
  const std::stop_callback end(stop, [this] { rouse(); });
  while (!stop.stop_requested()) {
    std::vector<pollfd> waiting{{wake.get(), POLLIN, 0}, {node.fd(), POLLIN, 0}};
    std::vector<std::string> ids;
    auto due = Clock::time_point::max();
    {
      const std::lock_guard lock(mutex);
      for (const auto& [id, tracked] : endpoints) {
        due = std::min(due, tracked.due);
        if (!tracked.watch) continue;
        waiting.push_back({tracked.watch->fd(), POLLIN, 0});
        ids.push_back(id);
      }
    }
    int timeout = -1;
    if (due != Clock::time_point::max())
      timeout = static_cast<int>(std::max<std::chrono::milliseconds::rep>(
          0, std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now()).count()));
    if (::poll(waiting.data(), waiting.size(), timeout) < 0 && errno != EINTR) return;
    std::vector<TrackedEndpoint> gone;
    std::unique_lock lock(mutex);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto drained = ::read(wake.get(), &count, sizeof count);
    if (waiting[1].revents != 0) hear_node();
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (const auto found = endpoints.find(ids[i]); found != endpoints.end() && waiting[i + 2].revents != 0)
        look(found->second);
    for (auto& [id, tracked] : endpoints) visit(tracked);
    gone.swap(leaving);
    const auto changes = std::exchange(carriers_changed, {});
    const auto here = std::exchange(arrived, {});
    lock.unlock();
    for (const auto& change : changes) hooks.carrier(change.device, change.up, change.flapped);
    for (const auto& [id, link] : here) hooks.arrived(id, link);
  }
}

// A device of the node is gone, by that name: the engine has taken it, or it was removed; the sandbox tells which.
void Arrivals::Loop::hear_node() {
  const auto heard = node.read();
  for (const auto& change : heard.changes) {
    if (change.gone) {
      if (carriers.erase(change.name) > 0) carriers_changed.push_back({change.name, false, false});
      const auto id = expected.find(change.name);
      const auto tracked = id == expected.end() ? endpoints.end() : endpoints.find(id->second);
      if (tracked != endpoints.end() && !tracked->second.settled) arrive(tracked->second);
      continue;
    }
    hear_carrier(change.name, {change.carrier, change.carrier_downs});
  }
  if (!heard.lost) return;
  look_at_carriers();
  for (auto& [id, tracked] : endpoints)
    if (!tracked.settled && !tracked.watch) arrive(tracked);
}

void Arrivals::Loop::hear_carrier(const std::string& device, const Carrier& now) {
  const auto before = carriers.find(device);
  const auto became = carrier_change(before == carriers.end() ? std::nullopt : std::optional(before->second), now);
  carriers.insert_or_assign(device, now);
  if (became.fresh || became.changed || became.flapped) carriers_changed.push_back({device, now.there, became.flapped});
  if (!became.returned) return;
  for (const auto& [id, tracked] : endpoints)
    if (tracked.settled && tracked.arrival.endpoint.uplink == device) metrics.count(Event::carrier_returns);
}

// Those that matter, where not every change was heard.
void Arrivals::Loop::look_at_carriers() {
  auto socket = open_node();
  if (!socket) return;
  std::set<std::string> uplinks;
  for (const auto& [id, tracked] : endpoints) uplinks.insert(tracked.arrival.endpoint.uplink);
  for (const auto& name : uplinks)
    if (const auto device = device_named(*socket, name); device && *device)
      hear_carrier(name, {(*device)->carrier, (*device)->carrier_downs});
}

void Arrivals::Loop::arrive(TrackedEndpoint& tracked) {
  auto sandbox = netns::Namespace::from_path(tracked.arrival.endpoint.sandbox);
  if (!sandbox && is_scarcity(sandbox.error())) return wait(tracked);
  if (!sandbox) {
    // A container that is removed before it runs has none; anything else is said.
    if (sandbox.error().kind != ErrorKind::not_found)
      say_of_endpoint(tracked.arrival.endpoint.id, sandbox.error().what);
    return;
  }
  auto watch = netns::LinkWatch::open(*sandbox, true);
  auto socket = netns::RouteSocket::open(*sandbox);
  if (!watch || !socket) {
    const auto& why = watch ? socket.error() : watch.error();
    if (is_scarcity(why)) return wait(tracked);
    return say_of_endpoint(tracked.arrival.endpoint.id, "not looked after: " + why.what);
  }
  tracked.watch = std::move(*watch);
  tracked.socket = std::move(*socket);
  tracked.quiet = false;
  tracked.due = Clock::now() + kSettleLimit;
  look(tracked);
}

void Arrivals::Loop::wait(TrackedEndpoint& tracked) {
  tracked.waits = true;
  tracked.due = Clock::now() + kTriedAgain;
}

void Arrivals::Loop::look(TrackedEndpoint& tracked) {
  if (!tracked.watch) return;
  static_cast<void>(tracked.watch->read());  // that something changed is enough: all is looked at
  const auto& endpoint = tracked.arrival.endpoint;
  auto link = link_of(*tracked.socket, endpoint);
  if (!link || !*link) return;
  if (!tracked.quiet) quieten_or_say(*tracked.socket, **link, endpoint, tracked.quiet);
  if (!(*link)->up) return;
  const auto have = netns::addresses(*tracked.socket, (*link)->index);
  if (!have || !is_usable(**link, *have, endpoint)) return;
  make_ways(*tracked.socket, **link, tracked.arrival);
  arrived.emplace_back(endpoint.id, **link);
  settle(tracked);
}

// The sandbox is let go.
void Arrivals::Loop::settle(TrackedEndpoint& tracked) {
  tracked.watch.reset();
  tracked.socket.reset();
  tracked.settled = true;
  tracked.due = Clock::time_point::max();
  expected.erase(tracked.arrival.endpoint.device);
}

// The end of the patience with an engine that took the link and did not use it.
void Arrivals::Loop::visit(TrackedEndpoint& tracked) {
  if (tracked.due > Clock::now()) return;
  if (std::exchange(tracked.waits, false)) {
    tracked.due = Clock::time_point::max();
    return arrive(tracked);
  }
  say_of_endpoint(tracked.arrival.endpoint.id,
                  "its link is not in use in " + tracked.arrival.endpoint.sandbox + "; not announced yet");
  tracked.watch.reset();
  tracked.socket.reset();
  tracked.due = Clock::time_point::max();
}

Arrivals::Arrivals(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Arrivals::Arrivals(Arrivals&&) noexcept = default;
Arrivals::~Arrivals() = default;

Result<Arrivals> Arrivals::start(Metrics& metrics, ArrivalHooks hooks) {
  const auto own = TRY(netns::Namespace::current());
  auto node = TRY(netns::LinkWatch::open(own));
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake) return Err{errno_error(errno, "make an eventfd")};
  auto socket = TRY(netns::RouteSocket::open(own));
  auto loop = std::make_unique<Loop>(metrics, std::move(hooks), std::move(node), std::move(wake));
  for (const auto& link : TRY(netns::links(socket)))
    loop->carriers.emplace(link.name.str(), Carrier{link.carrier, link.carrier_downs});
  loop->thread = std::jthread([own = loop.get()](const std::stop_token& stop) { own->run(stop); });
  return Arrivals(std::move(loop));
}

void Arrivals::expect(Arrival arrival) {
  const std::string id = arrival.endpoint.id;
  forget(id);  // the engine asks again
  const std::lock_guard lock(loop_->mutex);
  loop_->expected[arrival.endpoint.device] = id;
  loop_->endpoints[id] = TrackedEndpoint{std::move(arrival), {}, {}, false, false, false, Clock::time_point::max()};
}

void Arrivals::resume(Arrival arrival, const std::optional<netns::Link>& usable) {
  const std::string id = arrival.endpoint.id;
  expect(std::move(arrival));
  const std::lock_guard lock(loop_->mutex);
  auto& tracked = loop_->endpoints.at(id);
  if (usable) {
    loop_->arrived.emplace_back(id, *usable);
    loop_->settle(tracked);
  } else {
    loop_->arrive(tracked);
  }
  loop_->rouse();
}

void Arrivals::forget(const std::string& endpoint) {
  const std::lock_guard lock(loop_->mutex);
  const auto found = loop_->endpoints.find(endpoint);
  if (found == loop_->endpoints.end()) return;
  loop_->expected.erase(found->second.arrival.endpoint.device);
  loop_->leaving.push_back(std::move(found->second));
  loop_->endpoints.erase(found);
  loop_->rouse();
}

}  // namespace plumb::driver
