// Rivals: who else was heard to claim the address, as a plumb that says so in hellos, or only by its kernel.
//
// Threads: one at a time. Privilege: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "specs/claim/claim.h"

namespace plumb::claim {

// A claim that was heard last so long ago is one no more, and a hello that comes so soon after its GONE is late.
inline constexpr std::chrono::seconds kOld{1};
// A plumb says hello within that time after it was heard to use the address...
inline constexpr std::chrono::milliseconds kMute{500};
// ...and after its probe.
inline constexpr std::chrono::milliseconds kHelloTime{100};

class Rivals {
 public:
  // What a hello says; `first_hand`: of its sender itself, else of what that has heard. False: it counts for nothing.
  [[nodiscard]] bool say(Time now, const Saying& saying, std::uint64_t from, bool first_hand);
  // Its claim is one no more. Whether it had, or used, the address.
  bool go(Time now, std::uint64_t id, std::uint64_t from);
  // Its kernel has the address, or it has asked for it.
  void use(Time now, std::uint64_t from) { used_.try_emplace(from, now); }
  void probe(Time now, std::uint64_t from) { probed_.try_emplace(from, now); }
  // The sender is none.
  void forget(std::uint64_t from);
  // A new question begins: what kernels said before it is void.
  void forget_kernels();

  // The last time that somebody was heard to claim it since then.
  [[nodiscard]] std::optional<Time> last(Time since) const;
  // Those who were heard within kOld, and since then.
  [[nodiscard]] std::vector<Saying> claims(Time now, Time since) const;
  // For hellos: the owners that were heard within the last 500 ms.
  [[nodiscard]] std::vector<Saying> owners(Time now) const;

  [[nodiscard]] bool is_used() const { return !used_.empty(); }
  enum class Mute { nobody, unknown, somebody };
  // Whether somebody asks who is no plumb; `unknown`: not before kHelloTime after its probe.
  [[nodiscard]] Mute mute_prober(Time now) const;
  // The same of somebody whose kernel has the address. Those who have said hello, or are mute, are forgotten.
  [[nodiscard]] Mute mute_user(Time now);

 private:
  struct Heard {
    Saying saying;
    Time at{0};
  };
  [[nodiscard]] bool has_said_hello(std::uint64_t from, Time since) const;

  std::map<std::uint64_t, Heard> claims_;  // by the id of the claim
  std::map<std::uint64_t, Time> gone_;     // the same
  std::map<std::uint64_t, Time> hellos_;   // by sender, as the next
  std::map<std::uint64_t, Time> probed_;   // first, and no hello since
  std::map<std::uint64_t, Time> used_;     // the same
};

}  // namespace plumb::claim
