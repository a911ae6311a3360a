// What nobody asks for: endpoints that the engine has forgotten, and what may take its time.
#include "plugin/driver/endpoint_link.h"
#include "plugin/driver/id_lock.h"
#include "plugin/driver/log.h"
#include "plugin/driver/networks.h"

namespace plumb::driver {

void Networks::close_later(UniqueFd socket) {
  const std::lock_guard lock(mutex_);
  to_close_.push_back(std::move(socket));
  housekeeper_called_ = true;
  housekeeper_wakeup_.notify_all();
}

void Networks::watch_over(const std::string& id) {
  const std::lock_guard lock(mutex_);
  overdue_.insert_or_assign(id, Clock::now() + kEnginePatience);
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
    auto next = Clock::time_point::max();
    std::vector<std::string> due;
    for (const auto& [id, when] : overdue_) {
      if (when <= Clock::now())
        due.push_back(id);
      else
        next = std::min(next, when);
    }
    for (const auto& id : due) overdue_.erase(id);
    std::erase_if(gone_, [](const auto& one) { return one.second <= Clock::now(); });
    std::erase_if(found_free_, [](const auto& one) { return one.second <= Clock::now(); });
    std::vector<UniqueFd> closing;
    closing.swap(to_close_);
    if (due.empty() && closing.empty()) {
      const auto called = [&] { return housekeeper_called_; };
      if (next == Clock::time_point::max())
        housekeeper_wakeup_.wait(lock, stop, called);
      else
        housekeeper_wakeup_.wait_until(lock, stop, next, called);
      housekeeper_called_ = false;
      continue;
    }
    lock.unlock();
    for (const auto& id : due) collect(id);
    closing.clear();
    lock.lock();
  }
}

}  // namespace plumb::driver
