// The times that a claim keeps. Those of rivals are in specs/claim/rivals.h.
//
// Threads: plain values. Privilege: none.
#pragma once

#include <array>
#include <chrono>

namespace plumb::claim {

using std::chrono::milliseconds;
using std::chrono::seconds;

// When the probes of a question go out, after its begin: those of a first question, and of one after a loss.
inline constexpr std::array<milliseconds, 3> kQuick{milliseconds{0}, milliseconds{40}, milliseconds{80}};
inline constexpr std::array<milliseconds, 8> kPatient{milliseconds{0},   milliseconds{40},  milliseconds{80},
                                                      milliseconds{200}, milliseconds{350}, milliseconds{500},
                                                      milliseconds{700}, milliseconds{900}};
// After the last probe.
inline constexpr milliseconds kAnswerTime{40};
// So long a question waits for the gateway after that.
inline constexpr seconds kWitnessLimit{1};
// RFC 5227 section 1.1: PROBE_WAIT, PROBE_NUM, PROBE_MIN (and what PROBE_MAX adds to it), ANNOUNCE_WAIT.
inline constexpr seconds kRfcFirst{1};
inline constexpr unsigned kRfcProbes = 3;
inline constexpr seconds kRfcBetween{1};
inline constexpr seconds kRfcAnswer{2};

// Between two probes of an address that waits for what needs it.
inline constexpr milliseconds kReservedProbe{50};
// Owned so long without a rival: confirmed.
inline constexpr seconds kConfirm{3};
// Between two hellos in answer to a rival's frames.
inline constexpr milliseconds kAnswerEvery{20};
// DEFEND_INTERVAL of RFC 5227 section 1.1.
inline constexpr seconds kDefendEvery{10};
// After a loss: then it is asked again.
inline constexpr seconds kQuietAfterLoss{4};
// A pause of the process that is shorter is none: a busy machine has such, and its kernel answers meanwhile.
inline constexpr milliseconds kNoticedGap{2000};
// Of a GONE, which may be lost: who waits for it would wait until the claim is old.
inline constexpr unsigned kGoneAgain = 2;
inline constexpr milliseconds kBetweenGone{40};

}  // namespace plumb::claim
