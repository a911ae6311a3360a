#include "plugin/engine/container_config.h"

#include <doctest/doctest.h>

#include "plugin/engine/ownership.h"
#include "specs/plan/spec_hash.h"
#include "tests/specs/plan/svc1.h"

using namespace plumb;
using test::svc1;

TEST_CASE("the pause has no network of the engine's, and its sibling the pause's") {
  const auto s = svc1();
  const auto pause = container_config(s, s.containers[0], "ghcr.io/opensvc/pause", {});
  CHECK(pause.network_mode == "none");
  CHECK(pause.auto_remove);
  const auto web = container_config(s, s.containers[1], "nginx", {{"container#0", "abc"}});
  CHECK(web.network_mode == "container:abc");
  CHECK_FALSE(web.auto_remove);
  CHECK(web.labels == std::map<std::string, std::string>{{kLabelService, "svc1"},
                                                         {kLabelResource, "container#1"},
                                                         {kLabelSpecHash, spec_hash(s.containers[1])}});
}

TEST_CASE("the built-in pause has no privilege at all, another owner what its image wants") {
  auto s = svc1();
  CHECK(container_config(s, s.containers[0], "x", {}).cap_drop.empty());
  s.containers[0].builtin_pause = true;
  const auto pause = container_config(s, s.containers[0], "plumb/pause:1", {});
  CHECK(pause.cap_drop == std::vector<std::string>{"ALL"});
  CHECK(pause.readonly_rootfs);
}

TEST_CASE("namespaces are shared by id, and an ipc namespace only where its owner lends it") {
  auto s = svc1();
  CHECK(container_config(s, s.containers[0], "x", {}).ipc_mode.empty());
  s.containers[1].ipcns = s.containers[1].pidns = "container#0";
  s.containers[1].utsns = "host";
  CHECK(container_config(s, s.containers[0], "x", {}).ipc_mode == "shareable");
  const auto web = container_config(s, s.containers[1], "nginx", {{"container#0", "abc"}});
  s.containers[0].ipcns = "none";
  CHECK(container_config(s, s.containers[0], "x", {}).ipc_mode == "none");
  CHECK(web.ipc_mode == "container:abc");
  CHECK(web.pid_mode == "container:abc");
  CHECK(web.uts_mode == "host");
}

TEST_CASE("what the engine refuses in a shared network namespace is not sent there") {
  auto s = svc1();
  for (auto& c : s.containers) {
    c.hostname = "web1";
    c.dns = {"10.0.3.53"};
    c.sysctl = {{"net.ipv4.ip_forward", "0"}, {"kernel.msgmax", "65536"}};
  }
  const auto pause = container_config(s, s.containers[0], "x", {});
  CHECK(pause.hostname == "web1");
  CHECK(pause.dns.size() == 1);
  CHECK(pause.sysctls.size() == 2);
  const auto web = container_config(s, s.containers[1], "nginx", {{"container#0", "abc"}});
  CHECK(web.hostname.empty());
  CHECK(web.dns.empty());
  CHECK(web.sysctls == std::map<std::string, std::string>{{"kernel.msgmax", "65536"}});
}

TEST_CASE("devices, mounts and times take the engine's form") {
  auto s = svc1();
  auto& c = s.containers[1];
  c.devices = {"/dev/fuse", "/dev/a:/dev/b", "/dev/a:/dev/b:r"};
  c.volume_mounts = {{"/srv/x", "/x", false, ""}, {"data", "/d", true, "ro"}};
  c.stop_timeout = milliseconds{1500};
  const auto out = container_config(s, c, "nginx", {{"container#0", "abc"}});
  REQUIRE(out.devices.size() == 3);
  CHECK(out.devices[0].container_path == "/dev/fuse");
  CHECK(out.devices[0].permissions == "rwm");
  CHECK(out.devices[1].container_path == "/dev/b");
  CHECK(out.devices[2].permissions == "r");
  CHECK(out.binds == std::vector<std::string>{"/srv/x:/x", "data:/d:ro"});
  CHECK(out.stop_timeout == std::chrono::seconds{2});
}

TEST_CASE("options of run_args reach the engine's request, and leave plumb's labels and the pause's limits alone") {
  auto s = svc1();
  auto& o = s.containers[0].options;
  o.cap_add = {"NET_ADMIN"};
  o.cap_drop = {"CHOWN"};
  o.memory = 1 << 20U;
  o.memory_swap = -1;
  o.cpu_shares = 512;
  o.cpuset_cpus = "0";
  o.oom_score_adj = 0;
  o.runtime = "runc";
  o.ulimits = {{"nofile", 1, 2}};
  o.labels = {{"a", "b"}, {"plumb.service", "other"}};
  o.add_host = {"db:10.0.3.4"};
  o.health_cmd = "true";
  o.health_interval = milliseconds{1500};
  s.containers[0].volume_mounts = {{"/a", "/b", true, "ro,rslave", true}, {"/c", "/d", false, "", true}};
  const auto out = container_config(s, s.containers[0], "x", {});
  CHECK(out.labels.at("a") == "b");
  CHECK(out.labels.at("plumb.service") == "svc1");
  CHECK(out.extra_hosts.size() == 1);
  REQUIRE(out.mounts.size() == 2);
  CHECK(out.mounts[0].propagation == "rslave");
  CHECK(out.mounts[1].propagation.empty());
  const auto json = docker::encode_container(out);
  for (const char* part :
       {R"("CapAdd":["NET_ADMIN"])", R"("CapDrop":["CHOWN"])", R"("Memory":1048576)", R"("MemorySwap":-1)",
        R"("CpuShares":512)", R"("CpusetCpus":"0")", R"("OomScoreAdj":0)", R"("Runtime":"runc")",
        R"("Ulimits":[{"Hard":2,"Name":"nofile","Soft":1}])", R"("ExtraHosts":["db:10.0.3.4"])",
        R"("Healthcheck":{"Interval":1500000000,"Test":["CMD-SHELL","true"]})",
        R"({"BindOptions":{"Propagation":"rslave"},"ReadOnly":true,"Source":"/a","Target":"/b","Type":"bind"})"})
    CHECK_MESSAGE(json.find(part) != std::string::npos, part, " in ", json);
  s.containers[0].builtin_pause = true;
  CHECK(container_config(s, s.containers[0], "x", {}).cap_drop == std::vector<std::string>{"ALL", "CHOWN"});
  s.containers[1].options.no_healthcheck = true;
  s.containers[1].options.add_host = {"db:10.0.3.4"};
  const auto web = container_config(s, s.containers[1], "nginx", {{"container#0", "abc"}});
  CHECK(web.extra_hosts.empty());
  CHECK(docker::encode_container(web).find(R"("Healthcheck":{"Test":["NONE"]})") != std::string::npos);
}
