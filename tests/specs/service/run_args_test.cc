#include "specs/service/run_args.h"

#include <doctest/doctest.h>

#include "specs/plan/spec_hash.h"
#include "specs/service/loader.h"

using namespace plumb;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;
using Pairs = std::map<std::string, std::string>;

Loaded load(const std::string& container, const std::string& more = {}) {
  LoadOptions options;
  options.file = "test.conf";
  options.service = "svc1";
  options.node = "n1";
  return load_service("[container#0]\nimage = nginx\n" + container + "\n" + more, options);
}

ContainerResource given(const std::string& args, const std::string& more = {}) {
  auto loaded = load("run_args = " + args, more);
  REQUIRE_MESSAGE(loaded.service.has_value(), render(loaded.diagnostics, false));
  CHECK_MESSAGE(loaded.diagnostics.empty(), render(loaded.diagnostics, false));
  return loaded.service->containers.at(0);
}

// The message and the hint of the one error, without its place.
std::string refused(const std::string& args, const std::string& more = {}) {
  const auto loaded = load("run_args = " + args, more);
  CHECK_FALSE(loaded.service.has_value());
  REQUIRE_MESSAGE(loaded.diagnostics.size() == 1, render(loaded.diagnostics, false));
  const auto& d = loaded.diagnostics.front();
  CHECK(d.message.starts_with("run_args in [container#0]: "));
  return d.message.substr(27) + (d.hint.empty() ? "" : "; " + d.hint);
}

}  // namespace

TEST_CASE("flags that have a keyword set it, in every form") {
  for (const char* form : {"-v /a:/b:ro", "-v/a:/b:ro", "-v=/a:/b:ro", "--volume /a:/b:ro", "--volume=/a:/b:ro"}) {
    CAPTURE(form);
    const auto c = given(form);
    REQUIRE(c.volume_mounts.size() == 1);
    CHECK(c.volume_mounts[0].source == "/a");
    CHECK(c.volume_mounts[0].target == "/b");
    CHECK(c.volume_mounts[0].read_only);
    CHECK_FALSE(c.volume_mounts[0].must_exist);
  }
  CHECK(given("-e A=1 --env 'B=x y' --env=C=").environment == Pairs{{"A", "1"}, {"B", "x y"}, {"C", ""}});
  CHECK(given("-h web1").hostname == "web1");
  CHECK(given("--hostname=web1").hostname == "web1");
  CHECK(given("-u 101:101").user == "101:101");
  CHECK(given("-w /srv").cwd == "/srv");
  CHECK(given("--device /dev/fuse --device=/dev/a:/dev/b:r").devices == Texts{"/dev/fuse", "/dev/a:/dev/b:r"});
  CHECK(given("--dns 10.0.3.53 --dns-search example.com").dns == Texts{"10.0.3.53"});
  CHECK(given("--dns-search example.com").dns_search == Texts{"example.com"});
  CHECK(given("--sysctl net.ipv4.ip_forward=0").sysctl == Pairs{{"net.ipv4.ip_forward", "0"}});
  CHECK(given("--entrypoint /bin/true").entrypoint == Texts{"/bin/true"});
  CHECK(given("--stop-timeout 30").stop_timeout == 30s);
}

TEST_CASE("switches stand alone, together, and with a value") {
  const auto all = given("-it --privileged --read-only --init=true --rm -d --restart=no");
  CHECK(all.interactive);
  CHECK(all.tty);
  CHECK(all.privileged);
  CHECK(all.read_only);
  CHECK(all.init);
  CHECK(all.rm);
  CHECK(all.detach);
  CHECK_FALSE(given("--privileged=false").privileged);
  CHECK_FALSE(given("-i=false").interactive);
  const auto letters = given("-itv /a:/b");
  CHECK(letters.tty);
  CHECK(letters.volume_mounts.size() == 1);
}

TEST_CASE("a mount of docker's long form") {
  const auto c = given(
      "--mount type=bind,source=/a,target=/b,readonly,bind-propagation=rslave "
      "--mount type=volume,src=data,dst=/d,volume-nocopy --mount "
      "type=tmpfs,destination=/t,tmpfs-size=64m,tmpfs-mode=1770");
  REQUIRE(c.volume_mounts.size() == 2);
  CHECK(c.volume_mounts[0].must_exist);
  CHECK(c.volume_mounts[0].options == "ro,rslave");
  CHECK_FALSE(c.volume_mounts[1].must_exist);
  CHECK(c.volume_mounts[1].options == "nocopy");
  CHECK(c.options.tmpfs == Pairs{{"/t", "size=67108864,mode=1770"}});
  CHECK(refused("--mount type=npipe,source=/a,target=/b").find("the type is none of bind, volume and tmpfs") !=
        std::string::npos);
  CHECK(refused("--mount type=bind,source=a,target=/b").find("is not an absolute path") != std::string::npos);
  CHECK(refused("--mount type=bind,target=/b").find("has no source or no target") != std::string::npos);
}

TEST_CASE("namespaces: the node's, or that of another container of the service, by its id or by its name") {
  CHECK(given("--network host").netns == "host");
  CHECK(given("--net=none").netns == "none");
  const std::string pause = "[container#1]\nimage = plumb/pause\nname = pause1\n[container#2]\nimage = plumb/pause\n";
  CHECK(given("--net=container:container#1", pause).netns == "container#1");
  CHECK(given("--net=container:pause1", pause).netns == "container#1");
  CHECK(given("--net container:{svcname}.container.2", pause).netns == "container#2");
  CHECK(given("--net container:{container#1.name}", pause).netns == "container#1");
  CHECK(given("--pid=container:pause1 --ipc=container:pause1", pause).pidns == "container#1");
  CHECK(given("--pid host --ipc host --uts host --userns host").pidns == "host");
  CHECK(given("--userns host").userns == "host");
  CHECK(given("--ipc private").ipcns == "private");
  CHECK(refused("--net=bridge").starts_with("--net: \"bridge\" is not host, none or container:NAME; plumb does the"));
  CHECK(refused("--uts=container:x").starts_with("--uts: \"container:x\" is not host; "));
  const auto elsewhere = load("run_args = --net=container:other");
  CHECK(render(elsewhere.diagnostics, false).starts_with("test.conf:3:12: error: netns in [container#0]: there is no"));
}

TEST_CASE("flags without a keyword become options of the container") {
  const auto o =
      given(
          "--cap-add net_admin --cap-drop=ALL -m 512m --memory-swap 1g --cpus 1.5 -c 512 --cpuset-cpus 0-1,3 "
          "--pids-limit 100 --ulimit nofile=1024:2048 --ulimit core=-1 --tmpfs /run:size=64m --shm-size 1.5GiB "
          "-l a=b --label c --log-driver json-file --log-opt max-size=10m --security-opt no-new-privileges "
          "--group-add audio --add-host db:10.0.3.4 --add-host=six=fd00::1 --stop-signal SIGQUIT "
          "--oom-score-adj -500 --cgroup-parent web.slice --runtime runc")
          .options;
  CHECK(o.cap_add == Texts{"NET_ADMIN"});
  CHECK(o.cap_drop == Texts{"ALL"});
  CHECK(o.memory == 512LL << 20U);
  CHECK(o.memory_swap == 1LL << 30U);
  CHECK(o.nano_cpus == 1'500'000'000);
  CHECK(o.cpu_shares == 512);
  CHECK(o.cpuset_cpus == "0-1,3");
  CHECK(o.pids_limit == 100);
  REQUIRE(o.ulimits.size() == 2);
  CHECK(o.ulimits[0].soft == 1024);
  CHECK(o.ulimits[0].hard == 2048);
  CHECK(o.ulimits[1].hard == -1);
  CHECK(o.tmpfs == Pairs{{"/run", "size=64m"}});
  CHECK(o.shm_size == 3LL << 29U);
  CHECK(o.labels == Pairs{{"a", "b"}, {"c", ""}});
  CHECK(o.log_driver == "json-file");
  CHECK(o.log_opts == Pairs{{"max-size", "10m"}});
  CHECK(o.security_opt == Texts{"no-new-privileges"});
  CHECK(o.group_add == Texts{"audio"});
  CHECK(o.add_host == Texts{"db:10.0.3.4", "six:fd00::1"});
  CHECK(o.stop_signal == "SIGQUIT");
  CHECK(o.oom_score_adj == -500);
  CHECK(o.cgroup_parent == "web.slice");
  CHECK(o.runtime == "runc");
}

TEST_CASE("health checks: one of one's own, or none") {
  const auto o = given(
                     "--health-cmd 'wget -q localhost' --health-interval 30s --health-timeout=1m30s --health-retries 3 "
                     "--health-start-period 500ms")
                     .options;
  CHECK(o.health_cmd == "wget -q localhost");
  CHECK(o.health_interval == 30s);
  CHECK(o.health_timeout == 90s);
  CHECK(o.health_start_period == 500ms);
  CHECK(o.health_retries == 3);
  CHECK(given("--no-healthcheck").options.no_healthcheck);
  CHECK(refused("--no-healthcheck --health-retries 3").starts_with("--no-healthcheck contradicts"));
}

TEST_CASE("lists add to those of the keyword, single values have one place") {
  const auto c =
      given("-v /c:/d -e B=2 --device /dev/b --sysctl kernel.b=2 --dns 10.0.0.2",
            "volume_mounts = /a:/b\nenvironment = A=1\ndevices = /dev/a\nsysctl = kernel.a=1\ndns = 10.0.0.1\n");
  CHECK(c.volume_mounts.size() == 2);
  CHECK(c.environment.size() == 2);
  CHECK(c.devices == Texts{"/dev/a", "/dev/b"});
  CHECK(c.sysctl.size() == 2);
  CHECK(c.dns == Texts{"10.0.0.1", "10.0.0.2"});
  CHECK(refused("-h a", "hostname = b\n") ==
        "-h and the keyword hostname of line 4 are the same setting; only one can hold");
  CHECK(refused("--rm", "rm = true\n").starts_with("--rm and the keyword rm of line 4"));
  CHECK(refused("--net=host", "net = none\n").starts_with("--net and the keyword netns of line 4"));
  CHECK(refused("-u 1 --user=2") == "--user is given twice; only one can hold");
  CHECK(refused("--net=host --network=none").starts_with("--network is given twice"));
  CHECK(refused("-e A=2", "environment = A=1\n") == "-e: \"A\" is set twice");
  CHECK(refused("-v /x:/b", "volume_mounts = /a:/b\n") == "-v: two mounts at \"/b\"");
  CHECK(refused("--tmpfs /b -v /x:/b") == "-v: two mounts at \"/b\"");
}

TEST_CASE("a flag that cannot be mapped is refused by its name, with what to do") {
  CHECK(refused("-p 80:80") == "-p: the service has an address of its own, with all its ports; remove it");
  CHECK(refused("--publish=80:80").starts_with("--publish: the service has"));
  CHECK(refused("-P --init").starts_with("-P: the service has"));
  CHECK(refused("--name web") == "--name: there is a keyword for it; use the keyword name");
  CHECK(refused("--env-file /etc/env") == "--env-file: plumb reads no file but the spec; use the keyword environment");
  CHECK(refused("--restart always").starts_with("--restart: \"always\": who decides where the service runs"));
  CHECK(refused("--gpus all") ==
        "--gpus is not supported by this version of plumb; `plumb keywords container.run_args` names those that are");
  CHECK(refused("--memroy 1g") == "unknown flag \"--memroy\"; did you mean \"--memory\"?");
  CHECK(refused("-Z").starts_with("unknown flag \"-Z\"; `plumb keywords"));
  CHECK(refused("nginx").starts_with("\"nginx\" is not a flag; the image and its command have keywords"));
  CHECK(refused("--=x").find("is not a flag") != std::string::npos);
  CHECK(refused("--memory") == "--memory needs a value");
  CHECK(refused("--detach=false").find("detach = false") != std::string::npos);
  CHECK(refused("--security-opt seccomp=/p.json").find("plumb reads no seccomp profile") != std::string::npos);
}

TEST_CASE("a value that the engine would refuse is refused before") {
  for (const char* bad : {"-m lots",
                          "-m 1x",
                          "-m 1.2.3m",
                          "-m ''",
                          "-m 99999999p",
                          "--cpus two",
                          "--cpus 1.5.5",
                          "--cpus -1",
                          "-c -1",
                          "--cpuset-cpus a",
                          "--pids-limit -2",
                          "--ulimit nofile",
                          "--ulimit nosuch=1",
                          "--ulimit nofile=2:1",
                          "--ulimit nofile=-1:5",
                          "--tmpfs run",
                          "--tmpfs /",
                          "--label plumb.service=x",
                          "--add-host db",
                          "--add-host db:x",
                          "--oom-score-adj 2000",
                          "--stop-signal sig",
                          "--cap-add NET-ADMIN",
                          "--group-add ''",
                          "--log-opt a",
                          "-e NAME",
                          "-e =x",
                          "--sysctl x=1",
                          "--dns ns1",
                          "-w srv",
                          "-u a:b:c",
                          "-v data",
                          "--device fuse",
                          "--stop-timeout -1",
                          "--memory-swap 1g",
                          "--init=maybe",
                          "--entrypoint=",
                          "--security-opt foo",
                          "--memory 2g --memory-swap 1g",
                          "--ulimit core=1 --ulimit core=2"}) {
    CAPTURE(bad);
    CHECK_FALSE(refused(bad).empty());
  }
}

TEST_CASE("every error of a list is said, each at its own place, and also those for another node") {
  const auto loaded = load("run_args = -p 80:80 --memory 1x\n  --nosuch value\nrun_args@n2 = --name x");
  const auto text = render(loaded.diagnostics, false);
  CHECK(text.find("test.conf:3:12: error: run_args in [container#0]: -p: ") != std::string::npos);
  CHECK(text.find("test.conf:3:30: error: run_args in [container#0]: --memory: \"1x\"") != std::string::npos);
  CHECK(text.find("test.conf:4:3: error: run_args in [container#0]: unknown flag \"--nosuch\"") != std::string::npos);
  CHECK(text.find("test.conf:5:15: error: run_args in [container#0]: --name: ") != std::string::npos);
  CHECK(loaded.diagnostics.size() == 4);
}

TEST_CASE(
    "options are part of what a container was made from, whatever their order, and no options leave it as it was") {
  const ContainerResource plain = given("-d");
  CHECK(canonical(plain.options).empty());
  auto loaded = load("");
  CHECK(spec_hash(plain) == spec_hash(loaded.service->containers.at(0)));
  CHECK(spec_hash(given("-m 1g --cpus 2")) == spec_hash(given("--cpus=2.0 --memory 1024m")));
  for (const char* args :
       {"-m 1g", "--cap-add NET_ADMIN", "--cap-drop NET_ADMIN", "--tmpfs /x", "--label a", "--log-opt a=b",
        "--ulimit core=0", "--oom-score-adj 0", "--no-healthcheck", "--health-timeout 1s", "--add-host a:10.0.0.1",
        "--mount type=bind,source=/a,target=/b", "-v /a:/b"})
    CHECK_MESSAGE(spec_hash(given(args)) != spec_hash(plain), args);
  CHECK(spec_hash(given("--mount type=bind,source=/a,target=/b")) != spec_hash(given("-v /a:/b")));
}

TEST_CASE("what the engine refuses in a shared network namespace is refused with the flag's place") {
  const std::string pause = "netns = container#1\n[container#1]\n";
  const auto host = render(load("run_args = --add-host a:10.0.0.1 -h web", pause).diagnostics, false);
  CHECK(host.find("test.conf:3:12: error: run_args in [container#0]: --add-host: a container in the network") !=
        std::string::npos);
  CHECK(host.find("test.conf:3:34: error: hostname in [container#0]: a container in the network") != std::string::npos);
}

TEST_CASE("run_args of a container that exists already have no effect, and a warning says so") {
  LoadOptions options{.file = "test.conf", .service = "svc1", .node = "n1"};
  const auto loaded = load_service("[container#0]\nname = vm1\nrun_args = -m 1g\n", options);
  REQUIRE(loaded.service.has_value());
  CHECK(render(loaded.diagnostics, false).find("run_args in [container#0] has no effect") != std::string::npos);
}
