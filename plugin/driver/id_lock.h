// IdLock: one call at a time about one endpoint, or one network: the engine repeats a call that it has no answer for,
// while the first may still run. Who has it first after a start of the driver looks at the endpoint (networks.h).
//
// For networks.h only. Threads: safe from any. Privilege: none.
#pragma once

#include "plugin/driver/networks.h"

namespace plumb::driver {

class Networks::IdLock {
 public:
  IdLock(Networks& networks, std::string id) : networks_(networks), id_(std::move(id)) {
    std::unique_lock lock(networks_.mutex_);
    networks_.id_freed_.wait(lock, [&] { return !networks_.busy_.contains(id_); });
    networks_.busy_.insert(id_);
    const bool unseen = networks_.unseen_.contains(id_);
    lock.unlock();
    if (unseen) networks_.look_first(id_);
  }
  ~IdLock() {
    {
      const std::lock_guard lock(networks_.mutex_);
      networks_.busy_.erase(id_);
    }
    networks_.id_freed_.notify_all();
  }
  IdLock(const IdLock&) = delete;
  IdLock& operator=(const IdLock&) = delete;

 private:
  Networks& networks_;
  std::string id_;
};

}  // namespace plumb::driver
