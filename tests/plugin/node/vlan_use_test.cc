#include "plugin/node/vlan_use.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <string>
#include <vector>

#include "netns/namespace/enter.h"
#include "plugin/node/state_file.h"
#include "plugin/node/vlan_users.h"
#include "specs/value/unique_fd.h"
#include "tests/docker_client/scratch.h"
#include "tests/netns/lan.h"

namespace plumb {
namespace {

using netns::test::must;
using Users = std::vector<std::string>;

const std::string kWeb = vlan_user("web", "ip#0");
const std::string kMail = vlan_user("mail", "ip#0");

// A device that looks like a VLAN device of plumb's: one of another kind, which every kernel has.
class Device {
 public:
  Device() : host_(lan_.plug()) { make(); }

  void make() {
    auto spec = netns::test::macvlan_on(host_.eth0.index);
    spec.name = netns::test::ifname("shared0");
    index_ = must(netns::create_macvlan(host_.socket, host_.socket, spec)).index;
  }
  void remove() { must(netns::remove_link(node(), index_)); }
  [[nodiscard]] netns::RouteSocket& node() { return host_.socket; }
  [[nodiscard]] bool is_there() { return must(netns::find_link(node(), index_)).has_value(); }
  [[nodiscard]] netns::Link link() {
    auto out = must(netns::find_link(node(), index_)).value();
    out.group = kVlanGroup;
    return out;
  }
  Result<void> join(const std::string& user) { return join_device(node(), link(), user, scratch_.path()); }
  Result<void> leave(const std::string& user) {
    return netns::run_in(host_.ns, [&] { return leave_device(node(), link(), user, scratch_.path()); });
  }
  [[nodiscard]] Users users() { return must(vlan_users(link(), scratch_.path())); }
  [[nodiscard]] Users files() const {
    auto out = must(names_in(scratch_.path()));
    std::erase_if(out, [](const std::string& name) { return !name.starts_with(".vlan-"); });
    return out;
  }
  // What a started service has in the run directory.
  [[nodiscard]] std::string start(const std::string& service) const {
    return scratch_.write(service + ".started", "plumb-started 1\n");
  }
  [[nodiscard]] const test::Scratch& run() const { return scratch_; }

 private:
  netns::test::Lan lan_;
  netns::test::Station host_;
  test::Scratch scratch_;
  int index_ = 0;
};

TEST_CASE("a device has as many users as there are, and goes with the last") {
  Device device;
  constexpr int kMany = 1000;
  const auto user = [](int i) { return vlan_user("service" + std::to_string(i), "ip#0"); };
  for (int i = 0; i < kMany; ++i) must(device.join(user(i)));
  must(device.join(user(7)));
  CHECK(device.users().size() == kMany);
  CHECK(device.link().altnames.size() == 1);
  const auto last = device.start("service999");
  for (int i = 0; i < kMany - 1; ++i) must(device.leave(user(i)));
  REQUIRE(device.is_there());
  CHECK(device.users() == Users{user(999)});
  must(device.leave(user(999)));
  CHECK_FALSE(device.is_there());
  CHECK(device.files().empty());
}

TEST_CASE("users that stand as names of the device are honoured, and taken off") {
  Device device;
  must(netns::add_altname(device.node(), device.link().index, kWeb));
  [[maybe_unused]] const auto web = device.start("web");
  [[maybe_unused]] const auto mail = device.start("mail");
  must(device.join(kWeb));
  CHECK(device.files().empty());
  must(device.join(kMail));
  CHECK(device.users() == Users{kMail, kWeb});
  must(device.leave(kMail));
  REQUIRE(device.is_there());
  // To a plumb that knows names only, the mark is a user: it leaves the device.
  const auto names = device.link().altnames;
  CHECK(std::all_of(names.begin(), names.end(), [](const auto& name) { return name.starts_with("plumb:"); }));
  CHECK(names.size() == 2);
  must(device.leave(kWeb));
  CHECK_FALSE(device.is_there());
  CHECK(device.files().empty());
}

TEST_CASE("what was made anew under the name has none of the users of before, and their file goes") {
  Device device;
  must(device.join(kWeb));
  const auto before = device.files();
  REQUIRE(before.size() == 1);
  device.remove();
  device.make();
  CHECK(device.users().empty());
  must(device.join(kMail));
  CHECK(device.users() == Users{kMail});
  CHECK(device.files().size() == 1);
  CHECK(device.files() != before);
}

TEST_CASE("the file of a device in another namespace is left") {
  Device device;
  must(device.join(kWeb));
  const auto path = device.run().path() + "/.vlan-00000000000000ab.users";
  must(write_state_file(path, encode_vlan_users({7, 1, {kMail}})));
  device.remove();
  device.make();
  must(device.join(kMail));
  CHECK(read_state_file(path));
}

TEST_CASE("killed between the device and its user, nobody is known, and it goes where nothing is on it") {
  Device device;
  must(device.leave(kWeb));
  CHECK_FALSE(device.is_there());
  device.make();
  must(netns::add_altname(device.node(), device.link().index, vlan_mark_name("0123456789abcdef")));
  CHECK(device.users().empty());
  must(device.join(kWeb));
  CHECK(device.users() == Users{kWeb});
  CHECK(device.files().size() == 1);
  must(device.leave(kWeb));
  CHECK_FALSE(device.is_there());
}

TEST_CASE("without its file, a device stays as long as something is on it") {
  Device device;
  must(device.join(kWeb));
  must(device.join(kMail));
  must(remove_state_file(device.run().path() + "/" + device.files().at(0)));
  const int index = device.link().index;
  SUBCASE("an address") {
    must(netns::add_address(device.node(), index, netns::test::cidr("10.9.9.9/24")));
    must(device.leave(kWeb));
    CHECK(device.is_there());
    must(netns::remove_address(device.node(), index, netns::test::cidr("10.9.9.9/24")));
  }
  must(device.leave(kMail));
  CHECK_FALSE(device.is_there());
}

TEST_CASE("users that stand in another run directory, as a managed plugin's, are not taken for nobody") {
  Device device;
  const test::Scratch plugin;
  const auto network = vlan_user("docker", "0123456789ab");
  must(join_device(device.node(), device.link(), network, plugin.path()));
  must(device.join(kWeb));
  CHECK(device.users() == Users{kWeb});
  CHECK(must(vlan_users(device.link(), plugin.path())) == Users{network});
  SUBCASE("with a container") {
    must(netns::add_address(device.node(), device.link().index, netns::test::cidr("10.9.9.9/24")));
    must(device.leave(kWeb));
    CHECK(device.is_there());
    CHECK(must(vlan_users(device.link(), plugin.path())) == Users{network});
  }
  SUBCASE("without any: it is made again with the next") {
    must(device.leave(kWeb));
    CHECK_FALSE(device.is_there());
  }
}

TEST_CASE("a user whose service is gone keeps no device, and one that is there does") {
  Device device;
  must(device.join(kWeb));
  must(device.join(kMail));
  SUBCASE("gone") {
    must(device.leave(kMail));
    CHECK_FALSE(device.is_there());
    CHECK(device.files().empty());
  }
  SUBCASE("gone, and something is on the device") {
    must(netns::add_address(device.node(), device.link().index, netns::test::cidr("10.9.9.9/24")));
    must(device.leave(kMail));
    CHECK(device.users() == Users{kWeb});
  }
  SUBCASE("started") {
    [[maybe_unused]] const auto web = device.start("web");
    must(device.leave(kMail));
    CHECK(device.users() == Users{kWeb});
  }
  SUBCASE("being started") {
    const UniqueFd lock(::open(device.run().write("web.lock", "").c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(::flock(lock.get(), LOCK_EX) == 0);
    must(device.leave(kMail));
    CHECK(device.users() == Users{kWeb});
  }
  SUBCASE("a network of the driver's") {
    must(device.join(vlan_user("docker", "0123456789ab")));
    must(device.leave(kMail));
    CHECK(device.users().size() == 2);
  }
}

TEST_CASE("a later plumb's file is refused, and nothing is touched") {
  Device device;
  must(device.join(kWeb));
  const auto path = device.run().path() + "/" + device.files().at(0);
  must(write_state_file(path, "plumb-vlan-users 2\nwhat nobody knows yet\n"));
  const auto names = device.link().altnames;
  for (const auto& refused : {device.join(kMail), device.leave(kWeb)}) {
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::unsupported);
    CHECK(refused.error().what == "read " + path +
                                      ", the users of shared0: it has version 2 and this program knows "
                                      "version 1 only");
  }
  CHECK_FALSE(vlan_users(device.link(), device.run().path()));
  CHECK(device.link().altnames == names);
  CHECK(read_state_file(path) == "plumb-vlan-users 2\nwhat nobody knows yet\n");
}

TEST_CASE("an administrator's own device gets no user, and stays") {
  Device device;
  auto own = device.link();
  own.group = 0;
  must(join_device(device.node(), own, kWeb, device.run().path()));
  must(leave_device(device.node(), own, kWeb, device.run().path()));
  CHECK(device.is_there());
  CHECK(device.link().altnames.empty());
  CHECK(device.files().empty());
}

TEST_CASE("what is written of users is read again, and what makes no sense is passed over") {
  const VlanUsers users{7, 4026531840, {kWeb, kMail}};
  CHECK(must(decode_vlan_users(encode_vlan_users(users))) == users);
  CHECK(must(decode_vlan_users("plumb-vlan-users 1\nuser\nuser plumb:web:ip#0\nword\ndevice x\n")).users ==
        std::set<std::string>{kWeb});
}

}  // namespace
}  // namespace plumb
