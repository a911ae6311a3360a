// VerbRun: a verb as plugin/verb/verb.cc and executor.cc run it, in virtual time: observe, plan, steps as early as
// their dependencies allow, verify, undo.
//
// Threads: one. Privilege: none.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "specs/claim/handover.h"
#include "specs/plan/plan.h"
#include "tests/sim/claimant.h"
#include "tests/sim/site_node.h"

namespace plumb::sim {

class VerbRun : public std::enable_shared_from_this<VerbRun> {
 public:
  // `withheld`: by the watcher's claim; `heals`: it is the watcher's.
  VerbRun(SiteNode& node, Service service, Verb verb, bool heals, bool withheld);

  void begin();
  // Its process is gone: nothing of it happens any more.
  void die();
  void hear(const Frame& frame);
  [[nodiscard]] const Claimant* claimant() const { return claimant_.get(); }

 private:
  void later(Time when, void (VerbRun::*what)());
  void observe_and_plan();
  void plan_now();
  void begin_steps();
  void begin_step(std::size_t step);
  void effect(std::size_t step);
  void finish(std::size_t step, bool well);
  void all_ended();
  void ask(std::size_t step);
  void request(std::size_t step);
  void add(std::size_t step);
  void claim_changed();
  void taker_on(Time when);
  void round(bool answered);
  void verify();
  void verify_now();
  void succeed();
  void fail();
  void undo_next();
  void end(bool well);
  [[nodiscard]] Time duration(const Step& step);

  SiteNode& node_;
  Service service_;
  Verb verb_;
  bool heals_;
  bool withheld_;
  bool alive_ = true;
  bool changed_ = false;
  bool failed_ = false;
  std::string failed_step_;
  Plan plan_;
  std::vector<Step> tidying_;
  std::vector<std::size_t> waiting_;
  std::vector<bool> running_;
  std::size_t active_ = 0;
  unsigned begun_ = 0;
  std::vector<Step> undo_;

  std::shared_ptr<Claimant> claimant_;
  bool free_ = false;
  std::optional<std::size_t> asking_, adding_, requesting_;
  std::optional<claim::HandoverTaker> taker_;
  std::optional<Time> round_until_;
  bool round_heard_ = false;
};

}  // namespace plumb::sim
