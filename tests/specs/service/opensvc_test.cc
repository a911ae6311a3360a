// Files as the users of OpenSVC have them: what its two generations accept and plumb once did not.
#include <doctest/doctest.h>

#include "specs/service/loader.h"

using namespace plumb;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

Loaded load(const std::string& text, const std::string& node = "n1") {
  LoadOptions options;
  options.file = "test.conf";
  options.service = "svc1";
  options.node = node;
  return load_service(text, options);
}

Service loaded(const std::string& text, const std::string& node = "n1") {
  auto out = load(text, node);
  REQUIRE_MESSAGE(out.service.has_value(), render(out.diagnostics, false));
  return *std::move(out.service);
}

const char* const kFile = R"(# a file of the agent 2.1
[DEFAULT]
id = 4a3a0b0e-32f5-4d0c-8b4e-8f3f2a0d7c11
nodes = {env.nodes}
drpnode = n3
drpnodes =
cluster_type = failover
service_type = PRD
container_data_dir = {env.base_dir}/docker
docker_daemon_args = --log-opt max-size=1m
    --storage-driver=overlay2
comment = "a comment; with signs # of all kinds"
flex_min_nodes = 1

[ip#0001]
type = docker
ipname = {svcname}.{namespace}.svc.{clustername}
ipdev = {env.dev}
ipdev@drpnodes = eth1
netmask = 255.255.255.0
gateway = 10.0.3.1
container_rid = container#0001

[container#0001]
type = docker
run_image = ghcr.io/opensvc/pause
rm =true
net = none

[container#db]
name = {namespace}..{svcname}.{rindex}
image = {env.registry}/postgres:16
netns= container#0001
environment =
    POSTGRES_DB={svcname}
    "POSTGRES_ARGS=--a b"
    GREETING='good day'
volume_mounts =
    {env.base_dir}/data:/var/lib/postgresql/data
    # the certificates

    /etc/ssl:/etc/ssl:ro
run_args =
    --shm-size=1g
    -e TZ=Europe/Paris
run_command = postgres
    -c max_connections=100
    -c log_line_prefix='%t [%p]: '
stop_timeout= 30
entrypoint:/docker-entrypoint.sh

[container#web_1]
run_image = nginx:1.27
netns = container#0001
ipcns = container#db
tags = web nostatus

[env]
nodes = n1 n2
base_dir = /srv/{svcname}
dev = eth0
registry = registry.example.com:5000
)";

}  // namespace

TEST_CASE("a whole file of an older agent: continued values, old names, references, indexes of any spelling") {
  const auto s = loaded(kFile);
  CHECK(s.nodes == Texts{"n1", "n2"});
  CHECK(s.drpnodes == Texts{"n3"});
  CHECK(s.docker_data_dir == "/srv/svc1/docker");
  CHECK(s.docker_daemon_args == Texts{"--log-opt", "max-size=1m", "--storage-driver=overlay2"});
  REQUIRE(s.ips.size() == 1);
  CHECK(s.ips[0].type == IpType::netns);
  CHECK(s.ips[0].names == Texts{"svc1.root.svc.default"});
  CHECK(s.ips[0].netns == "container#0001");
  CHECK(s.ips[0].ipdev == "eth0");
  CHECK(loaded(kFile, "n3").ips[0].ipdev == "eth1");
  REQUIRE(s.containers.size() == 3);
  CHECK(s.containers[0].image == "ghcr.io/opensvc/pause");
  CHECK(s.containers[0].name == "svc1.container.0001");
  CHECK(s.containers[0].rm);
  CHECK(s.containers[0].netns == "none");
  const auto& db = s.containers[1];
  CHECK(db.name == "root..svc1.db");
  CHECK(db.image == "registry.example.com:5000/postgres:16");
  CHECK(db.netns == "container#0001");
  CHECK(db.environment ==
        std::map<std::string, std::string>{
            {"POSTGRES_DB", "svc1"}, {"POSTGRES_ARGS", "--a b"}, {"GREETING", "good day"}, {"TZ", "Europe/Paris"}});
  REQUIRE(db.volume_mounts.size() == 2);
  CHECK(db.volume_mounts[0].source == "/srv/svc1/data");
  CHECK(db.volume_mounts[1].read_only);
  CHECK(db.command == Texts{"postgres", "-c", "max_connections=100", "-c", "log_line_prefix=%t [%p]: "});
  CHECK(db.entrypoint == Texts{"/docker-entrypoint.sh"});
  CHECK(db.stop_timeout == 30s);
  CHECK(db.options.shm_size == 1LL << 30U);
  CHECK(s.containers[2].id == "container#web_1");
  CHECK(s.containers[2].ipcns == "container#db");
}

TEST_CASE("resource ids are compared as they are written: container#1 is not container#0001") {
  for (const char* id : {"0", "0001", "db", "web_1", "a.b", "A-1"}) {
    CAPTURE(id);
    const std::string container = "container#" + std::string(id);
    const auto s = loaded("[" + container + "]\n[container#x]\nimage = nginx\nnetns = " + container + "\n");
    CHECK(s.containers[1].netns == container);
    CHECK(s.containers[0].name == "svc1.container." + std::string(id));
  }
  const auto text =
      render(load("[container#0001]\nimage = a\n[container#2]\nimage = b\nnetns = container#1\n").diagnostics, false);
  CHECK(text.find("there is no container \"container#1\"; the containers to choose from: container#0001") !=
        std::string::npos);
}

TEST_CASE("white space around the sign is as one likes it") {
  for (const char* line :
       {"rm=true", "rm =true", "rm= true", "rm\t=\ttrue", "rm: true", "rm :true", "rm = true   ", "rm = True # yes"}) {
    CAPTURE(line);
    CHECK(loaded("[container#0]\nimage = nginx\n" + std::string(line) + "\n").containers[0].rm);
  }
}

TEST_CASE("a private engine can be declined, and needs a directory") {
  const std::string rest = "[container#0]\nimage = nginx\n";
  CHECK(loaded("[DEFAULT]\ncontainer_data_dir = /srv/d\ndocker_daemon_private = true\n" + rest).docker_data_dir ==
        "/srv/d");
  CHECK(loaded("[DEFAULT]\ndocker_data_dir = /srv/d\ndocker_daemon_private = false\n" + rest).docker_data_dir.empty());
  CHECK_FALSE(load("[DEFAULT]\ndocker_daemon_private = true\n" + rest).service.has_value());
  CHECK_FALSE(load("[DEFAULT]\ncontainer_data_dir = /a\ndocker_data_dir = /b\n" + rest).service.has_value());
}

TEST_CASE("what an ipc namespace may be") {
  for (const char* word : {"host", "private", "shareable", "none"})
    CHECK(loaded("[container#0]\nimage = nginx\nipcns = " + std::string(word) + "\n").containers[0].ipcns == word);
  CHECK_FALSE(load("[container#0]\nimage = nginx\npidns = shareable\n").service.has_value());
}

TEST_CASE("sections that others manage refuse the file, or, where the file says so, are left out with a warning each") {
  const std::string sections =
      "[fs#1]\ntype = ext4\nmnt = /srv/{svcname}\n[disk#1]\ntype = vg\n[volume#1]\nname = v\n[sync#i0]\ntype = docker\n"
      "[task#1]\ncommand = x\n[app#1]\nscript = x\n[share#1]\ntype = nfs\n[container#0]\nimage = nginx\n"
      "volume_mounts = {fs#1.mnt}/html:/usr/share/nginx/html\n";
  const std::vector<std::pair<std::string, std::string>> managers = {
      {"fs#1", "ocf:heartbeat:Filesystem"}, {"disk#1", "ocf:heartbeat:LVM-activate"},
      {"volume#1", "volume_mounts"},        {"sync#i0", "ocf:linbit:drbd"},
      {"task#1", "systemd timer"},          {"app#1", "systemd:UNIT"},
      {"share#1", "ocf:heartbeat:exportfs"}};
  for (const std::string word : {"refuse", "ignore"}) {
    CAPTURE(word);
    const auto out = load("[DEFAULT]\nforeign = " + word + "\n" + sections);
    CHECK(out.service.has_value() == (word == "ignore"));
    REQUIRE(out.diagnostics.size() == managers.size());
    for (std::size_t i = 0; i < managers.size(); ++i) {
      const auto& d = out.diagnostics[i];
      CHECK(d.severity == (word == "ignore" ? Severity::warning : Severity::error));
      CHECK_MESSAGE(d.message.find("[" + managers[i].first + "]") != std::string::npos, d.message);
      CHECK_MESSAGE(d.hint.find(managers[i].second) != std::string::npos, d.hint);
    }
    if (out.service) CHECK(out.service->containers.at(0).volume_mounts.at(0).source == "/srv/svc1/html");
  }
  CHECK(load(sections).diagnostics.front().severity == Severity::error);
  // A mistyped section is no foreign one.
  CHECK_FALSE(load("[DEFAULT]\nforeign = ignore\n[contianer#0]\nimage = nginx\n").service.has_value());
}

TEST_CASE("a resource that OpenSVC would not touch is refused, not started") {
  const auto out = load("[container#0]\nimage = nginx\ntags = noaction\n");
  CHECK_FALSE(out.service.has_value());
  CHECK(render(out.diagnostics, false).find("disable = true") != std::string::npos);
}

TEST_CASE("what still older files have: the mode of the service is not that of its addresses") {
  const std::string rest =
      "[ip#0]\ntype = netns\nipname = 10.0.3.3\nipdev = eth0\nnetns = container#0\n[container#0]\n";
  const auto hosted = load("[DEFAULT]\nmode = hosted\n" + rest);
  REQUIRE_MESSAGE(hosted.service.has_value(), render(hosted.diagnostics, false));
  CHECK(hosted.diagnostics.empty());
  CHECK(hosted.service->ips.at(0).mode == IpMode::automatic);
  CHECK(loaded("[DEFAULT]\nmode = macvlan\n" + rest).ips.at(0).mode == IpMode::macvlan);
  CHECK_FALSE(load("[DEFAULT]\nmode = hostet\n" + rest).service.has_value());
}
