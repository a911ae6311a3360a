#include "tests/sim/lan.h"

#include <algorithm>

namespace plumb::sim {

void Timeline::at(Time when, std::function<void()> what) {
  queue_.push({std::max(when, now_), ++number_, std::move(what)});
}

void Timeline::run(Time until, const std::function<void()>& after) {
  while (!queue_.empty() && queue_.top().when <= until) {
    const auto event = queue_.top();
    queue_.pop();
    now_ = event.when;
    event.what();
    after();
  }
  now_ = until;
}

Lan::Lan(Timeline& time, std::mt19937_64& random, std::size_t nodes, double loss, double slow, Arrived arrived)
    : time_(time),
      random_(random),
      loss_(loss),
      slow_(slow),
      arrived_(std::move(arrived)),
      groups_(nodes + 2, 0),
      carrier_(nodes + 2, true),
      forwards_(nodes + 2, true) {}

void Lan::begin_to_chat() {
  time_.at(Time(random_() % 1'000'000), [this] { chat(gateway()); });
  time_.at(Time(random_() % 5'000'000), [this] { chat(gateway() + 1); });
}

void Lan::chat(std::size_t host) {
  broadcast({.kind = Frame::Kind::chat, .from = host});
  const Time pause =
      host == gateway() ? Time(300'000 + random_() % 1'200'000) : Time(2'000'000 + random_() % 6'000'000);
  time_.at(time_.now() + pause, [this, host] { chat(host); });
}

bool Lan::hears(std::size_t from, std::size_t to) const {
  return carrier_[from] && carrier_[to] && forwards_[from] && forwards_[to] && groups_[from] == groups_[to] &&
         !cuts_.contains({from, to});
}

void Lan::cut(std::size_t from, std::size_t to, bool is_cut) {
  if (is_cut)
    cuts_.insert({from, to});
  else
    cuts_.erase({from, to});
}

Time Lan::delay() {
  if (slow_ > 0 && std::uniform_real_distribution<>()(random_) < slow_) return Time(160'000 + random_() % 80'000);
  return Time(50 + random_() % 4950);
}

void Lan::broadcast(const Frame& frame) {
  for (std::size_t to = 0; to < hosts(); ++to)
    if (to != frame.from) unicast(frame, to);
}

void Lan::unicast(const Frame& frame, std::size_t to) {
  if (!hears(frame.from, to)) return;
  if (loss_ > 0 && std::uniform_real_distribution<>()(random_) < loss_) return;
  auto& last = last_arrival_[{frame.from, to}];
  last = std::max(last + Time(1), time_.now() + delay());
  time_.at(last, [this, frame, to] { arrive(frame, to); });
}

void Lan::arrive(const Frame& frame, std::size_t to) {
  if (!hears(frame.from, to)) return;
  if (to == gateway() && frame.kind == Frame::Kind::gateway_request)
    unicast({.kind = Frame::Kind::gateway_answer, .from = to}, frame.from);
  arrived_(frame, to);
}

}  // namespace plumb::sim
