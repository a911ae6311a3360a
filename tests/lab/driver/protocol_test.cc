// The plugin protocol, spoken to the real driver without an engine: what engines send in bad moments, and what none
// should ever send. Whatever it is: an answer in time, nothing half done, and the next call is answered as ever.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/lab/driver/faults.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

const std::string kState = "/var/lib/plumb/driver-protocol";
const std::string kNet(64, 'a');
const std::string kOther(64, 'b');

// As the engine's: 64 digits, told apart by the first.
std::string endpoint_id(unsigned n) {
  std::string id = std::to_string(n);
  return std::string(12 - id.size(), 'e') + id + std::string(52, 'f');
}

// A driver with records of its own, and what it answers.
struct Bare {
  Bare() {
    n1.remove(kState);
    driver.emplace(n1, how);
  }
  ~Bare() {
    driver.reset();
    n1.remove(kState);
    // What a failed test has left.
    n1.run({"bash", "-c",
            "ip -j link | tr , '\\n' | sed -n 's/.*\"ifname\":\"\\(pe[^\"]*\\)\"/\\1/p' | "
            "xargs -rn1 ip link del"});
  }
  Bare(const Bare&) = delete;
  Bare& operator=(const Bare&) = delete;

  [[nodiscard]] Answer ask(const std::string& method, const Json& body) const { return call(n1, method, body.dump()); }
  // Answered well; a failure says with what.
  Json must(const std::string& method, const Json& body) const {
    const Answer answer = ask(method, body);
    CAPTURE(method);
    CAPTURE(answer.body);
    REQUIRE(answer.status == 200);
    REQUIRE(answer.error().empty());
    return Json::parse(answer.body, nullptr, false);
  }
  void make_network(const std::string& id = kNet) const { must("NetworkDriver.CreateNetwork", network(id)); }
  static Json network(const std::string& id) {
    return {{"NetworkID", id},
            {"Options", {{"com.docker.network.generic", {{"parent", "eth0"}, {"probe", "off"}}}}},
            {"IPv4Data", {{{"AddressSpace", ""}, {"Pool", "10.0.3.0/24"}, {"Gateway", "10.0.3.1/24"}}}},
            {"IPv6Data", Json::array()}};
  }
  static Json endpoint(unsigned n, const std::string& address) {
    return {{"NetworkID", kNet},
            {"EndpointID", endpoint_id(n)},
            {"Interface", {{"Address", address}, {"AddressIPv6", ""}, {"MacAddress", ""}}},
            {"Options", Json::object()}};
  }
  static Json named(unsigned n) { return {{"NetworkID", kNet}, {"EndpointID", endpoint_id(n)}}; }
  void restart() {
    driver.reset();
    driver.emplace(n1, how);
  }
  // It lives and knows its work still.
  void check_alive() const { CHECK(call(n1, "Plugin.Activate", "").status == 200); }

  Node n1{"n1"};
  DriverHow how{nullptr, {}, kState};
  std::optional<Driver> driver;
};

const Words kNeedBody{"NetworkDriver.CreateNetwork",  "NetworkDriver.DeleteNetwork", "NetworkDriver.CreateEndpoint",
                      "NetworkDriver.DeleteEndpoint", "NetworkDriver.Join",          "NetworkDriver.Leave",
                      "IpamDriver.RequestPool",       "IpamDriver.ReleasePool",      "IpamDriver.RequestAddress",
                      "IpamDriver.ReleaseAddress"};

TEST_CASE(
    "an empty body, as the engine repeats a cut call with it, is refused where a body is needed, and only there") {
  const Bare bare;
  bare.make_network();
  for (const auto& method : kNeedBody) {
    const Answer answer = call(bare.n1, method, "");
    CAPTURE(method);
    CHECK(answer.status == 400);
    CHECK(answer.error().find("no body") != std::string::npos);
  }
  for (const std::string method : {"Plugin.Activate", "NetworkDriver.GetCapabilities", "IpamDriver.GetCapabilities",
                                   "IpamDriver.GetDefaultAddressSpaces", "NetworkDriver.EndpointOperInfo"})
    CHECK(call(bare.n1, method, "").status == 200);
  CHECK(records(bare.n1, kState) == Words{"networks/" + kNet + ".json"});
}

TEST_CASE("unknown ids: nothing is there to remove, which is well, nothing is there to join, which is said") {
  const Bare bare;
  for (const std::string method : {"NetworkDriver.Leave", "NetworkDriver.DeleteEndpoint", "NetworkDriver.DeleteNetwork",
                                   "NetworkDriver.EndpointOperInfo", "NetworkDriver.RevokeExternalConnectivity"})
    bare.must(method, Bare::named(1));
  bare.must("IpamDriver.ReleasePool", {{"PoolID", "nopool"}});
  bare.must("IpamDriver.ReleaseAddress", {{"PoolID", "nopool"}, {"Address", "10.0.3.9"}});
  for (const std::string method : {"NetworkDriver.Join", "NetworkDriver.CreateEndpoint"}) {
    const Answer answer = bare.ask(method, Bare::endpoint(1, "10.0.3.33/24"));
    CHECK(answer.status == 200);
    CHECK(answer.error().find("does not know it") != std::string::npos);
  }
  CHECK(call(bare.n1, "NetworkDriver.Nonsense", "{}").status == 404);
  CHECK(links_on_node(bare.n1).empty());
  CHECK(records(bare.n1, kState).empty());
}

TEST_CASE("the same CreateEndpoint twice has one answer and one link, with another address it is an error") {
  const Bare bare;
  bare.make_network();
  bare.make_network();
  const Json first = bare.must("NetworkDriver.CreateEndpoint", Bare::endpoint(1, "10.0.3.33/24"));
  CHECK(first.at("Interface").at("MacAddress").get<std::string>().size() == 17);
  CHECK(bare.must("NetworkDriver.CreateEndpoint", Bare::endpoint(1, "10.0.3.33/24")) == first);
  const std::string link = links_on_node(bare.n1);
  CHECK(link == "pe" + endpoint_id(1).substr(0, 12) + "\n");
  CHECK(bare.ask("NetworkDriver.CreateEndpoint", Bare::endpoint(1, "10.0.3.34/24")).error().find("exists") !=
        std::string::npos);
  CHECK(links_on_node(bare.n1) == link);
  const Json joined = bare.must("NetworkDriver.Join", Bare::named(1));
  CHECK(bare.must("NetworkDriver.Join", Bare::named(1)) == joined);
  for (int i = 0; i < 2; ++i) {
    bare.must("NetworkDriver.Leave", Bare::named(1));
    bare.must("NetworkDriver.DeleteEndpoint", Bare::named(1));
    CHECK(links_on_node(bare.n1).empty());
  }
  for (int i = 0; i < 2; ++i) bare.must("NetworkDriver.DeleteNetwork", {{"NetworkID", kNet}});
  CHECK(records(bare.n1, kState).empty());
}

TEST_CASE("what is filled in already is not answered again: the engine would call it modified") {
  const Bare bare;
  bare.make_network();
  Json wanted = Bare::endpoint(1, "10.0.3.33/24");
  wanted["Interface"]["MacAddress"] = "02:42:0a:00:03:21";
  const Json answer = bare.must("NetworkDriver.CreateEndpoint", wanted);
  CHECK(answer == Json::object());
  CHECK(bare.n1.must({"ip", "link", "show", "pe" + endpoint_id(1).substr(0, 12)}).find("02:42:0a:00:03:21") !=
        std::string::npos);
  // Not in Interface, but in Options, as older engines have it.
  wanted = Bare::endpoint(2, "10.0.3.34/24");
  wanted["Options"] = {{"com.docker.network.endpoint.macaddress", "02:42:0a:00:03:22"}};
  CHECK(bare.must("NetworkDriver.CreateEndpoint", wanted) ==
        Json{{"Interface", {{"MacAddress", "02:42:0a:00:03:22"}}}});
}

TEST_CASE("auxiliary addresses and the gateway are never chosen") {
  const Bare bare;
  const auto pool = bare.must("IpamDriver.RequestPool", {{"Pool", "10.0.3.64/29"}, {"V6", false}}).at("PoolID");
  Json network = Bare::network(kNet);
  network["IPv4Data"] = {{{"Pool", "10.0.3.64/29"},
                          {"Gateway", "10.0.3.65"},  // without a prefix
                          {"AuxAddresses", {{"printer", "10.0.3.66/29"}, {"router", "10.0.3.68"}}}}};
  bare.must("NetworkDriver.CreateNetwork", network);
  std::set<std::string> given;
  for (int i = 0; i < 3; ++i) given.insert(bare.must("IpamDriver.RequestAddress", {{"PoolID", pool}}).at("Address"));
  CHECK(given == std::set<std::string>{"10.0.3.67/29", "10.0.3.69/29", "10.0.3.70/29"});
  CHECK(bare.ask("IpamDriver.RequestAddress", {{"PoolID", pool}}).error().find("no address of") != std::string::npos);
  bare.must("NetworkDriver.CreateEndpoint", Bare::endpoint(1, "10.0.3.67/29"));
  CHECK(bare.must("NetworkDriver.Join", Bare::named(1)).at("Gateway") == "10.0.3.65");
}

TEST_CASE("a network without IPv4Data, with null, without a gateway: taken, without options: the parent is missed") {
  const Bare bare;
  Json network = Bare::network(kNet);
  SUBCASE("no IPv4Data") { network.erase("IPv4Data"); }
  SUBCASE("null") { network["IPv4Data"] = network["IPv6Data"] = nullptr; }
  SUBCASE("no gateway, and null for the rest") {
    network["IPv4Data"] = {{{"Pool", "10.0.3.0/24"}, {"Gateway", nullptr}, {"AuxAddresses", nullptr}}};
  }
  bare.must("NetworkDriver.CreateNetwork", network);
  Json endpoint = Bare::endpoint(1, "10.0.3.33/24");
  endpoint["Options"] = nullptr;
  bare.must("NetworkDriver.CreateEndpoint", endpoint);
  const Json joined = bare.must("NetworkDriver.Join", Bare::named(1));
  CHECK_FALSE(joined.contains("Gateway"));
  CHECK(joined.at("DisableGatewayService") == true);
  Json without = Bare::network(kOther);
  without["Options"] = nullptr;
  const Answer answer = bare.ask("NetworkDriver.CreateNetwork", without);
  CHECK(answer.status == 200);
  CHECK(answer.error().find("parent") != std::string::npos);
}

TEST_CASE("values of wrong types everywhere: each is answered, nothing is made, the driver lives") {
  const Bare bare;
  bare.make_network();
  const Words values{"null", "true", "17", "-1e308", "\"\"", "\"x\"", "[]", "[[[[]]]]", "{}", "{\"a\":{\"b\":null}}"};
  const Words names{"NetworkID", "EndpointID", "Interface", "Options", "IPv4Data", "IPv6Data",
                    "Pool",      "PoolID",     "SubPool",   "V6",      "Address",  "SandboxKey"};
  Words methods = kNeedBody;
  methods.emplace_back("NetworkDriver.EndpointOperInfo");
  methods.emplace_back("NetworkDriver.DiscoverNew");
  for (const auto& method : methods) {
    for (const auto& value : values) {
      std::string all;
      for (const auto& name : names) all += (all.empty() ? "{\"" : ",\"") + name + "\":" + value;
      for (const auto& body : {value, all + "}", "{\"NetworkID\":\"" + kOther + "\"," + all.substr(1) + "}", all}) {
        const Answer answer = call(bare.n1, method, body);
        CAPTURE(method);
        CAPTURE(body);
        CHECK(answer.status != 0);
        CHECK(answer.status != 500);
        CHECK(answer.took < 10s);
        CHECK(Json::parse(answer.body, nullptr, false).is_object());
      }
    }
  }
  bare.check_alive();
  CHECK(links_on_node(bare.n1).empty());
  CHECK(records(bare.n1, kState) == Words{"networks/" + kNet + ".json"});
}

TEST_CASE("ids that lead out of the folder, or are no ids, are refused") {
  const Bare bare;
  bare.make_network();
  for (const std::string& id : {std::string("../../../../srv/evil"), std::string("a/b"), std::string(".."),
                                std::string(), std::string(200, 'c'), std::string("a\nb"), std::string("a b")}) {
    Json body = Bare::endpoint(1, "10.0.3.33/24");
    body["EndpointID"] = id;
    CAPTURE(id);
    for (const std::string method : {"CreateEndpoint", "Join", "Leave", "DeleteEndpoint"})
      CHECK(bare.ask("NetworkDriver." + method, body).status == 400);
    for (const std::string method : {"CreateNetwork", "DeleteNetwork"})
      CHECK(bare.ask("NetworkDriver." + method, Bare::network(id)).status == 400);
  }
  CHECK(bare.n1.run({"test", "-e", "/srv/evil.json"}).exit_code == 1);
  CHECK(records(bare.n1, kState) == Words{"networks/" + kNet + ".json"});
  CHECK(links_on_node(bare.n1).empty());
}

TEST_CASE("sixteen at once for one address: one has it, the others are told, and nothing of theirs is left") {
  const Bare bare;
  bare.make_network();
  std::vector<Answer> answers(16);
  {
    std::vector<std::jthread> callers;
    for (unsigned i = 0; i < answers.size(); ++i)
      callers.emplace_back(
          [&, i] { answers[i] = bare.ask("NetworkDriver.CreateEndpoint", Bare::endpoint(i, "10.0.3.33/24")); });
  }
  unsigned winners = 0;
  for (const auto& answer : answers) {
    CAPTURE(answer.body);
    CHECK(answer.status == 200);
    if (answer.error().empty()) ++winners;
    CHECK((answer.error().empty() || answer.error().find("10.0.3.33") != std::string::npos));
  }
  CHECK(winners == 1);
  const std::string links = links_on_node(bare.n1);
  CHECK(std::count(links.begin(), links.end(), '\n') == 1);
  CHECK(records(bare.n1, kState).size() == 2);
  // The same endpoint sixteen times: all have the one answer.
  {
    std::vector<std::jthread> callers;
    for (auto& answer : answers)
      callers.emplace_back(
          [&] { answer = bare.ask("NetworkDriver.CreateEndpoint", Bare::endpoint(99, "10.0.3.34/24")); });
  }
  for (const auto& answer : answers) CHECK(answer.body == answers[0].body);
  CHECK(answers[0].error().empty());
}

TEST_CASE("a client that goes away, in the middle of its call or of the answer, costs nobody anything") {
  const Bare bare;
  bare.make_network();
  const std::string body = Bare::endpoint(1, "10.0.3.33/24").dump();
  const std::string head = "POST /NetworkDriver.CreateEndpoint HTTP/1.1\r\nHost:\r\nContent-Length: ";
  const std::string whole = head + std::to_string(body.size()) + "\r\n\r\n" + body;
  const auto idle = bare.driver->descriptors();
  for (std::size_t size = 1; size < whole.size(); size += 40) {
    const UniqueFd fd = connect_to_driver(bare.n1);
    CHECK(::send(fd.get(), whole.data(), size, MSG_NOSIGNAL) == static_cast<ssize_t>(size));
  }
  CHECK(records(bare.n1, kState) == Words{"networks/" + kNet + ".json"});
  {
    const UniqueFd fd = connect_to_driver(bare.n1);
    CHECK(::send(fd.get(), whole.data(), whole.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(whole.size()));
  }
  // One that sends half and stays holds up nobody.
  const UniqueFd stays = connect_to_driver(bare.n1);
  CHECK(::send(stays.get(), whole.data(), 60, MSG_NOSIGNAL) == 60);
  const Json again = bare.must("NetworkDriver.CreateEndpoint", Bare::endpoint(1, "10.0.3.33/24"));
  CHECK(again.at("Interface").contains("MacAddress"));
  CHECK(links_on_node(bare.n1) == "pe" + endpoint_id(1).substr(0, 12) + "\n");
  CHECK(becomes([&] { return bare.driver->descriptors() <= idle + 1; }, 10s));
}

TEST_CASE(
    "a Join without a sandbox, with one that is not there, or is no namespace: the endpoint can go all the same") {
  Bare bare;
  bare.make_network();
  bare.n1.write("/srv/no-namespace", "");
  for (const std::string& sandbox :
       {std::string(), std::string("/run/docker/netns/missing"), std::string("/srv/no-namespace"), std::string("/"),
        std::string("/proc/1/status")}) {
    CAPTURE(sandbox);
    for (const bool lost : {false, true}) {
      CAPTURE(lost);
      bare.must("NetworkDriver.CreateEndpoint", Bare::endpoint(1, "10.0.3.33/24"));
      Json join = Bare::named(1);
      if (!sandbox.empty()) join["SandboxKey"] = sandbox;
      bare.must("NetworkDriver.Join", join);
      // As if it had gone with its container.
      if (lost) bare.n1.must({"ip", "link", "del", "pe" + endpoint_id(1).substr(0, 12)});
      bare.must("NetworkDriver.Leave", Bare::named(1));
      bare.must("NetworkDriver.DeleteEndpoint", Bare::named(1));
      CHECK(records(bare.n1, kState) == Words{"networks/" + kNet + ".json"});
      CHECK(links_on_node(bare.n1).empty());
    }
  }
  bare.n1.remove("/srv/no-namespace");
}

TEST_CASE("a stale socket is replaced, a file that is none, and a living driver's, are not") {
  Bare bare;
  const Words command{PLUMB_PROGRAM, "driver", "--state", kState};
  const Outcome second = bare.n1.run(command, 10s);
  CHECK(second.exit_code == exit_failed);
  CHECK(second.err.find("somebody listens there") != std::string::npos);
  // Elsewhere, but with the same records.
  const Outcome beside = bare.n1.run({PLUMB_PROGRAM, "driver", "--state", kState, "--socket", "/run/beside.sock"}, 10s);
  CHECK(beside.exit_code == exit_failed);
  CHECK(beside.err.find("another driver of plumb uses this folder") != std::string::npos);
  CHECK(bare.n1.run({"test", "-e", "/run/beside.sock"}).exit_code == 1);
  bare.check_alive();
  CHECK(bare.driver->end(SIGKILL).exit_code == 128 + SIGKILL);
  CHECK(bare.n1.run({"test", "-S", kDriverSocket}).exit_code == 0);  // stale now
  bare.restart();
  bare.check_alive();
  CHECK(bare.driver->end(SIGTERM).exit_code == exit_ok);
  CHECK(bare.n1.run({"test", "-e", kDriverSocket}).exit_code == 1);
  bare.n1.write(kDriverSocket, "precious");
  const Outcome refused = bare.n1.run(command, 10s);
  CHECK(refused.exit_code == exit_failed);
  CHECK(bare.n1.must({"cat", kDriverSocket}) == "precious");
  bare.n1.remove(kDriverSocket);
}

TEST_CASE("a record that was broken by hand is set aside with its text, the others live") {
  Bare bare;
  bare.make_network();
  bare.make_network(kOther);
  for (const unsigned n : {1U, 2U})
    bare.must("NetworkDriver.CreateEndpoint", Bare::endpoint(n, "10.0.3.3" + std::to_string(n) + "/24"));
  const Json mac = bare.must("NetworkDriver.CreateEndpoint", Bare::endpoint(1, "10.0.3.31/24"));
  std::string broken;
  SUBCASE("cut") { broken = "{\"id\":"; }
  SUBCASE("empty") { broken = ""; }
  SUBCASE("another's") { broken = "{\"id\":\"" + kNet + "\",\"version\":1}"; }
  const std::string network = "networks/" + kOther + ".json";
  const std::string endpoint = "endpoints/" + endpoint_id(2) + ".json";
  bare.n1.write(kState + "/" + network, broken);
  bare.n1.write(kState + "/" + endpoint, broken);
  bare.restart();
  CHECK(bare.n1.must({"cat", kState + "/" + network + ".broken-1"}) == broken);
  CHECK(bare.n1.must({"cat", kState + "/" + endpoint + ".broken-1"}) == broken);
  // The other network and its endpoint are as before; the link that nobody stands for is gone.
  CHECK(bare.must("NetworkDriver.CreateEndpoint", Bare::endpoint(1, "10.0.3.31/24")) == mac);
  CHECK(links_on_node(bare.n1) == "pe" + endpoint_id(1).substr(0, 12) + "\n");
  bare.must("NetworkDriver.DeleteEndpoint", Bare::named(2));
  bare.make_network(kOther);
}

TEST_CASE("with a record of a newer program the driver does not start, says so, and leaves all as it is") {
  Bare bare;
  bare.make_network();
  bare.make_network(kOther);
  bare.must("NetworkDriver.CreateEndpoint", Bare::endpoint(1, "10.0.3.31/24"));
  std::string path = kState + "/networks/" + kOther + ".json";
  std::string newer = "{\"version\":99}";
  SUBCASE("of a network") {}
  SUBCASE("of a lease") {
    const std::string pool =
        bare.must("IpamDriver.RequestPool", {{"Pool", "10.0.3.64/29"}, {"V6", false}}).at("PoolID");
    bare.must("IpamDriver.RequestAddress", {{"PoolID", pool}, {"Address", "10.0.3.66"}});
    path = kState + "/leases/" + pool + "/10.0.3.66";
    newer = "plumb-lease 99\nwhat nobody knows yet";
  }
  const std::string good = bare.n1.must({"cat", path});
  bare.driver.reset();
  bare.n1.write(path, newer);
  const Outcome refused = bare.n1.run({PLUMB_PROGRAM, "driver", "--state", kState, "--socket", kDriverSocket}, 10s);
  CHECK(refused.exit_code != 0);
  CHECK_MESSAGE(refused.err.find("it has version 99") != std::string::npos, refused.err);
  CHECK(bare.n1.must({"cat", path}) == newer);
  CHECK_FALSE(links_on_node(bare.n1).empty());
  // The right program again.
  bare.n1.write(path, good);
  bare.restart();
  bare.make_network(kOther);
  CHECK_FALSE(links_on_node(bare.n1).empty());
}

}  // namespace
}  // namespace plumb::lab
