// Turns: which services are looked after now, of those that something has happened to: so many of one lane at once, and
// each in the order in which it began to wait. An engine that hangs holds up its own services, and nobody else's.
//
// Pure. Threads: one at a time. Privilege: none.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::watch {

class Turns {
 public:
  // Lanes are engines, by their sockets; `places`: of each.
  explicit Turns(std::size_t places) : places_(places) {}

  struct Waiting {
    std::chrono::steady_clock::time_point since;
    std::string_view service;
    std::string_view lane;
  };
  // Who begins now. Each has a place until it is given back.
  [[nodiscard]] std::vector<std::string> begin(std::vector<Waiting> waiting);
  // Of a lane in which somebody has one: it is done, or waits for something else than its engine.
  void give_back(const std::string& lane);

 private:
  std::size_t places_;
  std::map<std::string, std::size_t, std::less<>> taken_;  // by lane; never 0
};

}  // namespace plumb::watch
