// Withheld: the addresses of started services that are off their links because of their claims.
//
// Threads: safe from any. Privilege: none.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "specs/value/ip.h"

namespace plumb::watch {

class Withheld {
 public:
  // Before the address is taken off: by one claim more...
  void add(const std::string& service, const IpAddress& address) {
    const std::lock_guard lock(mutex_);
    ++all_[service][address];
  }
  // ...and after it has been put back, or is claimed no more: by one claim less.
  void remove(const std::string& service, const IpAddress& address) {
    const std::lock_guard lock(mutex_);
    auto& its = all_[service];
    if (const auto found = its.find(address); found != its.end() && --found->second == 0) its.erase(found);
    if (its.empty()) all_.erase(service);
  }
  [[nodiscard]] std::set<IpAddress> of(const std::string& service) const {
    const std::lock_guard lock(mutex_);
    std::set<IpAddress> out;
    if (const auto found = all_.find(service); found != all_.end())
      for (const auto& [address, claims] : found->second) out.insert(address);
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::map<IpAddress, unsigned>> all_;
};

}  // namespace plumb::watch
