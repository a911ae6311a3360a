#include "plugin/watch/turns.h"

#include <algorithm>

namespace plumb::watch {

std::vector<std::string> Turns::begin(std::vector<Waiting> waiting) {
  std::stable_sort(waiting.begin(), waiting.end(),
                   [](const Waiting& a, const Waiting& b) { return a.since < b.since; });
  std::vector<std::string> out;
  for (const auto& one : waiting) {
    auto lane = taken_.find(one.lane);
    if (lane == taken_.end()) lane = taken_.emplace(one.lane, 0).first;
    if (lane->second >= places_) continue;
    ++lane->second;
    out.emplace_back(one.service);
  }
  return out;
}

void Turns::give_back(const std::string& lane) {
  const auto found = taken_.find(lane);
  if (found != taken_.end() && --found->second == 0) taken_.erase(found);
}

}  // namespace plumb::watch
