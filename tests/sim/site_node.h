// SiteNode: one node of a Site: its host, the verbs that run on it one after the other, its watcher, and the process
// that yields the addresses.
//
// Threads: one. Privilege: none.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugin/watch/decision.h"
#include "specs/claim/handover.h"
#include "specs/plan/plan.h"
#include "tests/sim/claimant.h"
#include "tests/sim/host.h"
#include "tests/sim/site.h"

namespace plumb::sim {

class VerbRun;

class SiteNode {
 public:
  SiteNode(Site& site, std::size_t index, Service service);
  ~SiteNode();

  // A verb, as a process of its own, after those that run.
  void run(Verb verb);
  void kill_verb();
  // migrate_to: a process waits for a request.
  void yield_when_asked();
  // The next verb's step of that number fails, or hangs for so long.
  void spoil(unsigned step, std::optional<Time> hang);

  void kill_watcher();  // comes again after a second
  void set_carrier(bool up);
  void end_container(const std::string& resource);
  void end_engine(Time until);
  void remove_address();  // a stranger does
  void power_off();

  void hear(const Frame& frame);
  [[nodiscard]] Host& host() { return host_; }
  [[nodiscard]] const Host& host() const { return host_; }
  [[nodiscard]] bool powered() const { return powered_; }
  [[nodiscard]] bool idle() const { return run_ == nullptr; }
  [[nodiscard]] bool last_failed() const { return last_failed_; }
  // Addresses on the link whose claim, of a process that lives, is not in state owned.
  [[nodiscard]] bool is_contradicted() const;

  // Of a run.
  void ended(bool well, bool changed, const std::string& failed_step);
  [[nodiscard]] std::shared_ptr<Claimant> make_claimant(const claim::Settings& settings, ClaimantHooks hooks);
  [[nodiscard]] Site& site() { return site_; }
  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] bool after_a_kill() const { return after_a_kill_; }
  std::optional<claim::HandoverGiver>& giver() { return giver_; }
  void give(std::uint64_t number);
  claim::Kept& kept() { return kept_; }
  struct Spoiled {
    unsigned step;
    std::optional<Time> hang;
  };
  std::optional<Spoiled>& spoiled() { return spoiled_; }

 private:
  struct Asked {
    Verb verb;
    std::uint64_t yields_to = 0;
  };
  void begin_next();
  void heal(const watch::Decision& decision, bool withheld);
  void wake_watcher(Time later);
  void look();
  void look_now();
  void listen();
  void open_held();
  void forget();
  void give_on();
  [[nodiscard]] watch::Time watch_time() const;

  Site& site_;
  std::size_t index_;
  Host host_;
  bool powered_ = true;
  bool after_a_kill_ = false;
  bool started_ = false;
  bool last_failed_ = false;
  std::shared_ptr<VerbRun> run_;
  Verb verb_ = Verb::start;
  bool run_heals_ = false;
  std::uint64_t run_yields_to_ = 0;
  std::vector<Asked> asked_;
  std::optional<Spoiled> spoiled_;

  // The watcher.
  bool watches_ = true;
  unsigned generation_ = 0;
  bool busy_ = false;
  bool dirty_ = false;
  watch::Memory memory_;
  std::shared_ptr<Claimant> held_;
  bool off_ = false;
  bool carrier_seen_ = true;
  unsigned downs_ = 0;
  unsigned downs_seen_ = 0;
  claim::Kept kept_;

  bool yields_ = false;
  std::optional<claim::HandoverGiver> giver_;
};

}  // namespace plumb::sim
