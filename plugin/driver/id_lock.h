// Turn: calls about one endpoint take turns; the engine repeats a call that it has no answer for.
//
// For networks.h only. Threads: safe from any. Privilege: none.
#pragma once

#include "plugin/driver/networks.h"

namespace plumb::driver {

class Networks::Turn {
 public:
  Turn(Networks& networks, std::string id) : networks_(networks), id_(std::move(id)) {
    std::unique_lock lock(networks_.mutex_);
    networks_.turns_.wait(lock, [&] { return !networks_.busy_.contains(id_); });
    networks_.busy_.insert(id_);
  }
  ~Turn() {
    {
      const std::lock_guard lock(networks_.mutex_);
      networks_.busy_.erase(id_);
    }
    networks_.turns_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Networks& networks_;
  std::string id_;
};

}  // namespace plumb::driver
