// World: two to five nodes on a LAN in virtual time, each with the real claim machine over a model of its kernel, its
// process and what its address waits for.
//
// Nothing here decides over a claim. A kernel answers for an address that is on its link, whether or not a process
// lives; a process stands still, dies and comes again. Threads: one. Privilege: none.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "specs/claim/machine.h"
#include "tests/sim/lan.h"

namespace plumb::sim {

struct WorldSettings {
  std::size_t nodes = 2;
  double loss = 0;  // of each frame to each receiver
  double slow = 0;  // the share of frames that take 160 to 240 ms
  claim::Settings machine;
  bool keeps = true;        // rule 10: the rank outlives the process
  bool reads_first = true;  // rule 8: what was queued is read before anything is decided
};

// Two that answer for the address and can hear each other.
struct Double {
  Time begin;
  Time length;
};

class World {
 public:
  World(const WorldSettings& settings, std::uint64_t seed);
  ~World();

  // At a time, what happens; all of it is planned before run().
  void at(Time when, std::function<void()> what) { time_.at(when, std::move(what)); }
  void run(Time until);

  // Deciders and operators.
  void start(std::size_t node);
  void withdraw(std::size_t node);
  void set_wait(std::size_t node, Time wait);  // for an image, an engine, a container

  // Faults.
  [[nodiscard]] Lan& lan() { return lan_; }
  void set_carrier(std::size_t node, bool up);
  void set_forwarding(std::size_t node, bool forwards);
  void stop_process(std::size_t node);
  void continue_process(std::size_t node);
  void kill_process(std::size_t node);  // comes again after a second
  void pause_machine(std::size_t node);
  void resume_machine(std::size_t node, bool noticed);
  void power_off(std::size_t node);

  [[nodiscard]] Time now() const { return time_.now(); }
  // Those whose kernel answers for the address.
  [[nodiscard]] std::vector<std::size_t> owners() const;
  [[nodiscard]] const std::vector<Double>& doubles() const { return doubles_; }
  // How often an owner that had been well for two seconds, on a LAN that it hears and that hears it, lost its claim.
  [[nodiscard]] std::size_t displaced() const { return displaced_; }
  // A host that has the address from now on, and is no plumb.
  void put_rival(std::size_t host);
  // Since when exactly one of those has been so; nothing: it is none, or more.
  [[nodiscard]] std::optional<Time> one_since() const { return one_since_; }
  // A loss of an owned address that nobody was told of.
  [[nodiscard]] bool silent_loss() const { return silent_loss_; }
  // What happened, for people; only with trace(true).
  void trace(bool on) { traces_ = on; }
  [[nodiscard]] const std::string& story() const { return story_; }

 private:
  enum class Process { runs, stopped, dead };
  struct Node {
    std::unique_ptr<claim::Machine> machine;
    Process process = Process::runs;
    bool machine_runs = true;
    bool powered = true;
    bool on_link = false;
    bool wanted = false;
    bool carrier_seen = true;  // as the process knows it
    unsigned downs = 0;        // carrier_down_count
    unsigned downs_seen = 0;
    Time wait{300'000};
    bool ready = false;  // what is waited for is there, though a process that stands still has not seen it
    Time paused_at{0};
    Time tick_at{0};
    unsigned generation = 0;  // of the process
    std::vector<Frame> unread;
    claim::Kept kept;
    std::optional<Time> well_since;  // hears the gateway and is heard, and runs
    std::optional<Time> owns_since;
  };
  [[nodiscard]] bool answers(const Node& node, std::size_t index) const;
  void say(std::size_t node, const std::string& what);
  void arrive(const Frame& frame, std::size_t to);
  void read(std::size_t index, const Frame& frame);
  void read_unread(std::size_t index);
  void carry_out(std::size_t index);
  void plan_tick(std::size_t index);
  void tick(std::size_t index, unsigned generation, Time at);
  void new_process(std::size_t index);
  void come_again(std::size_t index, unsigned generation);
  void wake(std::size_t index, Time gap, bool noticed);
  void await(std::size_t index);
  void carrier_event(std::size_t index, unsigned generation, bool up);
  void check();

  WorldSettings settings_;
  std::mt19937_64 random_;
  Timeline time_;
  Lan lan_;
  std::vector<Node> nodes_;
  std::optional<Time> double_since_;
  std::vector<Double> doubles_;
  std::optional<Time> one_since_;
  bool silent_loss_ = false;
  std::size_t displaced_ = 0;
  std::set<std::size_t> rivals_;
  bool traces_ = false;
  std::string story_;
};

}  // namespace plumb::sim
