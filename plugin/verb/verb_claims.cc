#include "plugin/verb/verb_claims.h"

#include <poll.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "plugin/claim/claim_book.h"
#include "plugin/claim/claim_settings.h"
#include "specs/plan/own_macs.h"

namespace plumb {

VerbClaims::~VerbClaims() = default;

Result<ClaimRunner*> VerbClaims::runner() {
  const std::lock_guard lock(mutex_);
  if (!runner_) runner_ = TRY(ClaimRunner::open(service_.node));
  return runner_.get();
}

void VerbClaims::adopt(const Observed& seen) {
  const std::lock_guard lock(mutex_);
  for (const auto& ip : service_.ips) own_[ip.id] = own_macs(ip, seen);
}

Result<std::optional<ClaimRival>> VerbClaims::ask(const IpResource& ip, const Voice& voice, const IpAddress& address,
                                                  const std::optional<IpAddress>& gateway,
                                                  const std::stop_token& stop) {
  const auto id =
      TRY(begin(&ClaimRunner::ask, ip, voice, {address, gateway, claim_holder(service_.node, service_.name), {}}));
  return await(address, id, stop);
}

Result<void> VerbClaims::expect(const IpResource& ip, const Voice& voice, const IpAddress& address) {
  TRY(begin(&ClaimRunner::expect, ip, voice, {address, {}, claim_holder(service_.node, service_.name), {}}));
  return {};
}

Result<std::optional<VerbClaims::Taken>> VerbClaims::given_by(const std::set<std::string>& givers,
                                                              const std::stop_token& stop) {
  std::set<std::uint64_t> holders;
  for (const auto& node : givers) holders.insert(claim_holder(node, service_.name));
  std::vector<std::pair<IpAddress, ClaimRunner::Id>> expected;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [address, claim] : claims_)
      if (!claim.free) expected.emplace_back(address, claim.id);
  }
  for (const auto& [address, id] : expected) runner_->given(id, holders);
  for (const auto& [address, id] : expected)
    if (auto rival = TRY(await(address, id, stop))) {
      const std::lock_guard lock(mutex_);
      return std::optional<Taken>({claims_[address].ip, address, *rival});
    }
  return std::optional<Taken>{};
}

Result<ClaimRunner::Id> VerbClaims::begin(Begin how, const IpResource& ip, const Voice& voice, ClaimedAddress what) {
  auto* runner = TRY(this->runner());
  const auto address = what.address;
  std::optional<ClaimRunner::Id> before;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = claims_.find(address); found != claims_.end()) before = found->second.id;
    claims_[address] = {0, ip.id, ip.optional, false};
    what.own = own_[ip.id];
  }
  if (before) runner->drop(*before);
  auto settings = claim_settings(ip.probe, ip.conflict, {}, ip.hello);
  settings.announcements = 0;  // the verb's own step
  // What cannot be heard now is asked by who looks after the service later: here, a route would be lost with it.
  settings.asks_again = false;
  if (how == &ClaimRunner::expect) settings.rfc = false;
  ClaimHooks hooks;
  hooks.report = [this, address](const ClaimReport& report) { heard(address, report); };
  hooks.keep = [this, address](const claim::Kept& kept) {
    const std::lock_guard lock(mutex_);
    claims_[address].kept = kept;
  };
  const auto id = TRY((runner->*how)(voice, std::move(what), settings, std::move(hooks)));
  const std::lock_guard lock(mutex_);
  claims_[address].id = id;
  return id;
}

Result<std::optional<ClaimRival>> VerbClaims::await(const IpAddress& address, ClaimRunner::Id id,
                                                    const std::stop_token& stop) {
  auto rival = TRY(runner_->await_answer(id, stop));
  const std::lock_guard lock(mutex_);
  auto& claim = claims_[address];
  claim.free = !rival;
  // Whoever it was, the configuration says that it does not matter.
  return rival ? rival : claim.contested;
}

void VerbClaims::heard(const IpAddress& address, const ClaimReport& report) {
  bool ends = false;
  {
    const std::lock_guard lock(mutex_);
    auto& claim = claims_[address];
    if (claim::is_claiming(report.state) && report.of_rival) claim.contested = report.rival;
    ends = report.state == claim::State::lost && claim.free && !claim.optional;
    if (ends && !loss_) loss_ = Loss{claim.ip, address, report.rival};
  }
  if (ends) lost_.request_stop();
}

bool VerbClaims::has(const IpAddress& address) const {
  const std::lock_guard lock(mutex_);
  const auto found = claims_.find(address);
  return found != claims_.end() && found->second.free;
}

std::set<IpAddress> VerbClaims::free() const {
  const std::lock_guard lock(mutex_);
  std::set<IpAddress> out;
  for (const auto& [address, claim] : claims_)
    if (claim.free) out.insert(address);
  return out;
}

Result<std::optional<ClaimRival>> VerbClaims::put_on(const IpAddress& address, const Mac& mac,
                                                     std::function<Result<void>()> put_on,
                                                     std::function<void()> take_off, const std::stop_token& stop) {
  ClaimRunner::Id id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = claims_.at(address).id;
  }
  return runner_->put_on(id, mac, std::move(put_on), std::move(take_off), stop);
}

std::optional<VerbClaims::Loss> VerbClaims::loss() const {
  const std::lock_guard lock(mutex_);
  return loss_;
}

Result<void> VerbClaims::keep(const std::map<std::string, std::vector<CarrierSeen>>& carriers) {
  if (!runner_) return {};
  auto book = TRY(read_claim_book(service_.name));
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [address, claim] : claims_)
      if (claim.kept) {
        const auto seen = carriers.find(claim.ip);
        book[address] = {*claim.kept, seen == carriers.end() ? std::vector<CarrierSeen>{} : seen->second};
      }
  }
  return write_claim_book(service_.name, book);
}

pid_t VerbClaims::pass_on() { return runner_ ? runner_->pass_on() : ::fork(); }

std::vector<int> VerbClaims::descriptors() const { return runner_ ? runner_->descriptors() : std::vector<int>{}; }

bool VerbClaims::go_on(std::chrono::milliseconds time, int wake, const std::function<bool(const IpAddress&)>& there) {
  if (runner_) return runner_->go_on(time, wake, there);
  pollfd woken{wake, POLLIN, 0};
  ::poll(&woken, 1, static_cast<int>(time.count()));
  return true;
}

bool VerbClaims::announces(const IpAddress& address) const {
  const auto found = claims_.find(address);
  return found == claims_.end() || runner_->state(found->second.id) == claim::State::owned;
}

void VerbClaims::withdraw() {
  if (!runner_) return;
  for (const auto& [address, claim] : claims_) runner_->withdraw(claim.id);
}

}  // namespace plumb
