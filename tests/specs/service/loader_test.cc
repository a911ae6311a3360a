#include "specs/service/loader.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/specs/ip_names.h"

using plumb::test::ip_name;
using plumb::test::ip_names;
using namespace std::chrono_literals;

namespace {

plumb::Loaded load(const std::string& text, const std::string& node = "n1", const std::string& service = "svc1") {
  plumb::LoadOptions options;
  options.file = "test.conf";
  options.service = service;
  options.node = node;
  return plumb::load_service(text, options);
}

// A spec that must load; its warnings are the caller's to look at.
plumb::Service service_of(const std::string& text, const std::string& node = "n1") {
  auto loaded = load(text, node);
  REQUIRE_MESSAGE(loaded.service.has_value(), plumb::render(loaded.diagnostics, false));
  return std::move(*loaded.service);
}

plumb::IpResource ip_of(const std::string& more) {
  return service_of("[ip#0]\ntype = netns\nnetns = container#0\nipdev = eth0\n" + more + "\n[container#0]\n").ips.at(0);
}

plumb::ContainerResource container_of(const std::string& more) {
  return service_of("[container#0]\nimage = nginx\n" + more).containers.at(0);
}

const char* const kReference = R"([DEFAULT]
nodes = n1 n2
drpnodes = n3
docker_data_dir = /srv/svc1/docker_data_dir

[ip#0]
type = netns
ipdev = eth0
ipname = 10.0.3.3
netmask = 255.255.255.0
gateway = 10.0.3.1
netns = container#0

[container#0]
type = docker
image = ghcr.io/opensvc/pause
rm = true

[container#1]
type = docker
image = nginx
netns = container#0
)";

}  // namespace

TEST_CASE("the micro-container configuration, value by value") {
  const auto s = service_of(kReference);
  CHECK(s.name == "svc1");
  CHECK(s.node == "n1");
  CHECK(s.nodes == std::vector<std::string>{"n1", "n2"});
  CHECK(s.drpnodes == std::vector<std::string>{"n3"});
  CHECK(s.encapnodes.empty());
  CHECK(s.topology == "failover");
  CHECK(s.rollback);
  CHECK(s.docker_data_dir == "/srv/svc1/docker_data_dir");
  REQUIRE(s.ips.size() == 1);
  const auto& ip = s.ips[0];
  CHECK(ip.id == "ip#0");
  CHECK(ip.where.line == 6);
  CHECK(ip.type == plumb::IpType::netns);
  CHECK(ip.names == ip_names({"10.0.3.3"}));
  CHECK(ip.name_positions.at(ip_name("10.0.3.3")).line == 9);
  CHECK(ip.name_positions.at(ip_name("10.0.3.3")).column == 10);
  CHECK(ip.ipdev == "eth0");
  CHECK(ip.netmask_v4 == 24U);
  CHECK_FALSE(ip.netmask_v6.has_value());
  CHECK(ip.gateway == plumb::IpAddress::parse("10.0.3.1").value());
  CHECK(ip.netns == "container#0");
  CHECK(ip.mode == plumb::IpMode::automatic);
  CHECK_FALSE(ip.nsdev.has_value());
  CHECK(ip.check_carrier);
  CHECK(ip.conflict == plumb::ConflictPolicy::fail);
  CHECK(ip.probe == plumb::ProbeProfile::fast);
  CHECK(ip.announce.count == 5);
  CHECK(ip.announce.interval == 500ms);
  CHECK(ip.announce.period == 60s);
  REQUIRE(s.containers.size() == 2);
  const auto& pause = s.containers[0];
  CHECK(pause.name == "svc1.container.0");
  CHECK(pause.image == "ghcr.io/opensvc/pause");
  CHECK(pause.rm);
  CHECK_FALSE(pause.existing);
  CHECK_FALSE(pause.builtin_pause);
  CHECK(pause.pull == plumb::PullPolicy::once);
  CHECK(pause.pull_timeout == 2min);
  CHECK(pause.start_timeout == 10s);
  CHECK_FALSE(pause.stop_timeout.has_value());
  CHECK(pause.detach);
  CHECK(s.containers[1].netns == "container#0");
  CHECK_FALSE(s.containers[1].rm);
  CHECK(s.container("container#1") == &s.containers[1]);
}

TEST_CASE("use case 1: failover with a host name for each site") {
  const std::string text = "[ip#0]\nipname@nodes = ipname1\nipname@drpnodes = ipname2\nipdev = eth0\n";
  const auto s = service_of(text);
  CHECK(s.ips[0].type == plumb::IpType::host);
  CHECK(s.ips[0].names == ip_names({"ipname1"}));
  CHECK(service_of("[DEFAULT]\nnodes = n1\ndrpnodes = n3\n" + text, "n3").ips[0].names == ip_names({"ipname2"}));
}

TEST_CASE("use case 3: a container with only a name exists already") {
  const auto c = service_of("[container#0]\nname = vm1\n").containers[0];
  CHECK(c.existing);
  CHECK(c.name == "vm1");
  CHECK(c.image.empty());
}

TEST_CASE("a container without image and name is the built-in pause when others use its network") {
  CHECK(ip_of("ipname = 10.0.3.3\n").netns == "container#0");
  CHECK(service_of("[container#0]\n[container#1]\nimage = nginx\nnetns = container#0\n").containers[0].builtin_pause);
  CHECK(service_of("[container#0]\nimage = plumb/pause\n").containers[0].builtin_pause);
  CHECK(service_of("[container#0]\nimage = plumb/pause\n").containers[0].image.empty());
  CHECK_FALSE(load("[container#0]\n").service.has_value());
  CHECK_FALSE(load("[container#0]\nnetns = container#0\n").service.has_value());
}

TEST_CASE("addresses of both families") {
  const auto ip = ip_of("ipname = 10.0.3.3 2001:DB8::3\nnetmask = 24 64\n");
  CHECK(ip.names == ip_names({"10.0.3.3", "2001:db8::3"}));
  CHECK(ip.netmask_v4 == 24U);
  CHECK(ip.netmask_v6 == 64U);
}

TEST_CASE("one netmask goes to the family of the addresses") {
  CHECK(ip_of("ipname = 10.0.3.3\nnetmask = 24\n").netmask_v4 == 24U);
  CHECK(ip_of("ipname = 2001:db8::3\nnetmask = 24\n").netmask_v6 == 24U);
  CHECK_FALSE(ip_of("ipname = 2001:db8::3\nnetmask = 24\n").netmask_v4.has_value());
  CHECK(ip_of("ipname = web\nnetmask = 24\n").netmask_v4 == 24U);
  CHECK(ip_of("ipname = web\nnetmask = 64\n").netmask_v6 == 64U);
  CHECK(ip_of("ipname = web\nnetmask = 24 64\n").netmask_v6 == 64U);
}

TEST_CASE("gateways that are right are accepted") {
  CHECK(ip_of("ipname = 10.0.3.3\nnetmask = 24\ngateway = 10.0.3.254\n").gateway.has_value());
  CHECK(ip_of("ipname = 10.0.3.3\nnetmask = 31\ngateway = 10.0.3.2\n").gateway.has_value());
  CHECK(ip_of("ipname = 2001:db8::3\nnetmask = 64\ngateway = fe80::1\n").gateway.has_value());
  CHECK(ip_of("ipname = 2001:db8::3\nnetmask = 64\ngateway = 2001:db8::\n").gateway.has_value());
  // Not known here, so the planner's to judge.
  CHECK(ip_of("ipname = 10.0.3.3\ngateway = 10.0.9.1\n").gateway.has_value());
  CHECK(ip_of("ipname = web\nnetmask = 24\ngateway = 10.0.9.1\n").gateway.has_value());
  // Dual stack: the gateway is one family's.
  CHECK(ip_of("ipname = 10.0.3.3 2001:db8::3\nnetmask = 24 64\ngateway = 10.0.3.1\n").gateway.has_value());
}

TEST_CASE("the gateway of an address without a subnet is on its link") {
  CHECK(ip_of("ipname = 192.0.2.3\nnetmask = 32\ngateway = 203.0.113.1").gateway.has_value());
  CHECK(ip_of("ipname = 2001:db8::3\nnetmask = 128\ngateway = 2001:db8:1::1").gateway.has_value());
  CHECK_FALSE(load("[ip#0]\ntype = netns\nnetns = container#0\nipdev = eth0\nipname = 192.0.2.3\nnetmask = "
                   "31\ngateway = 203.0.113.1\n[container#0]\n")
                  .service);
}

TEST_CASE("hosts at the edges of a network are accepted where they are hosts") {
  CHECK(ip_of("ipname = 10.0.3.0\nnetmask = 31\n").names.size() == 1);
  CHECK(ip_of("ipname = 10.0.3.0\nnetmask = 32\n").names.size() == 1);
  CHECK(ip_of("ipname = 10.0.3.0\nnetmask = 23\n").names.size() == 1);
  CHECK(ip_of("ipname = 10.0.2.255\nnetmask = 23\n").names.size() == 1);
  CHECK(ip_of("ipname = 2001:db8::\nnetmask = 127\n").names.size() == 1);
}

TEST_CASE("a nonrouted address has no gateway") {
  const auto ip = ip_of("ipname = 10.0.3.3\nnetmask = 24\ngateway = 10.0.3.1\ntags = nonrouted blue\n");
  CHECK_FALSE(ip.gateway.has_value());
  CHECK(ip.tags == std::vector<std::string>{"nonrouted", "blue"});
}

TEST_CASE("keywords of a link") {
  const auto ip = ip_of(
      "ipname = 10.0.3.3\nmode = bridge\nnsdev = front\nmacaddr = 02:00:0a:00:03:03\nmtu = 1400\ndel_net_route = "
      "yes\ncheck_carrier = no\n"
      "conflict = takeover\nprobe = rfc\nannounce = 3 1s 2m\n");
  CHECK(ip.mode == plumb::IpMode::bridge);
  CHECK(ip.nsdev->str() == "front");
  CHECK(ip.macaddr->to_string() == "02:00:0a:00:03:03");
  CHECK(ip.mtu == 1400U);
  CHECK(ip.del_net_route);
  CHECK_FALSE(ip.check_carrier);
  CHECK(ip.conflict == plumb::ConflictPolicy::takeover);
  CHECK(ip.probe == plumb::ProbeProfile::rfc);
  CHECK(ip.announce.count == 3);
  CHECK(ip.announce.period == 120s);
  CHECK(ip.announce.interval == 1s);
  CHECK(ip_of("ipname = a\nmode = macvlan\nprobe = off\nconflict = warn\nannounce = 7\n").announce.interval == 500ms);
  CHECK(ip_of("ipname = a\nmode = macvlan\n").mode == plumb::IpMode::macvlan);
}

TEST_CASE("keywords of a container") {
  const auto c = container_of(
      "name = web\nimage_pull_policy = always\npull_timeout = 10m\nregistry_creds = /etc/plumb/r.json\nrm = "
      "true\nnetns = none\n"
      "pidns = host\nipcns = private\nutsns = private\nuserns = host\nhostname = web1\nuser = 101:101\ncwd = /srv\n"
      "entrypoint = /bin/sh -c\ncommand = \"echo 'a b'\" ; the command\n"
      "environment = A=1\n  'B=good day' C=\nvolume_mounts = /a:/b:ro data:/c\ndevices = /dev/fuse\ndns = "
      "10.0.3.53\ndns_search = example.com .\n"
      "sysctl = net.ipv4.ip_forward=1 net/core/x.y=a=b\nprivileged = 1\nread_only = on\ninit = yes\ninteractive = "
      "t\ntty = True\n"
      "start_timeout = 30\nstop_timeout = 0\noptional = true\ntags = a b\n");
  CHECK(c.name == "web");
  CHECK(c.pull == plumb::PullPolicy::always);
  CHECK(c.pull_timeout == 10min);
  CHECK(c.registry_creds == "/etc/plumb/r.json");
  CHECK(c.rm);
  CHECK(c.netns == "none");
  CHECK(c.pidns == "host");
  CHECK(c.ipcns == "private");
  CHECK(c.utsns == "private");
  CHECK(c.userns == "host");
  CHECK(c.hostname == "web1");
  CHECK(c.user == "101:101");
  CHECK(c.cwd == "/srv");
  CHECK(c.entrypoint == std::vector<std::string>{"/bin/sh", "-c"});
  CHECK(c.command == std::vector<std::string>{"echo 'a b'"});
  CHECK(c.environment == std::map<std::string, std::string>{{"A", "1"}, {"B", "good day"}, {"C", ""}});
  REQUIRE(c.volume_mounts.size() == 2);
  CHECK(c.volume_mounts[0].read_only);
  CHECK(c.volume_mounts[1].source == "data");
  CHECK(c.devices == std::vector<std::string>{"/dev/fuse"});
  CHECK(c.dns == std::vector<std::string>{"10.0.3.53"});
  CHECK(c.dns_search == std::vector<std::string>{"example.com", "."});
  CHECK(c.sysctl.at("net.ipv4.ip_forward") == "1");
  CHECK(c.sysctl.at("net/core/x.y") == "a=b");
  CHECK((c.privileged && c.read_only && c.init && c.interactive && c.tty && c.optional));
  CHECK(c.start_timeout == 30s);
  CHECK(c.stop_timeout == 0s);
  CHECK(c.tags.size() == 2);
}

TEST_CASE("keywords of the service") {
  const auto s = service_of(
      "[DEFAULT]\nnodes = n1\ntopology = flex\nrollback = no\ndocker_data_dir = /srv//x/./d/\ndocker_daemon_args = "
      "--debug --mtu 1400\n"
      "timeout = 1m\nstart_timeout = 2m\nstop_timeout = 3m\n[ip#0]\nipname = a\nipdev = eth0\n");
  CHECK(s.topology == "flex");
  CHECK_FALSE(s.rollback);
  CHECK(s.docker_data_dir == "/srv/x/d");
  CHECK(s.docker_daemon_args == std::vector<std::string>{"--debug", "--mtu", "1400"});
  CHECK(s.timeout == 1min);
  CHECK(s.start_timeout == 2min);
  CHECK(s.stop_timeout == 3min);
}

TEST_CASE("a spec loads on a node that it does not list") { CHECK(service_of(kReference, "n9").node == "n9"); }

TEST_CASE("a node that is not listed is known, also when something is wrong, unless the lists themselves are") {
  const std::string flex = "[DEFAULT]\nnodes = n1\ndrpnodes = n2\n[ip#0]\nipname@n1 = 10.0.3.31\nipdev = eth0\n";
  CHECK(load(flex, "n9").elsewhere);
  // Of what is set for its nodes alone nothing is missing elsewhere.
  const auto there = load(flex + "[container#0]\nimage@nodes = nginx\n", "n9");
  REQUIRE(there.service);
  CHECK(there.diagnostics.empty());
  CHECK(there.service->ips.at(0).disable);
  CHECK(there.service->containers.at(0).disable);
  CHECK_FALSE(load(flex, "n1").elsewhere);
  CHECK_FALSE(load(flex, "n2").elsewhere);
  CHECK_FALSE(load(flex, "n2").service);
  CHECK(load(kReference, "n9").elsewhere);
  CHECK_FALSE(load("[ip#0]\nipname = 10.0.3.31\nipdev = eth0\n", "n9").elsewhere);
  CHECK_FALSE(load("[DEFAULT]\nnodes = n1 ?\n[ip#0]\nipdev = eth0\n", "n9").elsewhere);
}

TEST_CASE("what is inherited from [DEFAULT] is read in the sense of each section") {
  const auto s = service_of(
      "[DEFAULT]\ntags = t{rindex} {rid}\n[ip#a]\nipname = 10.0.3.3\nipdev = eth0\n"
      "[ip#b]\nipname = 10.0.3.4\nipdev = eth0\n");
  CHECK(s.ips[0].tags == std::vector<std::string>{"ta", "ip#a"});
  CHECK(s.ips[1].tags == std::vector<std::string>{"tb", "ip#b"});
}

TEST_CASE("an indented line that looks like a keyword draws a warning also where anything may be meant") {
  const auto odd = load("[container#0]\nimage = nginx\ncommand = nginx -g x\n  user = root\n");
  REQUIRE(odd.service);
  REQUIRE(odd.diagnostics.size() == 1);
  CHECK(odd.diagnostics[0].message ==
        "this indented line continues the value of \"command\" of line 3, and looks like a keyword of its own");
  CHECK(load("[container#0]\nimage = nginx\nenvironment = A=1\n  user=root\n  image=x\n").diagnostics.empty());
}

TEST_CASE("a disabled resource may lack what only an action needs") {
  CHECK(service_of("[ip#0]\ndisable = true\n[container#0]\ndisable = true\n").ips[0].disable);
  CHECK_FALSE(load("[ip#0]\ndisable@n2 = true\n").service.has_value());
}

TEST_CASE("warnings leave the service loaded") {
  const auto loaded = load(
      "[DEFAULT]\norchestrate = ha\n[ip#0]\nipname = 10.0.3.3\nipdev = eth0\ndns_name_suffix = x\nalias = "
      "true\n[subset#a]\nparallel = true\n");
  CHECK(loaded.service.has_value());
  REQUIRE(loaded.diagnostics.size() == 3);
  for (const auto& d : loaded.diagnostics) CHECK(d.severity == plumb::Severity::warning);
}

TEST_CASE("names of services and nodes") {
  const std::string text = "[container#0]\nimage = nginx\n";
  for (const auto* good : {"svc1", "a", "0", "my-svc_1.x"})
    CHECK_MESSAGE(load(text, "n1", good).service.has_value(), good);
  for (const auto* bad : {"", "-a", ".a", "_a", "a/b", "a b", "..", "caf\xc3\xa9"})
    CHECK_MESSAGE(!load(text, "n1", bad).service.has_value(), bad);
  CHECK_FALSE(load(text, "n1", std::string(129, 'a')).service.has_value());
  for (const auto* bad : {"", "a b", "10.0.3.3"}) CHECK_MESSAGE(!load(text, bad).service.has_value(), bad);
}

TEST_CASE("a flood of faults is bounded, and never hides that there are errors") {
  std::string text = "[ip#0]\nipname = a\nipdev = eth0\n";
  for (int i = 0; i < 1000; ++i) text += "nonsense" + std::to_string(i) + " = 1\n";
  const auto loaded = load(text);
  CHECK_FALSE(loaded.service.has_value());
  CHECK(loaded.diagnostics.size() == 200);
  std::string warnings = "[container#0]\nimage = nginx\n";
  for (int i = 0; i < 300; ++i) warnings += "[subset#" + std::to_string(i) + "]\n";
  const auto late = load(warnings + "[fs#0]\n");
  CHECK_FALSE(late.service.has_value());
  CHECK(late.diagnostics.size() == 200);
  CHECK(late.diagnostics.back().severity == plumb::Severity::error);
}

TEST_CASE("a service with an engine of its own has a name of 58 bytes at most, any other one of 128") {
  const auto with_name = [](std::size_t size, const std::string& text) {
    plumb::LoadOptions options{};
    options.service = std::string(size, 's');
    options.node = "n1";
    return plumb::load_service(text, options);
  };
  const std::string own = kReference;
  CHECK(with_name(58, own).service);
  const auto refused = with_name(59, own);
  REQUIRE_FALSE(refused.service);
  REQUIRE(refused.diagnostics.size() == 1);
  CHECK(refused.diagnostics[0].message ==
        "docker_data_dir in [DEFAULT]: the service's name has 59 bytes, and with an engine of its own it may have 58");
  CHECK(refused.diagnostics[0].where.line == 4);
  const std::string shared = "[ip#0]\nipname = 10.0.3.3\nipdev = eth0\n";
  CHECK(with_name(128, shared).service);
  CHECK_FALSE(with_name(129, shared).service);
}

TEST_CASE("a container without a name has one that the engine takes, or the file is refused") {
  const auto with_section = [](std::size_t size) {
    plumb::LoadOptions options{};
    options.service = std::string(128, 's');
    options.node = "n1";
    return plumb::load_service("[container#" + std::string(size, '1') + "]\nimage = nginx\n", options);
  };
  const std::size_t most = 255 - 128 - std::string(".container.").size();
  CHECK(with_section(most).service);
  const auto refused = with_section(most + 1);
  REQUIRE_FALSE(refused.service);
  CHECK(refused.diagnostics[0].message.find("without a name it would be ") != std::string::npos);
  CHECK(refused.diagnostics[0].message.find(", of 256 bytes") != std::string::npos);
}
