#include "plugin/watch/held_claim.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "netns/address/address.h"
#include "netns/address/route.h"
#include "netns/lan/announce.h"
#include "netns/socket/route_socket.h"
#include "plugin/claim/claim_book.h"
#include "plugin/claim/claim_settings.h"

namespace plumb::watch {

namespace {

netns::Family family_of(const IpAddress& address) { return address.is_v6() ? netns::Family::v6 : netns::Family::v4; }

// Of all books: they are written by the runner's thread, and by the watcher's.
std::mutex& book_mutex() {
  static std::mutex mutex;
  return mutex;
}

// Whole LANs are heard from a macvlan on the uplink; on a bridge from the bridge itself, and nothing is made upon a
// device that the service only has an address on.
Voice voice_of(const std::shared_ptr<const netns::Namespace>& ns, const Claim& claim) {
  if (claim.uplink.empty()) return voice_inside(ns, claim.service + " " + claim.container, claim.device);
  if (claim.own_device || claim.mode == IpMode::bridge) return voice_at(claim.uplink);
  return voice_on(claim.uplink, claim.mode);
}

}  // namespace

// The address on its link.
class HeldClaim::Link {
 public:
  Link(const ClaimContext& context, const std::shared_ptr<const netns::Namespace>& ns, const Claim& claim)
      : withheld_(context.withheld), metrics_(context.metrics), sockets_(context.sockets->of(ns)), claim_(claim) {
    if (!claim.on_link) withhold();
  }
  ~Link() { give_back(); }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // It is there, or is not the claim's to put back.
  void give_back() {
    if (off_.exchange(false)) withheld_->remove(claim_.service, claim_.cidr.address());
  }

  Result<void> put_on() {
    auto put = sockets_->talk([&](netns::RouteSocket& socket) -> Result<void> {
      TRY(netns::add_address(socket, claim_.ifindex, claim_.cidr, {claim_.extra_route, true, claim_.no_source}));
      for (const auto& route : routes_) TRY(netns::replace_route(socket, route));
      return {};
    });
    if (put) give_back();
    return put;
  }

  // Its namespace may be gone, and the address with it.
  void take_off() {
    withhold();
    [[maybe_unused]] const auto removed = sockets_->talk([&](netns::RouteSocket& socket) {
      // The default route, and what leads the address out by its own link.
      if (auto routes = netns::lasting_routes(socket, family_of(claim_.cidr.address()), claim_.ifindex))
        routes_ = *std::move(routes);
      return netns::remove_address(socket, claim_.ifindex, claim_.cidr);
    });
  }

  // Never what is not there any more: a verb that withdraws it may be at work, or have been.
  void announce() {
    const UniqueFd lock(::open(("/run/plumb/" + claim_.service + ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!lock || ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0 || !is_there()) return;
    if (!announcer_) {
      auto socket = sockets_->announcing();
      if (!socket) return;
      announcer_.emplace(*std::move(socket),
                         netns::Announcement{claim_.ifindex, claim_.mac, claim_.cidr.address(), claim_.gateway, {}});
    }
    metrics_.count(Event::announced_frames, announcer_->send());
  }

  [[nodiscard]] std::vector<CarrierSeen> carriers() const {
    const std::lock_guard lock(book_mutex());
    return claim_.carriers;
  }

  // What is lost when it cannot be written is the rank that this watcher's successor would go on with.
  void keep(const claim::Kept& kept) {
    const std::lock_guard lock(book_mutex());
    auto book = read_claim_book(claim_.service);
    if (!book) return;
    (*book)[claim_.cidr.address()] = {kept, claim_.carriers};
    [[maybe_unused]] const auto written = write_claim_book(claim_.service, *book);
  }

  void recall(const std::vector<CarrierSeen>& booked) {
    const std::lock_guard lock(book_mutex());
    for (const auto& before : booked)
      for (auto& now : claim_.carriers)
        if (before.device == now.device && before.index == now.index) now = before;
  }

  void note(const std::vector<CarrierSeen>& carriers) {
    const std::lock_guard lock(book_mutex());
    for (const auto& now : carriers)
      for (auto& before : claim_.carriers)
        if (before.device == now.device) before = now;
    auto book = read_claim_book(claim_.service);
    if (!book) return;
    const auto mine = book->find(claim_.cidr.address());
    if (mine == book->end() || mine->second.carriers == claim_.carriers) return;
    mine->second.carriers = claim_.carriers;
    [[maybe_unused]] const auto written = write_claim_book(claim_.service, *book);
  }

 private:
  void withhold() {
    if (!off_.exchange(true)) withheld_->add(claim_.service, claim_.cidr.address());
  }

  [[nodiscard]] bool is_there() {
    const auto there = sockets_->talk(
        [&](netns::RouteSocket& socket) { return netns::has_address(socket, claim_.ifindex, claim_.cidr.address()); });
    return there && *there;
  }

  std::shared_ptr<Withheld> withheld_;
  Metrics& metrics_;
  std::shared_ptr<NamespaceSockets> sockets_;
  Claim claim_;
  std::atomic<bool> off_ = false;
  std::vector<netns::Route> routes_;  // that went with the address
  std::optional<netns::Announcer> announcer_;
};

Result<std::shared_ptr<HeldClaim>> HeldClaim::open(const ClaimContext& context,
                                                   const std::shared_ptr<const netns::Namespace>& ns,
                                                   const Claim& claim) {
  const auto link = std::make_shared<Link>(context, ns, claim);
  const auto news = [claim, tell = context.tell](std::string why, claim::State state, std::optional<ClaimRival> rival,
                                                 std::optional<Error> error) {
    tell({claim.service, claim.resource, claim.cidr.address(), claim.conflict, std::move(why), state, std::move(rival),
          std::move(error)});
  };
  ClaimHooks hooks;
  hooks.put_on = [link, news]() -> Result<void> {
    auto put = link->put_on();
    if (put) return put;
    link->give_back();  // what is missing there is the healer's again
    news("not put back", claim::State::withdrawn, {}, put.error());
    return put;
  };
  hooks.take_off = [link] { link->take_off(); };
  hooks.announce = [link] { link->announce(); };
  hooks.keep = [link](const claim::Kept& kept) { link->keep(kept); };
  hooks.report = [news](const ClaimReport& report) { news(std::string(report.why), report.state, report.rival, {}); };
  auto how = claim_settings(claim.probe, claim.conflict, claim.announce, claim.hello);
  how.retry = true;
  const auto booked = [&] {
    const std::lock_guard lock(book_mutex());
    // Without its rank it begins anew.
    const auto book = read_claim_book(claim.service).value_or(ClaimBook());
    const auto found = book.find(claim.cidr.address());
    return found == book.end() ? BookedClaim{} : found->second;
  }();
  const auto id = TRY(context.runner->resume(
      voice_of(ns, claim), {claim.cidr.address(), claim.gateway, claim_holder(claim.node, claim.service), claim.own},
      claim.mac, how, std::move(hooks), claim.carrier, claim.on_link, booked.kept));
  // As whoever had the claim before has noted them: the watcher compares.
  link->recall(booked.carriers);
  return std::shared_ptr<HeldClaim>(new HeldClaim(context.runner, link, id));  // NOLINT: private
}

void HeldClaim::compare(const std::vector<CarrierSeen>& now) {
  if (has_flapped(link_->carriers(), now)) runner_->flapped(id_);
  link_->note(now);
}

void HeldClaim::note(const CarrierSeen& carrier) { link_->note({carrier}); }

HeldClaim::~HeldClaim() { end(); }

void HeldClaim::end() {
  if (const auto runner = std::exchange(runner_, nullptr)) runner->drop(id_);
}

void HeldClaim::withdraw() {
  if (const auto runner = std::exchange(runner_, nullptr)) runner->withdraw(id_);
}

void HeldClaim::adopt() {
  runner_->adopt(id_);
  link_->give_back();
}

}  // namespace plumb::watch
