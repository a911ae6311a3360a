// A driver on n1 whose engine is the test, which takes its time: a network and an endpoint are made with it, and go
// with it.
//
// Threads: one. Privilege: root, as Node.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tests/lab/driver/faults.h"

namespace plumb::lab {

class SlowEngine {
 public:
  explicit SlowEngine(const std::string& address,
                      const std::map<std::string, std::string>& options = {{"parent", "eth0"}}) {
    n1.remove(state());
    start();
    must("CreateNetwork", {{"NetworkID", std::string(64, 'a')},
                           {"Options", {{"com.docker.network.generic", options}}},
                           {"IPv4Data", {{{"Pool", "10.0.3.0/24"}, {"Gateway", "10.0.3.1/24"}}}}});
    nlohmann::json endpoint = kIds;
    endpoint["Interface"] = {{"Address", address + "/24"}};
    must("CreateEndpoint", endpoint);
  }
  ~SlowEngine() {
    must("DeleteEndpoint");
    must("DeleteNetwork");
    CHECK(records(n1, state()).empty());
    end();
    n1.remove(state());
  }
  SlowEngine(const SlowEngine&) = delete;
  SlowEngine& operator=(const SlowEngine&) = delete;

  static std::string state() { return "/var/lib/plumb/driver-claim"; }
  void start() { driver_.emplace(n1, DriverHow{nullptr, {}, state()}); }
  void end() { driver_.reset(); }

  [[nodiscard]] Answer ask(const std::string& method, const nlohmann::json& body) const {
    return call(n1, "NetworkDriver." + method, body.dump());
  }
  [[nodiscard]] Answer ask(const std::string& method) const { return ask(method, kIds); }
  void must(const std::string& method, const nlohmann::json& body) const {
    const Answer answer = ask(method, body);
    CHECK_MESSAGE((answer.status == 200 && answer.error().empty()), method, ": ", answer.body);
  }
  void must(const std::string& method) const { must(method, kIds); }

  Node n1{"n1"};

 private:
  const nlohmann::json kIds{{"NetworkID", std::string(64, 'a')},
                            {"EndpointID", std::string(64, 'e')},
                            {"SandboxKey", "/run/docker/netns/none"}};
  std::optional<Driver> driver_;
};

}  // namespace plumb::lab
