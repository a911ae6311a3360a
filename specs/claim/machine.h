// Machine: decides over one claim of one address: when it is asked for, put on the link, taken off it and given up.
//
// Pure: frames, time, carrier and commands go in, effects come out, in the order in which they are to be carried out.
// Time and chance come from outside. Before each input the caller has read its sockets empty, oldest frame first: what
// was on its way while this process or this machine stood still has to be known before anything is decided.
// Threads: one at a time. Privilege: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "specs/claim/claim.h"
#include "specs/claim/rivals.h"

namespace plumb::claim {

// Each is on in the product. The simulator switches one off at a time, and then finds what it is there for.
struct Rules {
  bool rank = true;          // 1: ties are decided by rank; else by who heard the other first
  bool provisional = true;   // 2: an epoch only after three quiet seconds with a witness; else at once
  bool witness = true;       // 3: a question counts only when somebody could hear it
  bool order = true;         // 4: an earlier state yields to a later; else by rank alone
  bool hellos = true;        // 5
  bool self_probe = true;    // 5: an owner asks for its own address each second
  bool young_yields = true;  // 6: to a rival that says no hello
  bool doubt = true;         // 7: carrier, flaps and pauses take the address off the link
  bool waits_old = true;     // 4: a claim that was heard of shortly before a question ends is waited for to become old
  bool patience = true;      // 9: who has lost asks again with a longer question
  bool gone_again = true;    // 9: a GONE after a loss is said three times
};

struct Settings {
  Rules rules;
  bool gateway = true;                         // there is one that can be asked
  bool rfc = false;                            // the timers of RFC 5227 section 1.1 for a first question; else 120 ms
  bool yields = true;                          // false: a rival is only reported, and the address kept
  bool defends = true;                         // against a rival that does not yield
  bool asks_again = true;                      // an owner whose question nobody could hear asks when somebody can
  bool retry = false;                          // after a loss it asks again, as the watcher does
  std::chrono::milliseconds hello{1000};       // between two, give or take a tenth; 0: the caller keeps the time
  std::chrono::milliseconds self_probe{1000};  // the same
  unsigned announcements = 4;                  // at the begin; 0: none at all
  std::chrono::milliseconds between_announcements{500};
  std::chrono::seconds announce{60};  // between two of a quiet owner; 0: none
};

// A random number. From outside, so that a history can be repeated.
using Chance = std::function<std::uint64_t()>;

struct Effect {
  enum class Kind {
    probe,        // ask for the address, and the gateway for itself right after
    ask_gateway,  // only that
    announce,     // both forms of ARP, or an unsolicited advertisement; to the gateway by itself, too
    defend,       // one announcement, against a rival
    hello,        // say what is claimed
    gone,         // say that it is claimed no more
    put_on,       // the address on the link
    take_off,     // and off
    keep,         // the rank has changed: it has to survive this process, and its epoch this boot
    report,       // `why` is for people
  };
  Kind kind = Kind::report;
  Saying saying;         // of hello, gone, keep and report
  std::string_view why;  // of report: "rival", "carrier", ...
  // Of report: it is about somebody else who has, or wants, the address.
  bool of_rival = false;
};

// What outlives a process: in the link's alias, and (the epoch) on disk.
struct Kept {
  Rank rank;
  std::uint64_t highest_epoch = 0;  // heard of this address
};

class Machine {
 public:
  // `wall`: milliseconds since 1970, for epochs; a clock that is wrong costs nothing but the next epoch.
  using Wall = std::function<std::uint64_t()>;
  Machine(Settings settings, Chance chance, Wall wall)
      : settings_(settings), chance_(std::move(chance)), wall_(std::move(wall)) {}

  // Commands.
  // Asks for the address. `carrier`: of the uplink.
  void start(Time now, bool carrier);
  // Asks for nothing: who has had the address says that it is free, and whose it is, which is as good as a question
  // that nobody has answered.
  void take_over(Time now);
  // What the address waits for is there: it may go on the link as soon as it is known to be free.
  void ready(Time now);
  void withdraw();
  // A process that comes after one that was killed: the address is on the link, or is not (`on_link`).
  void resume(Time now, bool carrier, bool on_link, const Kept& kept);

  // Inputs.
  void hear(Time now, const Heard& heard);
  void carrier(Time now, bool up);
  // The carrier was away, and is back, without a word from the kernel: its carrier_down_count has changed.
  void flapped(Time now);
  // The port behind the uplink begins to forward.
  void forwards(Time now);
  // This process or machine stood still for so long.
  void stood_still(Time now, Time gap);
  // A time that next() has named has come.
  void tick(Time now);

  // When tick() has to be called; nothing: not before another input.
  [[nodiscard]] std::optional<Time> next() const;
  // What has to be done, once.
  [[nodiscard]] std::vector<Effect> take() { return std::exchange(effects_, {}); }

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const Rank& rank() const { return rank_; }
  [[nodiscard]] Kept kept() const { return {rank_, highest_epoch_}; }
  // For hellos: what was heard from others within the last 500 ms.
  [[nodiscard]] std::vector<Saying> relay(Time now) const { return rivals_.owners(now); }

 private:
  enum class Timer { probe, judge, reserved_probe, hello, self_probe, announce, confirm, retry, mute, gone };
  void emit(Effect::Kind kind, std::string_view why = {});
  void report_rival(std::string_view why);
  void set(Timer timer, Time at) { timers_[timer] = at; }
  void stop(Timer timer) { timers_.erase(timer); }
  [[nodiscard]] std::map<Timer, Time>::const_iterator first() const;
  void due(Time now, Timer timer);
  [[nodiscard]] Time jittered(Time period) const;
  [[nodiscard]] Time by_chance(Time most) const;
  [[nodiscard]] Time next_probe(Time now) const;

  void begin(Time now);
  void ask(Time now, State as);
  void send_probe(Time now);
  void judge(Time now);
  void free_at_last(Time now);
  void own(Time now);
  void attend(Time now, Time first_self_probe, Time first_announcement);
  void off();
  [[nodiscard]] std::uint64_t higher_epoch() const;
  void confirm(Time now);
  void announce(Time now);
  void announce_anew(Time now);
  void doubt(Time now, std::string_view why);
  void lose(Time now, std::string_view why, const Rank* to = nullptr);
  void stay(Time now, std::string_view why);
  void contest(Time now, std::string_view why);
  void retry(Time now);
  void answer(Time now);
  void heard_claim(Time now, const Saying& saying, std::uint64_t from, bool first_hand);
  void heard_use(Time now, std::uint64_t from);
  void heard_probe(Time now, std::uint64_t from);
  void settle_mute(Time now);
  [[nodiscard]] Saying mine() const { return {rank_, state_}; }
  [[nodiscard]] bool yields_to(const Saying& other) const;
  [[nodiscard]] bool gateway_is_known() const { return gateway_heard_ > Time::min(); }

  Settings settings_;
  Chance chance_;
  Wall wall_;
  State state_ = State::withdrawn;
  Rank rank_;
  std::uint64_t highest_epoch_ = 0;
  bool carrier_ = true;
  bool on_link_ = false;
  bool ready_ = false;
  bool patient_ = false;  // after a loss: longer questions

  std::map<Timer, Time> timers_;
  std::vector<Effect> effects_;

  Rivals rivals_;
  Time ask_begun_{0};
  Time last_probe_{0};
  unsigned probes_left_ = 0;
  unsigned probe_number_ = 0;
  Time answer_time_{0};      // after the last probe
  bool asked_well_ = false;  // the last question could be heard
  bool waits_ = false;       // for a claim to become old, before the last probe
  Time gateway_heard_ = Time::min();
  Time any_heard_ = Time::min();
  Time listening_since_{0};
  Time owned_since_{0};
  Time lost_at_{0};
  std::optional<Rank> lost_to_;
  Time answered_at_ = Time::min();
  Time defended_at_ = Time::min();
  unsigned announcements_ = 0;
  unsigned gones_left_ = 0;
};

}  // namespace plumb::claim
