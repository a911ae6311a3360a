// What nobody asks for: endpoints that the engine has forgotten, and what may take its time.
#include "plugin/driver/endpoint_link.h"
#include "plugin/driver/id_lock.h"
#include "plugin/driver/log.h"
#include "plugin/driver/networks.h"

namespace plumb::driver {

void Networks::call_housekeeper() {
  const std::lock_guard lock(mutex_);
  housekeeper_called_ = true;
  housekeeper_wakeup_.notify_all();
}

// Called by a claim, which must not be called from here.
void Networks::lost_early(const std::string& id) {
  const std::lock_guard lock(mutex_);
  refused_.insert(id);
  housekeeper_called_ = true;
  housekeeper_wakeup_.notify_all();
}

// The same.
void Networks::keep_later(const std::string& id, const IpAddress& address, const claim::Kept& kept) {
  const std::lock_guard lock(mutex_);
  kept_[id].insert_or_assign(address, kept);
  housekeeper_called_ = true;
  housekeeper_wakeup_.notify_all();
}

void Networks::write_claims(const std::string& id, const std::map<IpAddress, claim::Kept>& claims) {
  const IdLock id_lock(*this, id);
  auto known = find_endpoint(id);
  if (!known) return;
  for (const auto& [address, kept] : claims) known->claims.insert_or_assign(address, kept);
  if (auto written = store_.put(RecordKind::endpoint, id, encode(*known)); !written)
    say_of_endpoint(id, written.error().what);
  const std::lock_guard lock(mutex_);
  endpoints_.insert_or_assign(id, *known);
}

// The engine has been told that all is well, and has not taken the link yet: without it, it gives the start up. What it
// says then is that it did not find the link, whose name has the endpoint's id; who has the address is in the log.
void Networks::refuse(const std::string& id) {
  const IdLock id_lock(*this, id);
  const auto known = find_endpoint(id);
  const auto rival = claims_->loss(id);
  if (!known || !rival || known->sandbox.empty()) return;  // Join refuses
  const auto where = find_endpoint_link(*known);
  if (!where || *where != Whereabouts::node) return;
  metrics_.count(Event::conflict);
  say_of_endpoint(id, "address " + rival->address.to_string() + ": " + rival->who +
                          " has claimed it while the container was being started; its link is removed");
  if (auto withheld = withhold_endpoint_link(*known); !withheld) say_of_endpoint(id, withheld.error().what);
}

void Networks::watch_over(const std::string& id, std::chrono::seconds after) {
  const std::lock_guard lock(mutex_);
  overdue_.insert_or_assign(id, Clock::now() + after);
  housekeeper_called_ = true;
  housekeeper_wakeup_.notify_all();
}

void Networks::engine_started() {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, endpoint] : endpoints_) {
    overdue_.insert_or_assign(id, Clock::now() + kEnginePatience);
    left_over_.insert(id);
  }
  housekeeper_called_ = true;
  housekeeper_wakeup_.notify_all();
}

// An endpoint that had time to arrive. One whose link is still here, or nowhere any more, has no container.
void Networks::collect(const std::string& id) {
  const IdLock id_lock(*this, id);
  const auto known = find_endpoint(id);
  if (!known) return;
  const auto where = find_endpoint_link(*known);
  if (!where || (*where != Whereabouts::node && *where != Whereabouts::nowhere)) return;
  say_of_endpoint(id, "no container uses it; cleared away");
  metrics_.count(Event::collected_endpoints);
  if (auto cleared = clear(*known); !cleared) say_of_endpoint(id, cleared.error().what);
}

void Networks::run_housekeeper(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    housekeeper_called_ = false;
    lock.unlock();
    auto next = claims_->expire();
    lock.lock();
    std::vector<std::string> due;
    for (const auto& [id, when] : overdue_) {
      if (when <= Clock::now())
        due.push_back(id);
      else
        next = std::min(next, when);
    }
    for (const auto& id : due) overdue_.erase(id);
    std::erase_if(gone_, [](const auto& one) { return one.second <= Clock::now(); });
    const auto refused = std::exchange(refused_, {});
    const auto kept = std::exchange(kept_, {});
    if (due.empty() && refused.empty() && kept.empty()) {
      const auto called = [&] { return housekeeper_called_; };
      if (next == Clock::time_point::max())
        housekeeper_wakeup_.wait(lock, stop, called);
      else
        housekeeper_wakeup_.wait_until(lock, stop, next, called);
      continue;
    }
    lock.unlock();
    for (const auto& id : due) collect(id);
    for (const auto& id : refused) refuse(id);
    for (const auto& [id, claims] : kept) write_claims(id, claims);
    lock.lock();
  }
}

}  // namespace plumb::driver
