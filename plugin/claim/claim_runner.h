// ClaimRunner: lets claim machines (specs/claim/machine.h) hear and speak: sockets on the LANs, time, and what they
// have done to the link.
//
// From the first probe until a claim is withdrawn or dropped, a thread of its own listens for it. Whatever is done for
// a claim by the caller's own doing, what has arrived on its LAN is heard before.
//
// Threads: safe from any; hooks are called under a lock, by the caller's thread or the runner's own, and must not call
// the runner. Privilege: CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "netns/lan/claim_socket.h"
#include "plugin/claim/voice.h"
#include "specs/claim/machine.h"
#include "specs/value/ip.h"
#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb {

struct ClaimedAddress {
  IpAddress address;
  std::optional<IpAddress> gateway;  // of the same family
  std::uint64_t holder = 0;          // of the service on this node: its verbs and its watcher do not contest each other
  std::set<Mac> own;                 // devices of the service itself, which are no rivals
};

// Tells the services of all nodes apart.
[[nodiscard]] std::uint64_t claim_holder(const std::string& node, const std::string& service);

// Who else has, or wants, the address.
struct ClaimRival {
  Mac mac;
  std::string node;  // of a plumb that has said so; else empty

  [[nodiscard]] std::string to_string() const { return mac.to_string() + (node.empty() ? "" : " (" + node + ")"); }
  friend bool operator==(const ClaimRival&, const ClaimRival&) = default;
};

struct ClaimReport {
  std::string_view why;   // of specs/claim/machine.cc: "owned", "carrier", "rival", ...
  bool of_rival = false;  // as in claim::Effect
  claim::State state = claim::State::withdrawn;
  std::optional<ClaimRival> rival;  // that was heard last
};

// What is done outside. Each may be empty.
struct ClaimHooks {
  std::function<Result<void>()> put_on = {};
  std::function<void()> take_off = {};
  std::function<void()> announce = {};  // one round of frames
  std::function<void(const claim::Kept&)> keep = {};
  std::function<void(const ClaimReport&)> report = {};
};

// Between two questions of an owner for its own addresses, give or take a tenth.
inline constexpr std::chrono::seconds kProbeOwn{1};

class ClaimRunner {
 public:
  using Id = std::uint64_t;

  // `node` is the name that other nodes see. Errors: EMFILE.
  [[nodiscard]] static Result<std::unique_ptr<ClaimRunner>> open(std::string node);
  // Claims are dropped without a word: what is on a link stays there.
  ~ClaimRunner();
  ClaimRunner(const ClaimRunner&) = delete;
  ClaimRunner& operator=(const ClaimRunner&) = delete;

  // A new claim, which begins to ask. Errors: those of the voice.
  [[nodiscard]] Result<Id> ask(const Voice& voice, ClaimedAddress what, const claim::Settings& settings,
                               ClaimHooks hooks);
  // One of a process before this one: on the link, or kept off it. Errors: those of the voice.
  [[nodiscard]] Result<Id> resume(const Voice& voice, ClaimedAddress what, const Mac& link, const claim::Settings& how,
                                  ClaimHooks hooks, bool carrier, bool on_link, const claim::Kept& kept);

  // An address that another node has and is to hand over: from now on it is listened for, and nothing is said. Errors:
  // those of the voice.
  [[nodiscard]] Result<Id> expect(const Voice& voice, ClaimedAddress what, const claim::Settings& settings,
                                  ClaimHooks hooks);
  // Who has had it says that it is off its link, and whose it is: ours. That is the answer to a question, so there is
  // none, unless somebody else has been heard to claim it. `givers`: all holders that have said so since it is
  // expected.
  void given(Id id, const std::set<std::uint64_t>& givers);

  // Waits for the end of the question. Nothing: it is free, and as long as the claim lives, other plumbs do not get it.
  // Errors: the device's (refused: it is down), cancelled.
  [[nodiscard]] Result<std::optional<ClaimRival>> await_answer(Id id, const std::stop_token& stop);

  // Puts an address that was free on its link, by `put_on`, if it still is; from then on `mac` uses it, and
  // `take_off` is what a loss costs. A rival: it was heard since, and has the address. Errors: those of `put_on`,
  // conflict (an unknown rival), cancelled.
  [[nodiscard]] Result<std::optional<ClaimRival>> put_on(Id id, const Mac& mac, std::function<Result<void>()> put_on,
                                                         std::function<void()> take_off, const std::stop_token& stop);

  // The same, without waiting, of an address that another hand puts on its link, or has put there already: where it may
  // not be there now, `take_off` is called at once, and `put_on` when it may. Called again, it is announced again.
  void arrived(Id id, const Mac& mac, std::function<Result<void>()> put_on, std::function<void()> take_off);
  // One more MAC that is the claim's own, before it is used.
  void own(Id id, const Mac& mac);

  // The caller has taken it off, or never put it on: others are told.
  void withdraw(Id id);
  // Nothing is said, and nothing done.
  void drop(Id id);

  // Whether the carrier of the device behind it is there.
  void carrier(Id id, bool up);
  // It was away for a moment, and is back.
  void flapped(Id id);
  // The port behind it begins to forward.
  void forwards(Id id);
  // Somebody else of this node has put the address on its link, though this claim had it off.
  void adopt(Id id);

  [[nodiscard]] claim::State state(Id id) const;

  // As fork(2). In the child, which has no other thread, the claims go on by go_on(); here they are no more, and no
  // other claim can be made. -1: there is no child, and they are no more all the same.
  [[nodiscard]] pid_t pass_on();
  // The child's: what keeps its claims alive, to be left open.
  [[nodiscard]] std::vector<int> descriptors() const;
  // The child's: goes on with its claims for that time, or until `wake` is readable. A claim ends without a word when
  // its address is not `there` any more, another process of the service has been heard to have it, or its LAN is gone.
  // False: this process stood still, and knows nothing any more.
  [[nodiscard]] bool go_on(std::chrono::milliseconds time, int wake,
                           const std::function<bool(const IpAddress&)>& there);

 private:
  struct Lan {
    Voice voice;
    netns::ClaimSocket socket;
    bool broken = false;  // its device is gone: it is opened anew when there is one again
    claim::Time next_hello{0};
    claim::Time next_probe{0};                   // of its own addresses
    std::vector<netns::HelloEntry> hellos = {};  // to be sent with the next frame
    std::size_t next_probed = 0;                 // of its owned addresses, in turn
  };
  // What was heard of an address that is expected.
  struct Expected {
    claim::Saying saying;
    ClaimRival from;
  };
  struct Entry {
    Lan* lan;  // of lans_
    ClaimedAddress what;
    Mac mac;  // by which it is used, or asked for
    claim::Machine machine;
    claim::Time hello;  // between two; 0: none
    ClaimHooks hooks;
    std::optional<ClaimRival> rival = {};
    std::optional<Mac> rival_voice = {};  // from which that says its hellos, and asks
    std::optional<Error> error = {};
    bool expected = false;
    std::map<std::uint64_t, Expected> expected_from = {};  // the same, by holder
    std::set<std::uint64_t> givers = {};                   // of what is expected no more
    claim::Time given{0};
    bool succeeded = false;                         // another process of the service has been heard to claim it
    std::optional<claim::Time> due = {};            // the machine's next()
    bool touched = true;                            // the machine has been told of something since: all else is idle
    bool sent = false;                              // a probe
    bool arrived = false;                           // another hand has put it on its link
    bool asks_itself = true;                        // each second, as its settings say
    claim::Time others_heard = claim::Time::min();  // the last time that it was told of them
  };

  ClaimRunner(std::string node, UniqueFd wake);
  void run(const std::stop_token& stop);
  void rouse() const;
  [[nodiscard]] std::optional<claim::Time> next() const;
  void serve(claim::Time now);
  void read_all(claim::Time now);
  void dispatch(const Lan& lan, const netns::LanFrame& frame, claim::Time now);
  void hear(Entry& entry, const netns::LanFrame& frame, claim::Time now);
  void hear_hello(Entry& entry, const netns::LanFrame& frame, claim::Time now);
  void hear_others(Entry& entry, claim::Time now);
  [[nodiscard]] bool is_own(const Entry& entry, const Mac& mac) const;
  void say_hellos(claim::Time now);
  void probe_own(claim::Time now);
  void carry_out();
  void carry_out(Entry& entry);
  void carry_out(Entry& entry, const claim::Effect& effect);
  void send_probe(Entry& entry, bool address);
  void queue_hello(Entry& entry, const claim::Saying& saying, bool gone);
  void flush_hellos();
  [[nodiscard]] Result<Lan*> lan_of(const Voice& voice);
  [[nodiscard]] Result<Id> add(const Voice& voice, ClaimedAddress what, std::optional<Mac> mac,
                               const claim::Settings& settings, ClaimHooks hooks);
  template <typename F>
  void with(Id id, F&& what);
  void forget(Id id);
  void end_claims(const std::function<bool(const Entry&)>& which);
  [[nodiscard]] Result<void> reopen(Lan& lan);
  [[nodiscard]] claim::Time jittered(claim::Time period);

  std::string node_;
  UniqueFd wake_;
  std::mt19937_64 random_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, Lan> lans_;       // by the key of their voice
  std::vector<netns::ClaimSocket> dead_;  // closed by the thread
  std::map<Id, Entry> entries_;
  std::set<Mac> own_;  // all MACs of this runner's claims and voices
  Id last_id_ = 0;
  claim::Time expected_{0};  // when the thread was to wake up; 0: by a frame
  bool alone_ = false;       // in the child of a fork
  std::jthread thread_;      // last: it uses all the others
};

}  // namespace plumb
