// How long a client goes without a service: it pings the address every millisecond, and requests its page every few.
//
// Threads: its own two; calls from one. Privilege: CAP_NET_RAW in the client, and root to enter it.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/lab/node.h"

namespace plumb::lab {

class Absence {
 public:
  // Asks from now on.
  explicit Absence(std::string address);
  ~Absence();
  Absence(const Absence&) = delete;
  Absence& operator=(const Absence&) = delete;

  // The absence is counted from now on: call it while the service answers.
  void begin();
  // Waits until both, the address and the page, have answered from now on; false at the deadline.
  [[nodiscard]] bool await_answers(std::chrono::milliseconds deadline) const;
  // Waits until the address has been silent for `time`; false at the deadline.
  [[nodiscard]] bool await_silence(std::chrono::milliseconds time, std::chrono::milliseconds deadline) const;
  // The longest time without an answer since begin(): "address 12 ms, nginx 34 ms".
  [[nodiscard]] std::string to_string() const;
  // The longest time without an answer of the address.
  [[nodiscard]] std::chrono::milliseconds of_address() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  void ping(const std::stop_token& stop);
  void request(const std::stop_token& stop);
  void answered(std::vector<Time>& by);
  [[nodiscard]] std::chrono::milliseconds longest(const std::vector<Time>& answers) const;

  const std::string address_;
  mutable std::mutex mutex_;
  std::vector<Time> pings_;  // when each answer came
  std::vector<Time> pages_;
  Time begin_;
  std::jthread pinger_;
  std::jthread requester_;
};

}  // namespace plumb::lab
