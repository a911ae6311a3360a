// Timeline and Lan: virtual time, and a LAN in it.
//
// A frame takes its time, is lost, or is heard by some only; none overtakes another of its sender. A carrier is out, a
// port does not forward yet. tests/sim/contract.h holds the same against real namespaces. Threads: one. Privilege:
// none.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "specs/claim/claim.h"

namespace plumb::sim {

using claim::Time;

class Timeline {
 public:
  void at(Time when, std::function<void()> what);
  // Until then; `after` each event.
  void run(Time until, const std::function<void()>& after);
  [[nodiscard]] Time now() const { return now_; }

 private:
  struct Event {
    Time when;
    std::uint64_t number = 0;
    std::function<void()> what;
    friend bool operator>(const Event& a, const Event& b) {
      return a.when != b.when ? a.when > b.when : a.number > b.number;
    }
  };
  std::priority_queue<Event, std::vector<Event>, std::greater<>> queue_;
  Time now_{0};
  std::uint64_t number_ = 0;
};

struct Frame {
  enum class Kind {
    chat,
    gateway_request,
    gateway_answer,
    probe,
    use,
    hello,
    gone,
    handover_request,
    handover_withdrawn
  };
  Kind kind = Kind::chat;
  std::size_t from = 0;
  claim::Saying saying = {};
  std::vector<claim::Saying> relayed = {};
  std::uint64_t number = 0;  // of a hand-over
};

// Of some nodes, the gateway after them, and one more host that only says something at times.
class Lan {
 public:
  using Arrived = std::function<void(const Frame&, std::size_t to)>;
  // `loss`: of each frame to each receiver; `slow`: the share of frames that take 160 to 240 ms.
  Lan(Timeline& time, std::mt19937_64& random, std::size_t nodes, double loss, double slow, Arrived arrived);

  void broadcast(const Frame& frame);
  void unicast(const Frame& frame, std::size_t to);
  void begin_to_chat();

  void set_group(std::size_t host, int group) { groups_[host] = group; }  // hosts of two groups hear nothing
  void cut(std::size_t from, std::size_t to, bool is_cut);
  void set_carrier(std::size_t host, bool up) { carrier_[host] = up; }
  void set_forwarding(std::size_t host, bool forwards) { forwards_[host] = forwards; }
  void set_loss(double loss) { loss_ = loss; }

  [[nodiscard]] std::size_t gateway() const { return groups_.size() - 2; }
  [[nodiscard]] std::size_t hosts() const { return groups_.size(); }
  [[nodiscard]] bool carrier(std::size_t host) const { return carrier_[host]; }
  [[nodiscard]] bool forwards(std::size_t host) const { return forwards_[host]; }
  [[nodiscard]] bool hears(std::size_t from, std::size_t to) const;

 private:
  void arrive(const Frame& frame, std::size_t to);
  void chat(std::size_t host);
  [[nodiscard]] Time delay();

  Timeline& time_;
  std::mt19937_64& random_;
  double loss_;
  double slow_;
  Arrived arrived_;
  std::vector<int> groups_;
  std::vector<bool> carrier_, forwards_;
  std::set<std::pair<std::size_t, std::size_t>> cuts_;
  std::map<std::pair<std::size_t, std::size_t>, Time> last_arrival_;
};

}  // namespace plumb::sim
