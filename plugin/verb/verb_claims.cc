#include "plugin/verb/verb_claims.h"

#include <utility>

#include "plugin/claim/claim_book.h"
#include "plugin/claim/claim_settings.h"

namespace plumb {

VerbClaims::~VerbClaims() = default;

Result<ClaimRunner*> VerbClaims::runner() {
  const std::lock_guard lock(mutex_);
  if (!runner_) runner_ = TRY(ClaimRunner::open(service_.node));
  return runner_.get();
}

Result<std::optional<ClaimRival>> VerbClaims::ask(const IpResource& ip, const Voice& voice, const IpAddress& address,
                                                  const std::optional<IpAddress>& gateway,
                                                  const std::stop_token& stop) {
  auto* runner = TRY(this->runner());
  {
    const std::lock_guard lock(mutex_);
    claims_[address] = {0, ip.id, ip.optional, false, {}, {}};
  }
  auto how = claim_settings(ip.probe, ip.conflict, {}, ip.hello);
  how.announcements = 0;  // the verb's own step
  // What cannot be heard now is asked by who looks after the service later: here, a route would be lost with it.
  how.asks_again = false;
  ClaimHooks hooks;
  hooks.report = [this, address](const ClaimReport& report) { heard(address, report); };
  const auto id = TRY(
      runner->ask(voice, {address, gateway, claim_holder(service_.node, service_.name), {}}, how, std::move(hooks)));
  auto rival = TRY(runner->await_answer(id, stop));
  const std::lock_guard lock(mutex_);
  auto& claim = claims_[address];
  claim.id = id;
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

Result<void> VerbClaims::keep() {
  if (!runner_) return {};
  auto book = read_claim_book(service_.name);
  for (const auto& [address, claim] : claims_) {
    runner_->drop(claim.id);
    if (claim.kept) book[address] = *claim.kept;
  }
  return write_claim_book(service_.name, book);
}

void VerbClaims::withdraw() {
  if (!runner_) return;
  for (const auto& [address, claim] : claims_) runner_->withdraw(claim.id);
}

}  // namespace plumb
