// A verb that is killed at whatever instant: the next one makes the service whole, or clears it away.
//
// Each test kills at the first, second, third... call that has an effect, until the verb survives (kill_at.cc). That
// takes minutes: without PLUMB_KILL_ALL=1 every fifteenth call is done, others each day (PLUMB_KILL_EVERY and
// PLUMB_KILL_PART name them).
#include <doctest/doctest.h>

#include <string>

#include "tests/lab/extra_port.h"
#include "tests/lab/fault/kill_verbs.h"
#include "tests/lab/open_vswitch.h"

namespace plumb::lab {
namespace {

// With a way of the node's own to the address: its link is shared with other services, so no plain undo takes it away.
const Config kSharedEngine{"", "host_access = true\n", "", "", "eth0", "10.0.3.1", "nginx"};

TEST_CASE("a start that is killed at any call is made whole by start, and cleared by stop") {
  kill_starts(Stage("killed", kSharedEngine), 15);
}

TEST_CASE("a stop that is killed at any call is finished by the next") {
  kill_stops(Stage("killed", kSharedEngine), 8);
}

const Config kHandedOver{"handover = true\nhandover_timeout = 5s\n", "", "", "", "eth0", "10.0.3.1", "nginx"};

TEST_CASE("an activate that is killed at any call is made whole by start, and cleared by stop") {
  const Stage stage("killed", kHandedOver);
  kill_starts(
      stage, 15, [&] { return stage.answers(); }, "activate --force");
}

TEST_CASE("a stop that withdraws first, killed at any call, is finished by the next") {
  kill_stops(Stage("killed", kHandedOver), 8);
}

const Config kDedicated{"", "mode = dedicated\nmacaddr = 02:00:0a:00:03:99\n", "", "", "eth9", "10.0.3.1", "nginx"};

TEST_CASE("a start and a stop with a device that is given away, killed at any call: the device comes back as it was") {
  const ExtraPort port("n1", "eth9");
  const Stage stage("killed", kDedicated);
  const std::string device = port.look();
  kill_starts(stage, 12);
  CHECK(port.look() == device);
  kill_stops(stage, 8);
  CHECK(port.look() == device);
}

TEST_CASE("a start and a stop on Open vSwitch, killed at any call: no port is left in it") {
  const Node n1("n1");
  const OpenVswitch ovs(n1);
  const ExtraPort port("n1", "eth9");
  n1.must({"ip", "link", "set", "eth9", "up"});
  ovs.must({"add-port", "ovs0", "eth9"});
  const std::string ports = ovs.must({"list-ports", "ovs0"});
  const Stage stage("killed", {"", "mode = ovs\n", "", "", "ovs0", "10.0.3.1", "nginx"});
  kill_starts(stage, 12, [] {
    return Node("client").run({"ping", "-c", "1", "-W", "2", std::string(Stage::kAddress)}).exit_code == 0;
  });
  CHECK(ovs.must({"list-ports", "ovs0"}) == ports);
  kill_stops(stage, 8);
  CHECK(ovs.must({"list-ports", "ovs0"}) == ports);
}

}  // namespace
}  // namespace plumb::lab
