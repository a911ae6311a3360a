#include "plugin/watch/rounds.h"

#include <algorithm>

#include "plugin/verb/announce_later.h"

namespace plumb::watch {

namespace {

milliseconds interval_of(const std::vector<Claimed>& claimed) {
  milliseconds out{0};
  for (const auto& c : claimed) out = std::max(out, c.policy.interval);
  return out;
}

}  // namespace

void Rounds::follow(std::vector<Claimed> claimed, std::string lock_path, const Generation& generation) {
  if (claimed.empty()) return;
  for (const auto& c : claimed) metrics_.count(Event::announced_frames, c.announcer.sent());
  const auto due = Clock::now() + interval_of(claimed);
  runs_.push_back({std::move(claimed), std::move(lock_path), generation, 1, due});
}

Result<void> Rounds::announce(const std::string& service, const Sentinel& sentinel, const Claim& claim,
                              unsigned rounds) {
  if (rounds == 0) return {};
  auto announcer =
      TRY(netns::Announcer::open(*sentinel.ns, {claim.ifindex, claim.mac, claim.address, claim.gateway, {}}));
  Run run;
  run.lock_path = TRY(run_directory()) + "/" + service + ".lock";
  run.generation = current_generation(run.lock_path.c_str());
  run.claimed.push_back({std::move(announcer), {rounds, claim.announce.interval}});
  if (send(run))
    runs_.push_back(std::move(run));
  else
    close_later(std::move(run.claimed));
  return {};
}

bool Rounds::send(Run& run) {
  const auto sent = send_round(run.claimed, run.round, run.lock_path.c_str(), run.generation);
  metrics_.count(Event::announced_frames, sent.frames);
  ++run.round;
  run.due = Clock::now() + interval_of(run.claimed);
  return sent.ours && std::any_of(run.claimed.begin(), run.claimed.end(),
                                  [&](const Claimed& c) { return run.round < c.policy.count; });
}

void Rounds::send() {
  const auto now = Clock::now();
  const auto over =
      std::stable_partition(runs_.begin(), runs_.end(), [&](Run& run) { return run.due > now || send(run); });
  for (auto run = over; run != runs_.end(); ++run) close_later(std::move(run->claimed));
  runs_.erase(over, runs_.end());
}

std::optional<Time> Rounds::due() const {
  const auto first =
      std::min_element(runs_.begin(), runs_.end(), [](const Run& a, const Run& b) { return a.due < b.due; });
  return first == runs_.end() ? std::nullopt : std::optional(first->due);
}

}  // namespace plumb::watch
