#include "plugin/driver/claim/endpoint_address.h"

#include <utility>

#include "netns/address/address.h"
#include "plugin/claim/doubt_reason.h"
#include "plugin/driver/endpoint_link.h"
#include "plugin/driver/log.h"

namespace plumb::driver {

namespace {

using claim::State;

constexpr std::chrono::seconds kSaidEvery{10};  // of one rival

struct Inside {
  netns::RouteSocket socket;
  int ifindex;
};

Result<Inside> inside(const EndpointRecord& endpoint) {
  const auto sandbox = TRY(netns::Namespace::from_path(endpoint.sandbox));
  auto socket = TRY(netns::RouteSocket::open(sandbox));
  const auto link = TRY(link_of(socket, endpoint));
  if (!link)
    return Err{ErrorKind::not_found, "find the link of endpoint " + endpoint.id.substr(0, 12) + ": it is gone"};
  return Inside{std::move(socket), link->index};
}

std::optional<Cidr> cidr_of(const EndpointRecord& endpoint, const IpAddress& address) {
  for (const auto& cidr : endpoint.addresses)
    if (cidr.address() == address) return cidr;
  return std::nullopt;
}

std::string name_of(const std::optional<ClaimRival>& rival) { return rival ? rival->to_string() : "another machine"; }

}  // namespace

void EndpointAddress::belong(const NetworkRecord& network, const EndpointRecord& endpoint) {
  const std::lock_guard lock(mutex_);
  endpoint_ = endpoint;
  way_ = way_out(network, endpoint);
  left_ = false;
}

void EndpointAddress::arrived(bool on_link) {
  const std::lock_guard lock(mutex_);
  on_link_ = on_link;
  if (std::exchange(running_, true) || !lost_ || !endpoint_) return;
  around_.metrics.count(Event::lost_addresses);
  say_of_endpoint(endpoint_->id, "address " + address_.to_string() + ": " + name_of(rival_) +
                                     " has got it while the container was started; taken off it");
}

void EndpointAddress::leave() {
  const std::lock_guard lock(mutex_);
  left_ = true;
}

std::optional<ClaimRival> EndpointAddress::contested() const {
  const std::lock_guard lock(mutex_);
  return contested_;
}

bool EndpointAddress::is_lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

std::optional<ClaimRival> EndpointAddress::rival() const {
  const std::lock_guard lock(mutex_);
  return rival_;
}

ClaimHooks EndpointAddress::hooks() {
  ClaimHooks out;
  out.announce = [self = shared_from_this()] { self->announce(); };
  out.keep = [self = shared_from_this()](const claim::Kept& kept) { self->keep(kept); };
  out.report = [self = shared_from_this()](const ClaimReport& report) { self->report(report); };
  return out;
}

// As Join has told the engine, and as it was when it arrived.
std::vector<netns::Route> EndpointAddress::first_routes(int ifindex) const {
  std::vector<netns::Route> out;
  const bool v6 = address_.is_v6();
  if (const auto& gateway = v6 ? way_.gateway_v6 : way_.gateway_v4)
    out.push_back({netns::default_destination(v6), gateway, ifindex, netns::kMainTable, {}, {}});
  for (const auto& route : way_.own)
    if (route.destination.address().is_v6() == v6) out.push_back(own_route(route, ifindex));
  return out;
}

Result<void> EndpointAddress::put_on() {
  const std::lock_guard lock(mutex_);
  if (left_ || !endpoint_ || on_link_) return {};
  const auto cidr = cidr_of(*endpoint_, address_);
  if (!cidr) return {};
  auto where = TRY(inside(*endpoint_));
  // It was asked for: the kernel need not.
  const auto added = TRY(netns::add_address(where.socket, where.ifindex, *cidr, {false, address_.is_v6()}));
  on_link_ = true;
  if (added == netns::Added::present) return {};
  for (const auto& route : routes_.empty() ? first_routes(where.ifindex) : routes_)
    if (auto back = netns::replace_route(where.socket, route); !back) say_of_endpoint(endpoint_->id, back.error().what);
  return {};
}

void EndpointAddress::take_off() {
  const std::lock_guard lock(mutex_);
  if (left_ || !endpoint_) return;
  on_link_ = false;
  const auto cidr = cidr_of(*endpoint_, address_);
  auto where = inside(*endpoint_);
  if (!cidr || !where) return;
  const auto family = address_.is_v6() ? netns::Family::v6 : netns::Family::v4;
  auto routes = netns::lasting_routes(where->socket, family, where->ifindex);
  auto removed = netns::remove_address(where->socket, where->ifindex, *cidr);
  if (!removed) say_of_endpoint(endpoint_->id, "address " + address_.to_string() + ": " + removed.error().what);
  if (routes && !routes->empty()) routes_ = *std::move(routes);
}

void EndpointAddress::announce() {
  const std::lock_guard lock(mutex_);
  if (running_ && !left_ && endpoint_) around_.announcements.send(*endpoint_, address_, gateway_);
}

// Before it is confirmed there is nothing to lose.
void EndpointAddress::keep(const claim::Kept& kept) {
  const std::lock_guard lock(mutex_);
  if (running_ && !left_ && endpoint_ && kept.rank.epoch > 0) around_.keep(endpoint_->id, address_, kept);
}

void EndpointAddress::report(const ClaimReport& report) {
  const std::lock_guard lock(mutex_);
  if (report.why == "reserved") lost_ = false;
  if (report.why == "owned") {
    const bool was_lost = std::exchange(lost_, false);
    if ((std::exchange(doubted_, false) || was_lost) && running_ && endpoint_)
      say_of_endpoint(endpoint_->id, "address " + address_.to_string() + " is its own again");
    return;
  }
  if (report.of_rival) return report_rival(report);
  if (report.state != State::doubtful || !running_ || !endpoint_) return;
  doubted_ = true;
  around_.metrics.count(Event::doubts);
  say_of_endpoint(endpoint_->id, "address " + address_.to_string() + ": " + std::string(doubt_reason(report.why)) +
                                     ": off its link until it is known that nobody else has it");
}

void EndpointAddress::report_rival(const ClaimReport& report) {
  const bool known = rival_ == report.rival;
  rival_ = report.rival;
  const std::string what = "address " + address_.to_string() + ": " + name_of(rival_);
  if (report.state == State::lost) {
    // Asked for again and again until it is free: one loss.
    if (std::exchange(lost_, true) || !endpoint_) return;
    if (!running_) return around_.lost(endpoint_->id);
    around_.metrics.count(Event::lost_addresses);
    return say_of_endpoint(endpoint_->id, what + " has it now (" + std::string(report.why) +
                                              "); taken off the container until nobody else has it");
  }
  contested_ = report.rival;
  if (!running_ || !endpoint_) return;
  around_.metrics.count(Event::rivals);
  const auto now = std::chrono::steady_clock::now();
  if (known && said_at_ && now - *said_at_ < kSaidEvery) return;
  said_at_ = now;
  say_of_endpoint(endpoint_->id, what + " uses it, too");
}

}  // namespace plumb::driver
