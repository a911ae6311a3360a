// A driver that starts where there are endpoints already: it serves at once and looks at them afterwards, and whatever
// it is asked meanwhile is answered as if it had looked; and one with few descriptors, or many addresses to announce.
//
// The engine is this test. A sandbox that is a FIFO holds whoever looks into it, until somebody opens its other end: so
// the driver stands still in the midst of its look, for as long as a test needs.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "specs/value/unique_fd.h"
#include "tests/lab/capture.h"
#include "tests/lab/driver/faults.h"
#include "tests/lab/driver/settled.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

const std::string kState = "/var/lib/plumb/driver-restart";
constexpr unsigned kLookers = 4;  // of Networks

std::string id_of(unsigned i) { return std::to_string(100'000'000'000 + i) + std::string(52, 'e'); }
std::string address_of(unsigned i) {
  return "10.0." + std::to_string(64 + i / 250) + "." + std::to_string(1 + i % 250);
}

// Endpoints on a network of the node, in one namespace each or all in one; all of it goes with the object.
class Endpoints {
 public:
  // `network`: of whose id each digit is that one.
  explicit Endpoints(const Node& node, char network = 'd') : node_(node), network_(64, network) {
    pool_ = ask("IpamDriver.RequestPool", {{"Pool", "10.0.0.0/16"}, {"SubPool", "10.0.64.0/29"}, {"V6", false}})
                .value("PoolID", std::string());
    ask("NetworkDriver.CreateNetwork",
        {{"NetworkID", network_},
         {"Options", {{"com.docker.network.generic", {{"parent", "eth0"}, {"probe", "off"}}}}},
         {"IPv4Data", {{{"Pool", "10.0.0.0/16"}, {"Gateway", "10.0.3.1/16"}}}}});
  }
  // With a driver that serves.
  ~Endpoints() {
    for (const auto i : made_) ask("NetworkDriver.DeleteEndpoint", named(i));
    ask("NetworkDriver.DeleteNetwork", {{"NetworkID", network_}});
    ask("IpamDriver.ReleasePool", {{"PoolID", pool_}});
    for (const auto& sandbox : sandboxes_) node_.run({"ip", "netns", "del", sandbox});
  }
  Endpoints(const Endpoints&) = delete;
  Endpoints& operator=(const Endpoints&) = delete;

  // The container's namespace is `inside`; what the driver is told of is that, or another path.
  void make(unsigned i, const std::string& inside, const std::string& told = {}) {
    if (sandboxes_.insert(inside).second) {
      node_.run({"ip", "netns", "del", inside});  // of a test that was killed
      node_.must({"ip", "netns", "add", inside});
    }
    made_.insert(i);
    told_[i] = told.empty() ? "/run/netns/" + inside : told;
    lease(i);
    CHECK(create(i) == "");
    const auto link = ask("NetworkDriver.Join", named(i))["InterfaceName"].value("SrcName", std::string());
    node_.must({"bash", "-ec",
                "ip link set $1 netns $2 name $3; ip -n $2 address add $4/16 dev $3; ip -n $2 link set $3 up", "in",
                link, inside, "eth" + std::to_string(i), address_of(i)});
  }
  // What is wrong, or nothing.
  std::string create(unsigned i, const std::string& id = {}) {
    Json wanted = named(i);
    if (!id.empty()) wanted["EndpointID"] = id;
    wanted["Interface"] = {{"Address", address_of(i) + "/16"}};
    return call(node_, "NetworkDriver.CreateEndpoint", wanted.dump()).error();
  }
  std::string lease(unsigned i) {
    return call(node_, "IpamDriver.RequestAddress", Json{{"PoolID", pool_}, {"Address", address_of(i)}}.dump()).error();
  }
  std::string choose() { return ask("IpamDriver.RequestAddress", {{"PoolID", pool_}}).value("Address", std::string()); }
  std::string remove(unsigned i) {
    made_.erase(i);
    return call(node_, "NetworkDriver.DeleteEndpoint", named(i).dump()).error();
  }
  void forget_sandbox(const std::string& inside) {
    node_.must({"ip", "netns", "del", inside});
    sandboxes_.erase(inside);
  }
  // Both as after a call that a driver was killed over: the engine repeats it without its body.
  void cut_removal() {
    call(node_, "NetworkDriver.DeleteNetwork", "");
    ask("IpamDriver.ReleasePool", {{"PoolID", pool_}});
  }
  [[nodiscard]] bool has_network() const { return has("networks/" + network_); }
  [[nodiscard]] bool has_record(unsigned i) const { return has("endpoints/" + id_of(i)); }
  [[nodiscard]] bool is_inside(unsigned i, const std::string& inside) const {
    return node_.run({"ip", "-n", inside, "link", "show", "eth" + std::to_string(i)}).exit_code == 0;
  }

 private:
  [[nodiscard]] bool has(const std::string& record) const {
    return std::filesystem::exists(node_.outside(kState + "/" + record + ".json"));
  }
  [[nodiscard]] Json named(unsigned i) const {
    const auto told = told_.find(i);
    return {{"NetworkID", network_},
            {"EndpointID", id_of(i)},
            {"SandboxKey", told == told_.end() ? std::string("/run/netns/none") : told->second}};
  }
  Json ask(const std::string& method, const Json& body) {
    const Answer answer = call(node_, method, body.dump());
    CHECK_MESSAGE((answer.status == 200 && answer.error().empty()), method, ": ", answer.body);
    const Json json = Json::parse(answer.body, nullptr, false);
    return json.is_object() ? json : Json::object();
  }
  Node node_;
  std::string network_;
  std::string pool_;
  std::set<std::string> sandboxes_;
  std::map<unsigned, std::string> told_;
  std::set<unsigned> made_;
};

// FIFOs in the node, each of which holds a thread that opens it to read.
class Holds {
 public:
  explicit Holds(const Node& node) : node_(node) {
    for (unsigned i = 0; i < kLookers; ++i) {
      node_.remove(path(i));
      if (::mkfifo(node_.outside(path(i)).c_str(), 0600) != 0) give_up_errno("mkfifo");
    }
  }
  ~Holds() {
    release();
    for (unsigned i = 0; i < kLookers; ++i) node_.remove(path(i));
  }
  Holds(const Holds&) = delete;
  Holds& operator=(const Holds&) = delete;
  static std::string path(unsigned i) { return "/run/plumb-test-hold" + std::to_string(i); }

  // Who waits is let go. To it, and to who looks later, the container is one that cannot be looked into.
  void release() {
    for (unsigned i = 0; i < kLookers; ++i) {
      UniqueFd other(::open(node_.outside(path(i)).c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
      node_.write(path(i) + ".file", "");
      std::filesystem::rename(node_.outside(path(i) + ".file"), node_.outside(path(i)));
      if (other) others_.push_back(std::move(other));
    }
  }

 private:
  Node node_;
  std::vector<UniqueFd> others_;
};

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The addresses that have been announced.
std::set<std::string> announced(Capture& wire) {
  std::set<std::string> out;
  for (const auto& frame : wire.frames())
    if (const auto arp = frame.arp(); arp && arp->claims(arp->target_ip)) out.insert(arp->target_ip);
  return out;
}

bool hears(Capture& wire, unsigned i) {
  return wire.await([&](const Frame& frame) { return frame.arp() && frame.arp()->claims(address_of(i)); }, 10s);
}

// Those that hold the driver come first, as it looks in the order of their ids.
void make_held(Endpoints& endpoints) {
  for (unsigned i = 0; i < kLookers; ++i) endpoints.make(i, "restarted-held", Holds::path(i));
}

TEST_CASE("a driver that has looked at nothing yet answers as if it had, and looks at what it is asked about alone") {
  const Node n1("n1");
  const Node client("client");
  n1.remove(kState);
  std::optional<Driver> driver(std::in_place, n1, DriverHow{nullptr, {}, kState});
  std::optional<Endpoints> endpoints(std::in_place, n1);
  make_held(*endpoints);
  for (const unsigned i : {4U, 5U, 6U}) endpoints->make(i, "restarted" + std::to_string(i));
  driver->end(SIGKILL);
  endpoints->forget_sandbox("restarted6");
  Capture wire(client, "eth0");
  Holds holds(n1);
  const DriverHow how{nullptr, {}, kState, false};
  driver.emplace(n1, how);
  // Killed in the midst of it, and the same again.
  driver->end(SIGKILL);
  driver.emplace(n1, how);
  CHECK(says(driver->log(), "ready, 1 networks and 7 endpoints"));

  CHECK(says(endpoints->lease(4), "is in use by endpoint " + id_of(4).substr(0, 12)));
  CHECK(hears(wire, 4));
  CHECK_FALSE(announced(wire).contains(address_of(5)));
  // The only one of the range that no endpoint has.
  CHECK(endpoints->choose() == "10.0.64.0/16");
  CHECK(says(endpoints->create(5, id_of(50)), "endpoint " + id_of(5).substr(0, 12) + " of this node has it"));
  CHECK(endpoints->is_inside(5, "restarted5"));
  // One whose container is gone is in nobody's way.
  CHECK(endpoints->has_record(6));
  CHECK(endpoints->lease(6) == "");
  CHECK_FALSE(endpoints->has_record(6));
  CHECK(endpoints->remove(4) == "");
  CHECK_FALSE(endpoints->has_record(4));
  CHECK_FALSE(endpoints->is_inside(4, "restarted4"));
  // One that is being looked at is waited for, and not answered for as free meanwhile.
  auto held = std::async(std::launch::async, [&] { return endpoints->lease(0); });
  CHECK_FALSE(has_settled(driver->log()));
  CHECK(held.wait_for(0s) == std::future_status::timeout);
  holds.release();
  CHECK(says(held.get(), "is in use by endpoint " + id_of(0).substr(0, 12)));
  CHECK(becomes([&] { return has_settled(driver->log()); }, 10s));
  CHECK(endpoints->is_inside(5, "restarted5"));
  CHECK(hears(wire, 5));
  endpoints.reset();
  driver.reset();
  CHECK(records(n1, kState).empty());
  n1.remove(kState);
}

TEST_CASE(
    "a network whose removal was cut goes with its pool though its dead endpoint is not looked at, and no other") {
  const Node n1("n1");
  n1.remove(kState);
  std::optional<Driver> driver(std::in_place, n1, DriverHow{nullptr, {}, kState});
  std::optional<Endpoints> held(std::in_place, n1, 'b');
  std::optional<Endpoints> dead(std::in_place, n1, 'c');
  std::optional<Endpoints> alive(std::in_place, n1, 'd');
  make_held(*held);
  dead->make(4, "restarted4");
  alive->make(5, "restarted5");
  driver->end(SIGKILL);
  dead->forget_sandbox("restarted4");
  Holds holds(n1);
  driver.emplace(n1, DriverHow{nullptr, {}, kState, false});
  dead->cut_removal();
  alive->cut_removal();
  CHECK_FALSE(dead->has_network());
  CHECK_FALSE(dead->has_record(4));
  CHECK(alive->has_network());
  CHECK(alive->is_inside(5, "restarted5"));
  CHECK_FALSE(has_settled(driver->log()));
  holds.release();
  for (auto* endpoints : {&held, &dead, &alive}) endpoints->reset();
  driver.reset();
  CHECK(records(n1, kState).empty());
  n1.remove(kState);
}

TEST_CASE(
    "many addresses at once: each is announced, with sockets in a number that has a bound, and with few descriptors") {
  constexpr unsigned kMany = 120;
  constexpr std::size_t kMostDescriptors = 64 + 40;  // what may be open to announce, and all else
  constexpr unsigned kFew = 40;
  const Node n1("n1");
  const Node client("client");
  n1.remove(kState);
  std::optional<Driver> driver(std::in_place, n1, DriverHow{nullptr, {}, kState});
  std::optional<Endpoints> endpoints(std::in_place, n1);
  for (unsigned i = 0; i < kMany; ++i) endpoints->make(i, "restarted" + std::to_string(i % 8));
  for (const unsigned descriptors : {0U, kFew}) {
    CAPTURE(descriptors);
    driver->end(SIGKILL);
    Capture wire(client, "eth0");
    driver.emplace(n1, DriverHow{nullptr, {}, kState, false, descriptors});
    std::size_t most = 0;
    CHECK(becomes(
        [&] {
          most = std::max(most, driver->descriptors());
          return announced(wire).size() >= kMany;
        },
        30s));
    CHECK(announced(wire).size() == kMany);
    CHECK(most < kMostDescriptors);
    for (const auto* lost : {"not announced", "not claimed", "not looked after"})
      CHECK_FALSE(says(driver->log(), lost));
  }
  driver->end(SIGKILL);
  driver.emplace(n1, DriverHow{nullptr, {}, kState});
  endpoints.reset();
  driver.reset();
  CHECK(records(n1, kState).empty());
  n1.remove(kState);
}

}  // namespace
}  // namespace plumb::lab
