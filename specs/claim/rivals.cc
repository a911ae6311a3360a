#include "specs/claim/rivals.h"

#include <algorithm>

namespace plumb::claim {

namespace {

constexpr std::chrono::milliseconds kRelayed{500};

}  // namespace

bool Rivals::say(Time now, const Saying& saying, std::uint64_t from, bool first_hand) {
  if (const auto gone = gone_.find(saying.rank.id); gone != gone_.end() && now - gone->second < kOld) return false;
  if (!first_hand) {
    auto& known = claims_[saying.rank.id];
    if (now - known.at > kOld) known = {saying, now};
    return saying.state == State::owned;
  }
  claims_[saying.rank.id] = {saying, now};
  hellos_[from] = now;
  if (!is_claiming(saying.state)) return false;
  probed_.erase(from);
  used_.erase(from);
  return true;
}

bool Rivals::go(Time now, std::uint64_t id, std::uint64_t from) {
  const auto claim = claims_.find(id);
  const bool had = used_.contains(from) || (claim != claims_.end() && claim->second.saying.state == State::owned);
  if (claim != claims_.end()) claims_.erase(claim);
  gone_[id] = now;
  forget(from);
  return had;
}

void Rivals::forget(std::uint64_t from) {
  used_.erase(from);
  probed_.erase(from);
}

void Rivals::forget_kernels() {
  probed_.clear();
  used_.clear();
}

std::optional<Time> Rivals::last(Time since) const {
  std::optional<Time> last;
  for (const auto& [id, heard] : claims_)
    if (heard.at > since && is_claiming(heard.saying.state)) last = std::max(last.value_or(heard.at), heard.at);
  return last;
}

std::vector<Saying> Rivals::claims(Time now, Time since) const {
  std::vector<Saying> out;
  for (const auto& [id, heard] : claims_)
    if (heard.at > now - kOld && heard.at >= since && is_claiming(heard.saying.state)) out.push_back(heard.saying);
  return out;
}

std::vector<Saying> Rivals::owners(Time now) const {
  std::vector<Saying> out;
  for (const auto& [id, heard] : claims_)
    if (now - heard.at <= kRelayed && heard.saying.state == State::owned) out.push_back(heard.saying);
  return out;
}

bool Rivals::has_said_hello(std::uint64_t from, Time since) const {
  const auto hello = hellos_.find(from);
  return hello != hellos_.end() && hello->second >= since;
}

Rivals::Mute Rivals::mute_prober(Time now) const {
  auto out = Mute::nobody;
  for (const auto& [from, at] : probed_) {
    if (has_said_hello(from, at - kMute)) continue;
    if (now - at >= kHelloTime) return Mute::somebody;
    out = Mute::unknown;
  }
  return out;
}

Rivals::Mute Rivals::mute_user(Time now) {
  auto out = Mute::nobody;
  for (auto one = used_.begin(); one != used_.end();) {
    const auto [from, at] = *one;
    if (!has_said_hello(from, at - kMute) && now - at < kMute) {
      if (out == Mute::nobody) out = Mute::unknown;
      ++one;
      continue;
    }
    if (!has_said_hello(from, at - kMute)) out = Mute::somebody;
    one = used_.erase(one);
  }
  return out;
}

}  // namespace plumb::claim
