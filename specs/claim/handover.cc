#include "specs/claim/handover.h"

#include <algorithm>
#include <utility>

#include "specs/claim/timing.h"

namespace plumb::claim {

namespace {

// A node that is about to yield does so within two or three milliseconds. A frame may be lost.
constexpr unsigned kFirstRequests = 5;
constexpr milliseconds kBetweenRequests{10};
constexpr seconds kAskAgain{1};

// Less than the 120 ms of a question, after which somebody else may have the addresses.
constexpr milliseconds kAnswerAgain{80};
constexpr milliseconds kBetweenAnswers{20};
static_assert(kAnswerAgain < kQuick.back() + kAnswerTime);

}  // namespace

HandoverTaker::HandoverTaker(Time now, std::uint64_t number, bool force, std::optional<Time> limit)
    : number_(number), force_(force), limit_(limit), first_left_(kFirstRequests - 1), next_(now + kBetweenRequests) {}

bool HandoverTaker::take_request() { return std::exchange(requests_, false); }

Time HandoverTaker::patience() const { return limit_ ? std::min<Time>(kHandoverSilence, *limit_) : kHandoverSilence; }

void HandoverTaker::hear_withdrawn(std::uint64_t number) {
  if (is_over()) return;
  if (number == number_) state_ = State::given;
  if (number == kAnybody) requests_ = true;
}

void HandoverTaker::look(Time now, bool answered) {
  answered_ = answered;
  if (answered) heard_ = now;
  if (state_ == State::waiting) judge(now);
}

void HandoverTaker::tick(Time now) {
  if (is_over() || now < next_) return;
  if (state_ == State::waiting) return judge(now);
  if (first_left_ > 0) {
    --first_left_;
    requests_ = true;
    next_ = now + kBetweenRequests;
    return;
  }
  state_ = force_ ? State::forced : State::waiting;
  begun_ = heard_ = now;
  wait_on(now);
}

// Until it asks again, or there is something to give up at.
void HandoverTaker::wait_on(Time now) {
  next_ = std::min<Time>(now + kAskAgain, std::max<Time>(heard_ + kHandoverSilence, now + kBetweenRequests));
  if (limit_) next_ = std::min(next_, std::max<Time>(begun_ + *limit_, now + kBetweenRequests));
}

void HandoverTaker::judge(Time now) {
  const bool late = limit_ && now >= begun_ + *limit_;
  if (answered_ && late) {
    state_ = State::refused;
  } else if (!answered_ && (late || silence(now) >= kHandoverSilence)) {
    state_ = State::abandoned;
  } else {
    requests_ = true;
    wait_on(now);
  }
}

HandoverGiver::HandoverGiver(Time now, std::uint64_t number)
    : number_(number), next_(now + kBetweenAnswers), end_(now + kAnswerAgain) {}

void HandoverGiver::hear_request(Time now, std::uint64_t number) {
  if (is_over(now)) return;
  if (number_ == kAnybody) number_ = number;
  speaks_ = number == number_;
  next_ = std::min<Time>(now + kBetweenAnswers, end_);
}

void HandoverGiver::tick(Time now) {
  if (is_over(now) || now < next_) return;
  speaks_ = true;
  next_ = std::min<Time>(now + kBetweenAnswers, end_);
}

std::optional<std::uint64_t> HandoverGiver::take_word() {
  if (!std::exchange(speaks_, false)) return std::nullopt;
  return number_;
}

}  // namespace plumb::claim
