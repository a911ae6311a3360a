// Site: nodes that run a service by the real planner, the real watch decisions, the real claim and the real hand-over,
// over models of kernel and engine (tests/sim/host.h), of processes, and of the LAN, in virtual time.
//
// What is the simulator's own is what plugin/verb/verb.cc, executor.cc and plugin/watch/healer.cc do around these: the
// lock, the order of steps, undo, when a watcher looks. A step takes its time, fails or hangs; a process dies between
// any two effects. Threads: one. Privilege: none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "specs/claim/machine.h"
#include "specs/plan/verb.h"
#include "tests/sim/lan.h"

namespace plumb::sim {

class SiteNode;

struct SiteSettings {
  std::size_t nodes = 2;
  double loss = 0;
  bool on_node = false;  // the address is of type host, without containers
  bool handover = false;
  claim::Settings machine;  // the watcher's
  // Each is on in the product.
  bool claim_first = true;    // an address waits for its claim
  bool gives_last = true;     // who yields says so after it has withdrawn
  bool word_needed = true;    // who hears nothing takes nothing
  bool watcher_waits = true;  // heals are held back after failures
};

class Site {
 public:
  Site(const SiteSettings& settings, std::uint64_t seed);
  ~Site();

  void at(Time when, std::function<void()> what) { time_.at(when, std::move(what)); }
  void run(Time until);
  [[nodiscard]] Time now() const { return time_.now(); }
  [[nodiscard]] Lan& lan() { return lan_; }
  [[nodiscard]] SiteNode& node(std::size_t index) { return *nodes_[index]; }
  [[nodiscard]] std::size_t nodes() const { return nodes_.size(); }
  [[nodiscard]] const SiteSettings& settings() const { return settings_; }
  [[nodiscard]] std::mt19937_64& random() { return random_; }
  [[nodiscard]] Timeline& time() { return time_; }
  [[nodiscard]] Time between(double low, double high);  // seconds

  // Of a node: it says that the address is its own.
  void claims(std::size_t node);
  // Its kernel answers now, without a claim or a word that allows it.
  void unclaimed(std::size_t node, const char* why);
  void say(std::size_t node, const std::string& what);

  // Also told of each frame that arrives.
  void on_frame(Lan::Arrived heard) { heard_ = std::move(heard); }

  // What came of it.
  struct Account {
    Time doubled{0};         // the longest time for which two that hear each other answered
    unsigned unclaimed = 0;  // addresses that were put on a link, or stayed there, without an owned claim
    unsigned early = 0;      // claiming frames while another node that hears them had the address
    unsigned heals = 0;      // that were begun
    std::optional<Time> one_since = {};
  };
  [[nodiscard]] const Account& account() const { return account_; }
  Account& count() { return account_; }
  [[nodiscard]] bool answers(std::size_t node) const;
  // The nodes that the service is whole on, with nobody else's kernel answering.
  [[nodiscard]] std::vector<std::size_t> whole() const;

  void trace(bool on) { traces_ = on; }
  [[nodiscard]] const std::string& story() const { return story_; }

 private:
  void check();

  SiteSettings settings_;
  std::mt19937_64 random_;
  Timeline time_;
  Lan lan_;
  std::vector<std::unique_ptr<SiteNode>> nodes_;
  Lan::Arrived heard_;
  Account account_;
  std::optional<Time> double_since_;
  bool traces_ = false;
  std::string story_;
};

}  // namespace plumb::sim
