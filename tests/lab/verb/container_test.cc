// Services around a container that somebody else has made: a system container with its own address.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "tests/lab/capture.h"
#include "tests/lab/service.h"
#include "tests/lab/system_container.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const std::string kAddress = "10.0.3.21";  // of the name ipname1

std::string reference(const std::string& name) {
  std::ifstream file(PLUMB_SOURCE_DIR "/tests/specs/reference/" + name + ".conf");
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string in_subnet(const Outcome& status, const std::string& address) {
  return status.out.find(address + "/24 on eth0") == std::string::npos ? status.out + status.err : "";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("an existing container, as the reference has it: started and stopped, never created or removed") {
  const SystemContainer vm("n1", "10.0.3.41");
  const Service svc("vmsvc", reference("container"));
  CHECK(svc.plumb(vm.node(), "status").exit_code == 3);
  const Outcome start = svc.plumb(vm.node(), "start");
  CHECK_MESSAGE(start.exit_code == 0, start.err);
  CHECK(vm.state() == "running");
  CHECK(answers("10.0.3.41"));
  const Outcome status = svc.plumb(vm.node(), "status");
  CHECK(status.exit_code == 0);
  CHECK(in_subnet(status, "10.0.3.41") == "");
  CHECK(has(svc.plumb(vm.node(), "start").out, "is up already"));
  CHECK(svc.plumb(vm.node(), "stop").exit_code == 0);
  CHECK(vm.state() == "exited");
  CHECK_FALSE(answers("10.0.3.41"));
  CHECK(has(svc.plumb(vm.node(), "stop").out, "is down already"));
  // Where there is no such container there is nothing to start, and nothing is made.
  const Outcome none = svc.plumb(Node("n2"), "start");
  CHECK(none.exit_code == 1);
  CHECK_MESSAGE(has(none.err, "container vm1: there is none"), none.err);
  CHECK(Node("n2").must({"docker", "ps", "-aq"}).empty());
}

TEST_CASE(
    "encapsulation, as the reference has it: containers on standby, the address inside the one that runs the service") {
  const SystemContainer one("n1", "10.0.3.41");
  const SystemContainer two("n2", "10.0.3.42");
  const Service svc("encap", reference("encapsulation"));
  for (const auto* vm : {&one, &two}) {
    const Outcome boot = svc.plumb(vm->node(), "boot");
    CHECK_MESSAGE(boot.exit_code == 0, boot.err);
    CHECK(has(boot.out, "encap: on standby on " + vm->node().name()));
    CHECK(vm->state() == "running");
    CHECK(svc.plumb(vm->node(), "status").exit_code == 3);
    CHECK(has(svc.plumb(vm->node(), "boot").out, "is on standby already"));
  }
  CHECK_FALSE(answers(kAddress));
  const std::string before = one.addresses();

  Capture wire(Node("client"), "eth0");
  const Outcome start = svc.plumb(one.node(), "start");
  CHECK_MESSAGE(start.exit_code == 0, start.err);
  CHECK(wire.await(
      [](const Frame& f) {
        const auto arp = f.arp();
        return arp && arp->claims(kAddress);
      },
      3s));
  CHECK(answers(kAddress));
  CHECK(has(one.addresses(), kAddress + "/24"));  // the netmask is that of the device's own address
  const Outcome status = svc.plumb(one.node(), "status");
  CHECK_MESSAGE(status.exit_code == 0, status.out);
  CHECK_MESSAGE(has(status.out, kAddress + "/24 on eth0 in container#0"), status.out);
  CHECK_MESSAGE(has(status.out, ", on standby"), status.out);

  // The other node's container is a rival like any other: it is not started a second time, and its container is left
  // alone.
  const Outcome second = svc.plumb(two.node(), "start");
  CHECK(second.exit_code == 5);
  CHECK(two.state() == "running");
  CHECK_FALSE(has(two.addresses(), kAddress));

  CHECK(svc.plumb(one.node(), "stop").exit_code == 0);
  CHECK(one.addresses() == before);
  CHECK(one.state() == "running");
  CHECK(svc.plumb(two.node(), "start").exit_code == 0);
  CHECK(answers(kAddress));

  CHECK(svc.plumb(two.node(), "shutdown").exit_code == 0);
  CHECK(two.state() == "exited");
  CHECK(svc.plumb(one.node(), "shutdown").exit_code == 0);
  CHECK(one.state() == "exited");
}

TEST_CASE("a start that begins with the container, and fails inside it, leaves it as it was") {
  const SystemContainer vm("n1", "10.0.3.41");
  const Service svc("encap", edited(reference("encapsulation"), "ipdev", "ipdev = eth7"));
  const Outcome start = svc.plumb(vm.node(), "start");
  CHECK(start.exit_code == 1);
  CHECK_MESSAGE(has(start.err, "ip#0: device eth7, container#0: no such device (there are: lo, eth0)"), start.err);
  CHECK_MESSAGE(has(start.err, "is undone"), start.err);
  CHECK(vm.state() == "exited");

  // A rival is heard from inside, too.
  const Service good("encap", reference("encapsulation"));
  std::string mac = lab({"rival", kAddress, "--drop-ping"});
  mac.resize(17);
  const Outcome refused = good.plumb(vm.node(), "start");
  CHECK(refused.exit_code == 5);
  CHECK_MESSAGE(has(refused.err, mac), refused.err);
  CHECK(vm.state() == "exited");
  lab({"rival", "--gone"});
  // Without it the same start goes well, from a container that does not run.
  const Outcome again = good.plumb(vm.node(), "start");
  CHECK_MESSAGE(again.exit_code == 0, again.err);
  CHECK(answers(kAddress));
}

TEST_CASE("boot and shutdown without a name take every service of the node, and no other") {
  const SystemContainer vm("n1", "10.0.3.41");
  const Service encap("encap", reference("encapsulation"));
  const Service elsewhere("elsewhere", "[DEFAULT]\nnodes = n3\n[container#0]\nname = vm9\nstandby = true\n");
  const Service web("web", shared_engine_spec());
  const Outcome boot = vm.node().run({program(), "boot"});
  CHECK_MESSAGE(boot.exit_code == 0, boot.err);
  CHECK(has(boot.out, "encap: on standby on n1"));
  CHECK_FALSE(has(boot.out, "web"));
  CHECK(vm.state() == "running");
  REQUIRE(web.plumb(vm.node(), "start").exit_code == 0);
  const Outcome shutdown = vm.node().run({program(), "shutdown"});
  CHECK_MESSAGE(shutdown.exit_code == 0, shutdown.err);
  CHECK(vm.state() == "exited");
  CHECK(web.plumb(vm.node(), "status").exit_code == 3);
}

TEST_CASE("an address of a node's own on standby is there before and after the service") {
  const Node n1("n1");
  const Service svc(
      "own", "[ip#0]\nipname = 10.0.3.31\nipdev = eth0\nstandby = true\n[ip#1]\nipname = 10.0.3.32\nipdev = eth0\n");
  const auto on_node = [&] { return n1.must({"ip", "-br", "-4", "address", "show", "dev", "eth0"}); };
  CHECK(svc.plumb(n1, "boot").exit_code == 0);
  CHECK(has(on_node(), "10.0.3.31/24"));
  CHECK_FALSE(has(on_node(), "10.0.3.32/24"));
  CHECK(svc.plumb(n1, "status").exit_code == 3);
  CHECK(svc.plumb(n1, "start").exit_code == 0);
  CHECK(svc.plumb(n1, "status").exit_code == 0);
  CHECK(svc.plumb(n1, "stop").exit_code == 0);
  CHECK(has(on_node(), "10.0.3.31/24"));
  CHECK_FALSE(has(on_node(), "10.0.3.32/24"));
  CHECK(svc.plumb(n1, "shutdown").exit_code == 0);
  CHECK_FALSE(has(on_node(), "10.0.3.31/24"));
}

}  // namespace
}  // namespace plumb::lab
