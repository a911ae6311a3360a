// A container with several networks on one LAN: each address has one owner there.
#include <doctest/doctest.h>

#include "tests/lab/answers.h"
#include "tests/lab/driver/driver.h"

namespace plumb::lab {
namespace {

// A network on half of the LAN: the engine refuses a container two networks whose subnets overlap.
Words half(const std::string& subnet) { return {"--subnet", subnet, "-o", "parent=eth0"}; }

// In the namespace of the container, with the node's tools.
std::string in_sandbox(const DriverOn& driver, const std::string& container, const Words& command) {
  Words words{"nsenter", "--net=/proc/" + driver.ask({"inspect", "--format", "{{.State.Pid}}", container}) + "/ns/net"};
  words.insert(words.end(), command.begin(), command.end());
  return driver.node().must(words);
}

// The MAC of the device that has the address.
std::string mac_with(const DriverOn& driver, const std::string& container, const std::string& address) {
  return in_sandbox(driver, container,
                    {"bash", "-c",
                     "ip -br -4 address | awk '/ " + address +
                         "\\//{sub(\"@.*\", \"\", $1); print $1}' | xargs -I{} ip -br link show dev {} | awk "
                         "'{printf \"%s\", $3}'"});
}

TEST_CASE("two networks on one LAN: each address is answered by its own link, as the kernel by itself would not") {
  DriverOn driver;
  REQUIRE(driver.network("one", half("10.0.3.0/25")) == "");
  REQUIRE(driver.network("two", half("10.0.3.128/25")) == "");
  REQUIRE(driver.run("web", {"--network", "one", "--ip", "10.0.3.33"}) == "");
  REQUIRE(driver.docker({"network", "connect", "--ip", "10.0.3.134", "two", "web"}) == "");
  REQUIRE(pings(Node("client"), "10.0.3.134"));
  const std::string first = mac_with(driver, "web", "10.0.3.33");
  const std::string second = mac_with(driver, "web", "10.0.3.134");
  REQUIRE(first.size() == 17);
  REQUIRE(second.size() == 17);
  CHECK(first != second);
  CHECK(owners("10.0.3.33") == std::set{first});
  CHECK(owners("10.0.3.134") == std::set{second});
  // The first goes, and another comes.
  CHECK(driver.docker({"network", "disconnect", "one", "web"}) == "");
  REQUIRE(driver.docker({"network", "connect", "--ip", "10.0.3.35", "one", "web"}) == "");
  REQUIRE(pings(Node("client"), "10.0.3.35"));
  const std::string third = mac_with(driver, "web", "10.0.3.35");
  CHECK(owners("10.0.3.35") == std::set{third});
  CHECK(owners("10.0.3.134") == std::set{second});
  // The same links as the kernel has them by itself.
  in_sandbox(
      driver, "web",
      {"bash", "-c", "for d in /proc/sys/net/ipv4/conf/eth*; do echo 0 >$d/arp_ignore; echo 0 >$d/arp_announce; done"});
  CHECK(owners("10.0.3.134") == std::set{second, third});
}

}  // namespace
}  // namespace plumb::lab
