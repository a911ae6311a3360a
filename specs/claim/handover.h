// The hand-over of a service's addresses, as both sides decide over it: who asks, when it asks again, takes or gives
// up; who has them, when it says that they are withdrawn, and to whom.
//
// Pure: words, time and what was found on the LAN go in. The rules are: nothing is taken but on the word of who had it;
// silence is no word, and by force it is a question as of any address. Who gives says nothing before the addresses are
// off their links, and nothing any more when somebody else may have found out that they are free. Threads: one at a
// time. Privilege: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "specs/claim/claim.h"

namespace plumb::claim {

// Of nobody: who gives has not been asked yet.
inline constexpr std::uint64_t kAnybody = 0;

// A port of a bridge with a spanning tree listens for 15 s, and learns for 15 more, before it forwards (IEEE
// 802.1D-2004, 17.14, Forward Delay): as long nobody is heard who is there all the time.
inline constexpr std::chrono::seconds kHandoverSilence{35};

class HandoverTaker {
 public:
  enum class State {
    asking,    // in quick succession: a node that is about to yield does so at once
    waiting,   // nobody did: whoever has the addresses is to be stopped by somebody, or is not there
    given,     // on the word of who had them
    forced,    // nobody did, and nobody is waited for: whoever has them is asked for as for any address
    refused,   // somebody still has them, and there is no more time
    abandoned  // nobody answers for them, and nobody has said that they are withdrawn
  };
  // `number`: of the request, by chance and not kAnybody. `limit`: of the wait, after the first requests.
  HandoverTaker(Time now, std::uint64_t number, bool force, std::optional<Time> limit);

  // Somebody says that it has withdrawn the addresses, for who has asked by that number.
  void hear_withdrawn(std::uint64_t number);
  // While it waits: the LAN was asked for the addresses, and somebody answered, or nobody.
  void look(Time now, bool answered);
  void tick(Time now);
  [[nodiscard]] Time next() const { return next_; }

  // Whether to ask now; once.
  [[nodiscard]] bool take_request();
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool is_over() const { return state_ != State::asking && state_ != State::waiting; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  // How long nobody has answered for the addresses.
  [[nodiscard]] Time silence(Time now) const { return now - heard_; }
  // From now on, if nobody ever does.
  [[nodiscard]] Time patience() const;

 private:
  void judge(Time now);
  void wait_on(Time now);

  std::uint64_t number_;
  bool force_;
  std::optional<Time> limit_;
  State state_ = State::asking;
  bool requests_ = true;
  unsigned first_left_;
  Time next_;
  Time begun_{0};          // to wait
  Time heard_{0};          // the last answer for the addresses; the begin of the wait, if there was none
  bool answered_ = false;  // when it was asked last
};

class HandoverGiver {
 public:
  // For who has just withdrawn the addresses. `number`: of who has asked first; kAnybody: they are for who asks now.
  HandoverGiver(Time now, std::uint64_t number);
  void hear_request(Time now, std::uint64_t number);
  void tick(Time now);
  [[nodiscard]] Time next() const { return next_; }
  [[nodiscard]] bool is_over(Time now) const { return now >= end_; }
  // The number to say now that they are withdrawn for; once.
  [[nodiscard]] std::optional<std::uint64_t> take_word();

  // Whether who was asked may say anything: its verb has taken the addresses off (`changed`), or there were none
  // anywhere on this node. Else they are still there, in the namespace of an engine that died, perhaps.
  [[nodiscard]] static bool may_speak(bool changed, bool is_nowhere) { return changed || is_nowhere; }

 private:
  std::uint64_t number_;
  bool speaks_ = true;
  Time next_;
  Time end_;
};

}  // namespace plumb::claim
