// Who answers for addresses on the LAN, all along: the client asks for each of them every few milliseconds, and every
// answer and claim is kept, with the port of the bridge by which it came. So two owners are found however short they
// are two.
//
// Threads: its own two; calls from one. Privilege: CAP_NET_RAW in the nodes, and root to enter them.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/lab/capture.h"

namespace plumb::lab {

class Owners {
 public:
  // Asks from now on. Aborts the test program when the LAN or the client is not up.
  explicit Owners(std::vector<std::string> addresses, std::chrono::milliseconds every = std::chrono::milliseconds(5));
  ~Owners();
  Owners(const Owners&) = delete;
  Owners& operator=(const Owners&) = delete;

  // The ports that owned the address, in their order: "n1 n2". A port is named by its node (rival: "rival").
  [[nodiscard]] std::string history(const std::string& address) const;
  // Waits until the address is claimed by a port other than `port`; false at the deadline.
  [[nodiscard]] bool await_other(const std::string& address, const std::string& port,
                                 std::chrono::milliseconds deadline) const;
  // The longest time without an answer for the address, between two answers.
  [[nodiscard]] std::chrono::milliseconds absence(const std::string& address) const;
  // Empty when no address had two owners at an instant, else what was seen. An owner is followed by another one rightly
  // when in between two questions went out and were answered by nobody, or it said itself that it has withdrawn the
  // addresses (netns/lan/handover.h), and has claimed none since: it was gone before.
  [[nodiscard]] std::string overlap() const;
  // How often each address was asked for, the least of them: what was never asked proves nothing.
  [[nodiscard]] std::size_t asked() const;

 private:
  enum class Kind { question, claim, withdrawal };
  struct Sight {
    std::chrono::nanoseconds at{};
    Kind kind = Kind::question;
    std::string port;
    std::string mac;
  };
  void ask(const std::stop_token& stop, std::chrono::milliseconds every) const;
  void look(const std::stop_token& stop);
  void note(const Frame& frame, const std::string& port);
  static std::string before(const std::vector<Sight>& sights, const Sight& last);
  static std::string overlap(const std::string& address, const std::vector<Sight>& sights);

  const std::vector<std::string> addresses_;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Sight>> sights_;
  std::atomic<bool> lost_ = false;  // the kernel had to drop frames
  UniqueFd wire_;
  std::jthread looker_;
  std::jthread asker_;
};

}  // namespace plumb::lab
