#include "plugin/cluster/ocf.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "plugin/cluster/engine_view.h"
#include "plugin/cluster/kernel_view.h"
#include "plugin/cluster/ocf_code.h"
#include "plugin/cluster/remains.h"
#include "plugin/cluster/yield.h"
#include "plugin/node/service_lock.h"
#include "plugin/node/service_state.h"
#include "plugin/node/signals.h"
#include "plugin/node/time_limit.h"
#include "plugin/output/console.h"
#include "plugin/output/output.h"
#include "plugin/verb/doctor.h"
#include "plugin/verb/observer.h"
#include "plugin/verb/spec_file.h"
#include "plugin/verb/started.h"
#include "plugin/verb/traces.h"
#include "plugin/verb/verb.h"

namespace plumb {

namespace {

constexpr milliseconds kDefaultTimeout{20'000};    // Pacemaker's own
constexpr milliseconds kHandoverPatience{10'000};  // who has the addresses was told before: see migrate_to
constexpr long kDeepCheck = 10;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string(value);
}

long number(const char* name, long otherwise) {
  const std::string text = environment(name);
  long out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() ? out : otherwise;
}

std::string reason(const Error& error) { return error.what + (error.next.empty() ? "" : "; " + error.next); }

OcfVerdict verdict(const Error& error) { return {ocf_code(error.kind), reason(error)}; }

// Why it is not whole, a few words for each thing.
std::string reasons(const ServiceStatus& status) {
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  for (const auto& problem : status.problems) add(problem);
  for (const auto& r : status.resources) {
    if (r.optional || r.state == Availability::up || r.state == Availability::disabled) continue;
    add(r.id + (r.problems.empty() ? " is " + std::string(to_string(r.state)) : ": " + r.problems.front()));
  }
  return out.empty() ? std::string(to_string(status.state)) : out;
}

class Agent {
 public:
  Agent() : what_(environment("OCF_RESKEY_service")) {
    if (const auto dir = environment("OCF_RESKEY_config_dir"); !dir.empty()) place_.config_dir = dir;
    place_.node = environment("OCF_RESKEY_node");
    name_ = std::filesystem::path(what_).filename();
    if (name_.ends_with(".conf")) name_.resize(name_.size() - 5);
    timeout_ = milliseconds(number("OCF_RESKEY_CRM_meta_timeout", 0));
  }

  OcfVerdict run(const std::string& action) {
    const bool known = action == "start" || action == "stop" || action == "monitor" || action == "status" ||
                       action == "validate-all" || action == "reload-agent" || action == "migrate_to" ||
                       action == "migrate_from";
    if (!known) return {OcfCode::unimplemented, "there is no action \"" + action + "\""};
    if (name_.empty()) return {OcfCode::configured, "the parameter service is not set"};
    if (action == "start") return start(Verb::start);
    if (action == "stop") return stop();
    if (action == "migrate_to") return migrate_to();
    if (action == "migrate_from") return migrate_from();
    // A running service keeps what it was started with; the parameters that can be reloaded count at its next start.
    if (action == "validate-all") return load().second;
    return action == "reload-agent" ? reload() : monitor();
  }

 private:
  // What the file says now, or what is wrong with that.
  std::pair<std::optional<Service>, OcfVerdict> load() {
    file_ = SpecFile{};
    auto file = read_spec(what_, place_);
    if (!file) return {std::nullopt, verdict(file.error())};
    auto loaded = load_spec(*file, place_);
    // First, as it bars this node and no other: a file may be wrong only for a node that it is not for.
    if (loaded.elsewhere)
      return {std::nullopt,
              {OcfCode::arguments, "node " + (place_.node.empty() ? node_name() : place_.node) +
                                       " is not one of nodes and drpnodes in " + file->path +
                                       "; keep the service off it with a location constraint"}};
    complain(render(loaded.diagnostics, false));
    if (!loaded.service)
      return {std::nullopt,
              {OcfCode::configured, file->path + " has " + counted(error_count(loaded.diagnostics), "error") +
                                        "; correct it, see plumb validate " + name_}};
    file_ = *std::move(file);
    return std::pair(std::move(loaded.service), OcfVerdict{});
  }

  // What runs well is not stopped for its file: that counts at the next start.
  OcfVerdict reload() {
    auto wrong = load().second;
    if (wrong.code == OcfCode::success || !read_started(name_)) return wrong;
    return {OcfCode::success, "it runs as it was started, and could not be started again: " + wrong.reason};
  }

  // What runs here, as it was started; else what the file says, when it says something.
  std::optional<Service> configuration() {
    started_ = read_started_or_stopping(name_);
    if (started_) {
      if (auto service = load_started(*started_)) return service;
    }
    const auto file = read_spec(what_, place_);
    return file ? load_spec(*file, place_).service : std::nullopt;
  }

  // Leaves time to undo, and to say what took so long, before Pacemaker kills the action. What the action has waited
  // for so far is taken off.
  void limit(std::optional<milliseconds>& own, const std::optional<milliseconds>& general) {
    if (!end()) return;
    const auto most = std::max(milliseconds(1), std::chrono::duration_cast<milliseconds>(*end() - Clock::now()));
    hurried_ = own.value_or(general.value_or(most + milliseconds(1))) > most;
    own = std::min(own.value_or(general.value_or(most)), most);
  }
  [[nodiscard]] std::optional<Clock::time_point> end() const {
    return timeout_.count() > 0 ? std::optional(begin_ + timeout_ - timeout_ / 8) : std::nullopt;
  }

  // What to raise when there was no time.
  void explain(Error& error) const {
    if (error.kind == ErrorKind::timeout && hurried_)
      error.next = "raise the timeout of the operation in Pacemaker, or see what the step waits for";
  }

  // For Pacemaker's log.
  static void tell(const Outcome& outcome) {
    for (const auto& warning : outcome.warnings) complain("plumb: warning: " + warning + "\n");
    if (const auto wanted = environment("OCF_RESKEY_timing"); wanted == "true" || wanted == "1")
      complain(timing_text(outcome));
  }

  OcfVerdict start(Verb verb) {
    auto [service, wrong] = load();
    if (!service) return wrong;
    if (verb == Verb::activate && !service->handover) verb = Verb::start;
    if (auto allowed = check_privilege(); !allowed) return verdict(allowed.error());
    auto lock = ServiceLock::take(name_, to_string(verb), {.until = end()});
    if (!lock) return verdict(lock.error());
    auto out = bring_up(*std::move(service), verb, *lock);
    lock->finish();
    return out;
  }

  OcfVerdict bring_up(Service service, Verb verb, const ServiceLock& lock) {
    if (stop_left_undone(name_, file_)) {
      complain("plumb: a stop of another configuration was left undone: finishing that first\n");
      if (auto left = stop(lock); left.code != OcfCode::success) return left;
    }
    auto before = as_started(name_);
    const bool kept = before && verb == Verb::start && loses_addresses(*before, service);
    if (kept) {
      complain("plumb: warning: the file of " + name_ +
               " has other addresses for devices that are not its own than it was started with: it is kept as it was "
               "started; the file counts after a stop\n");
      service = std::move(before->service);
    }
    if (!service.handover_timeout) service.handover_timeout = kHandoverPatience;
    limit(service.start_timeout, service.timeout);
    const Signals signals;
    const auto outcome = run_verb(service, verb, lock, {}, signals.stop());
    tell(outcome);
    for (const auto& failure : outcome.undo_failures) complain("plumb: " + failure + "\n");
    if (!outcome.error && !kept)
      if (const auto noted = record_started(service, file_, place_); !noted)
        complain("plumb: warning: it will not be known as started: " + noted.error().what + "\n");
    if (!outcome.error) return {};
    auto error = *outcome.error;
    explain(error);
    // What is next after a hand-over that nobody has answered is for Pacemaker to decide, and not to be forced by hand.
    if (verb == Verb::activate && (error.kind == ErrorKind::timeout || error.kind == ErrorKind::conflict))
      error.next.clear();
    auto out = verdict(error);
    // crm_mon cuts what is long: the reason itself first.
    if (!outcome.failed_step.empty()) out.reason += "; failed at: " + outcome.failed_step;
    return out;
  }

  // On the node that has the service. One that is not to be handed over is stopped, and migrate_from is its start.
  OcfVerdict migrate_to() {
    if (auto allowed = check_privilege(); !allowed) return verdict(allowed.error());
    if (const auto now = monitor(); now.code != OcfCode::success)
      return {OcfCode::generic, "it is not up here: " + now.reason};
    const auto service = configuration();
    if (!service || !service->handover) return stop();
    if (const auto yielding = yield_when_asked(*service); !yielding) return verdict(yielding.error());
    return {};
  }

  // On the node that is to have it. A failure is none of this node's: Pacemaker stops both, and starts one.
  OcfVerdict migrate_from() {
    auto out = start(Verb::activate);
    if (out.code == OcfCode::installed) out.code = OcfCode::generic;
    return out;
  }

  OcfVerdict stop() {
    if (auto allowed = check_privilege(); !allowed) return verdict(allowed.error());
    auto lock = ServiceLock::take(name_, "stop", {.until = end(), .interrupts = true});
    if (!lock) return stop_without_lock(lock.error());
    auto out = stop(*lock);
    lock->finish();
    return out;
  }

  OcfVerdict stop_without_lock(const Error& why) {
    const auto service = configuration();
    if (!service && !leaves_unknown(why)) return stop_unknown();
    if (service && needs_no_stop(*service, Verb::stop, why, TimeLimit(patience(), {}).stop()))
      return {OcfCode::success, why.what + "; stopped: nothing of it is here"};
    return {OcfCode::generic, reason(why)};
  }

  OcfVerdict stop(const ServiceLock& lock) {
    auto service = configuration();
    // Pacemaker may try again, and by then the file may be wrong and the engine still away.
    begin_stopping(name_);
    auto out = service ? stop(*service, lock) : stop_unknown();
    if (out.code == OcfCode::success) forget_started(name_);
    return out;
  }

  OcfVerdict stop(Service& service, const ServiceLock& lock) {
    limit(service.stop_timeout, service.timeout);
    const Signals signals;
    const auto outcome = run_verb(service, Verb::stop, lock, {}, signals.stop());
    tell(outcome);
    if (!outcome.error) return {};
    auto error = *outcome.error;
    explain(error);
    auto out = verdict(error);
    // What a start could be told "no" for is none of a stop's: it is stopped, or it has to be fenced.
    out.code = outcome.error->kind == ErrorKind::permission ? OcfCode::permission : OcfCode::generic;
    const bool silent = outcome.error->kind == ErrorKind::unreachable || outcome.error->kind == ErrorKind::timeout;
    if (!silent || outcome.changed) return out;
    return stop_without_engine(service, out.reason);
  }

  // Proven by what the start has recorded of itself; without that by what can be seen.
  OcfVerdict stop_without_engine(const Service& service, const std::string& why) {
    const auto traces = read_traces(name_);
    auto view = look_without_engine(service, traces);
    if (view.abandoned > 0) {
      withdraw_abandoned(service, traces);
      view = look_without_engine(service, traces);
    }
    if (const auto left = left_behind()) {
      if (!left->empty()) return {OcfCode::generic, why + "; not stopped: " + *left};
      return {OcfCode::success, why + "; stopped: the processes, namespaces and addresses of its start are gone"};
    }
    if (proves_stopped(view, started_.has_value()))
      return {OcfCode::success, why + "; stopped: no process of this node is where its addresses were"};
    if (!started_ && view.present + view.abandoned == 0 && view.complete && !engine_was_here(service))
      return {OcfCode::success, why + "; stopped: no engine has run here, and no address of it is on this node"};
    return {OcfCode::generic, why};
  }

  // What is left of what was recorded; empty: nothing. nullopt: nothing was recorded.
  [[nodiscard]] std::optional<std::string> left_behind() const {
    if (traces_unsettled(name_)) return "a start of it was left undone, and the engine alone knows what that has made";
    const auto traces = read_traces(name_);
    return traces ? std::optional(find_remains(*traces)) : std::nullopt;
  }

  // Without a configuration nothing could be started here; what an earlier one has left is not ours to guess at.
  OcfVerdict stop_unknown() {
    if (started_) return {OcfCode::generic, "the configuration that it was started with does not load any more"};
    if (auto found = seen_running(name_, started_ ? started_->engine : std::string(), patience()); !found.empty())
      return {OcfCode::generic, found + ", and there is no valid configuration to stop it by; plumb validate " + name_};
    if (const auto left = left_behind(); left && !left->empty())
      return {OcfCode::generic, *left + ", and there is no valid configuration to stop it by; plumb validate " + name_};
    return {OcfCode::success, "it has no valid configuration here; stopped: nothing of it runs"};
  }

  // An engine that takes longer is judged like one that is gone: that leaves time to look elsewhere.
  [[nodiscard]] milliseconds patience() const { return (timeout_.count() > 0 ? timeout_ : kDefaultTimeout) / 2; }

  OcfVerdict monitor() {
    // Who may not look would see nothing. To Pacemaker "not installed" is as good as "not running".
    if (auto allowed = check_privilege(); !allowed) return verdict(allowed.error());
    if (auto known = check_state(name_); !known) return {OcfCode::generic, reason(known.error())};
    const auto service = configuration();
    if (!service) {
      if (auto found = seen_running(name_, started_ ? started_->engine : std::string(), patience()); !found.empty())
        return {OcfCode::generic, found + ", and it has no valid configuration; plumb validate " + name_};
      return {OcfCode::not_running, "it has no valid configuration here, and nothing of it runs"};
    }
    const TimeLimit time(patience(), {});
    ServiceEngine engine(*service);
    const auto observation = glance(*service, engine, time.stop());
    if (!observation && observation.error().kind == ErrorKind::permission) return verdict(observation.error());
    if (!observation) return without_engine(*service, observation.error().what);
    const auto status = evaluate(*service, observation->seen);
    if (status.state == Availability::unknown)
      return without_engine(*service, status.problems.empty() ? reasons(status) : status.problems.front());
    if (service->handover && !started_ && has_no_address(status))
      return {OcfCode::not_running, "it is prepared for a hand-over, and has no address here"};
    if (status.state != Availability::up) return {ocf_code(status.state), reasons(status)};
    return look_deep(*service, time.stop());
  }

  OcfVerdict without_engine(const Service& service, const std::string& why) const {
    return verdict_without_engine(look_without_engine(service, read_traces(name_)), started_.has_value(), why);
  }

  // Of one that is up, as deep as it was asked for.
  [[nodiscard]] OcfVerdict look_deep(const Service& service, const std::stop_token& stop) const {
    if (number("OCF_CHECK_LEVEL", 0) < kDeepCheck) return {};
    const auto findings = examine(service, stop);
    if (!findings) return verdict(findings.error());
    for (const auto& finding : *findings)
      if (finding.verdict == Verdict::problem)
        return {OcfCode::generic, finding.subject + ": " + finding.check + ": " + finding.text};
    return {};
  }

  std::string what_;  // the parameter: a name or a path
  std::string name_;
  SpecPlace place_;
  Clock::time_point begin_ = Clock::now();
  milliseconds timeout_{0};  // of the action; 0: not said
  bool hurried_ = false;     // there is less time than the configuration gives
  SpecFile file_;            // that load() has read
  std::optional<Started> started_;
};

}  // namespace

int run_ocf(const std::string& action) {
  if (action == "meta-data") {
    print(ocf_metadata());
    return static_cast<int>(OcfCode::success);
  }
  auto out = Agent().run(action);
  std::replace(out.reason.begin(), out.reason.end(), '\n', ' ');
  // Nothing that does not run has to be explained: most probes end so.
  if (out.code == OcfCode::success && !out.reason.empty()) complain("plumb: warning: " + out.reason + "\n");
  if (out.code != OcfCode::success && out.code != OcfCode::not_running)
    complain("ocf-exit-reason:" + out.reason + "\n");
  return static_cast<int>(out.code);
}

}  // namespace plumb
