// The agent ocf:plumb:service as Pacemaker calls it, and ocf-tester's word on it.
#include <doctest/doctest.h>

#include <csignal>
#include <string>

#include "tests/lab/service.h"
#include "tests/lab/stalled_engine.h"
#include "tests/lab/watch/watch.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const std::string kAddress = "10.0.3.3";

enum Code { ok = 0, generic = 1, arguments = 2, unimplemented = 3, installed = 5, configured = 6, not_running = 7 };

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Calls the agent for a service, with Pacemaker's environment.
class Agent {
 public:
  explicit Agent(const Node& node, std::string service = "web") : node_(node), service_(std::move(service)) {}

  Outcome run(const std::string& action, const Words& more = {}) const {
    Words words{"OCF_ROOT=/usr/lib/ocf", "OCF_RESKEY_CRM_meta_timeout=60000", "OCF_RESKEY_CRM_meta_interval=10000"};
    if (!service_.empty()) words.push_back("OCF_RESKEY_service=" + service_);
    words.insert(words.end(), more.begin(), more.end());
    return node_.start({installed_agent(node_), action}, words).wait(60s);
  }
  int code(const std::string& action, const Words& more = {}) const {
    const Outcome outcome = run(action, more);
    if (!outcome.err.empty()) MESSAGE(action << ": " << outcome.exit_code << ": " << outcome.err);
    return outcome.exit_code;
  }
  int probe() const { return code("monitor", {"OCF_RESKEY_CRM_meta_interval=0"}); }

 private:
  const Node& node_;
  std::string service_;
};

const Words kHurry{"OCF_RESKEY_CRM_meta_timeout=4000"};

TEST_CASE("the agent starts, watches and stops a service") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  const State before = web.state(n1);
  CHECK(agent.code("validate-all") == ok);
  CHECK(agent.probe() == not_running);
  CHECK(agent.code("monitor") == not_running);
  CHECK(agent.code("start") == ok);
  CHECK(answers(kAddress));
  CHECK(n1.run({"test", "-e", "/run/plumb/web.started"}).exit_code == 0);
  const Outcome monitor = agent.run("monitor");
  CHECK(monitor.exit_code == ok);
  CHECK(monitor.err.empty());
  CHECK(agent.probe() == ok);
  CHECK(agent.code("start") == ok);
  CHECK(agent.code("reload-agent") == ok);
  CHECK(agent.code("stop") == ok);
  CHECK(agent.probe() == not_running);
  CHECK(agent.code("stop") == ok);
  n1.run({"bash", "-c", "docker ps -aq --filter label=plumb.service=web | xargs -r docker rm -fv"});
  CHECK(difference_to_now(before, [&] { return web.state(n1); }) == "");
}

TEST_CASE("the log gets to know where the time went, if it is to") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  const Outcome started = agent.run("start", {"OCF_RESKEY_timing=true"});
  CHECK(started.exit_code == ok);
  CHECK_MESSAGE(has(started.err, "critical path, ms"), started.err);
  CHECK_MESSAGE(has(agent.run("stop", {"OCF_RESKEY_timing=1"}).err, "critical path, ms"), "stop");
  for (const auto* action : {"start", "stop"})
    CHECK_FALSE(has(agent.run(action, {"OCF_RESKEY_timing=false"}).err, "critical path"));
}

TEST_CASE("a service that is there in part has failed, with the reason, and a new start makes it whole") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  n1.must({"docker", "kill", "web.container.1"});
  const Outcome failed = agent.run("monitor");
  CHECK(failed.exit_code == generic);
  CHECK_MESSAGE(has(failed.err, "ocf-exit-reason:container#1"), failed.err);
  CHECK(agent.code("stop") == ok);
  CHECK(agent.code("start") == ok);
  CHECK(agent.code("monitor") == ok);
}

TEST_CASE("an engine that was killed is no reason to move a service that runs, and one that died with it is") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  lab({"engine", "n1", "kill"});
  CHECK(answers(kAddress));
  CHECK(agent.code("monitor") == ok);
  CHECK(agent.probe() == ok);
  // It cannot be stopped either: a stop that succeeded would let it run twice.
  const Outcome stop = agent.run("stop");
  CHECK(stop.exit_code == generic);
  // Nor when its file is broken by then.
  n1.write("/etc/plumb/web.conf", "nonsense\n");
  CHECK(agent.run("stop").exit_code == generic);
  CHECK(agent.code("monitor") == ok);
  n1.write("/etc/plumb/web.conf", shared_engine_spec());
  lab({"engine", "n1", "start"});
  CHECK(agent.code("stop") == ok);
  REQUIRE(agent.code("start") == ok);
  // In good order an engine ends its containers.
  lab({"engine", "n1", "stop"});
  const Outcome gone = agent.run("monitor");
  CHECK_MESSAGE(gone.exit_code == generic, gone.err);
  CHECK_MESSAGE(has(gone.err, "no address of it is on this node"), gone.err);
  CHECK(agent.code("stop") == ok);
  CHECK(agent.probe() == not_running);
  lab({"engine", "n1", "start"});
  CHECK(agent.code("stop") == ok);
}

TEST_CASE("an engine that is killed with its containers leaves an address that answers, and a stop takes it away") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  REQUIRE(answers(kAddress));  // else the first process of nginx may have another name yet
  n1.must({"bash", "-c", "kill -KILL $(pgrep -x 'dockerd|containerd|containerd-shim|pause|nginx')"});
  const auto pings = [&] { return Node("client").run({"ping", "-c", "1", "-W", "1", kAddress}).exit_code == 0; };
  CHECK(pings());
  for (const std::string interval : {"0", "10000"}) {
    const Outcome monitor = agent.run("monitor", {"OCF_RESKEY_CRM_meta_interval=" + interval});
    CHECK(monitor.exit_code == generic);
    CHECK_MESSAGE(has(monitor.err, "the kernel still answers for 1 of its 1 addresses"), monitor.err);
  }
  CHECK(pings());
  CHECK(agent.code("stop") == ok);
  CHECK_FALSE(pings());
  CHECK(agent.probe() == not_running);
  lab({"engine", "n1", "start"});
  CHECK(agent.code("start") == ok);
  CHECK(agent.code("stop") == ok);
}

TEST_CASE("a service whose own engine was killed is running, and its stop ends what that engine has left") {
  const Node n1("n1");
  const Service web("web", reference_spec());
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  n1.must({"bash", "-c", "read -r pid _ </run/plumb/web/engine.pid; kill -KILL $pid"});
  const Outcome monitor = agent.run("monitor");
  CHECK_MESSAGE(monitor.exit_code == ok, monitor.err);
  CHECK_MESSAGE(has(monitor.err, "running: the kernel has all of its addresses"), monitor.err);
  CHECK(agent.code("stop") == ok);
  CHECK_FALSE(answers(kAddress));
  CHECK(agent.probe() == not_running);
}

TEST_CASE("an engine that hangs makes no monitor late, and fails a stop before Pacemaker would kill it") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  const Words hurry{"OCF_RESKEY_CRM_meta_timeout=4000"};
  const auto engine = [&](const std::string& signal) {
    n1.must({"bash", "-c", "kill -" + signal + " $(cat /run/docker.pid)"});
  };
  engine("STOP");
  CHECK(agent.code("monitor", hurry) == not_running);
  engine("CONT");
  REQUIRE(agent.code("start") == ok);
  engine("STOP");
  const Outcome monitor = agent.run("monitor", hurry);
  const Outcome stop = agent.run("stop", hurry);
  engine("CONT");
  CHECK_MESSAGE(monitor.exit_code == ok, monitor.err);
  CHECK(monitor.took < 3900ms);
  CHECK_MESSAGE(stop.exit_code == generic, stop.err);
  CHECK(stop.took < 4s);
  CHECK(agent.code("monitor") == ok);
  CHECK(agent.code("stop") == ok);
  CHECK(agent.probe() == not_running);
}

TEST_CASE("a monitor of a service that is whole asks its engine nothing, and of one that may not be it does") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  // What is said when the engine was asked, and did not answer.
  const auto asked = [&] {
    const StalledEngine stalled(n1);
    const Outcome monitor = agent.run("monitor", kHurry);
    CHECK_MESSAGE(monitor.exit_code == ok, monitor.err);
    return has(monitor.err, "running: the kernel has all of its addresses");
  };
  CHECK_FALSE(asked());
  SUBCASE("a container that is paused") {
    n1.must({"docker", "pause", "web.container.1"});
    CHECK(asked());
    n1.must({"docker", "unpause", "web.container.1"});
    CHECK_FALSE(asked());
  }
  SUBCASE("a container that runs as another process than at the start") {
    n1.must({"docker", "restart", "-t", "0", "web.container.1"});
    CHECK(asked());
  }
  SUBCASE("an address that is gone") {
    n1.must({program(), "enter", "web", "--", "ip", "address", "flush", "dev", "eth0"});
    CHECK(agent.code("monitor") == generic);
  }
  CHECK(agent.code("stop") == ok);
}

TEST_CASE("while its engine hangs a service is not stopped before its processes are gone, wherever its address is") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  const std::string pause = pid_of(n1, "web.container.0");
  const std::string nginx = pid_of(n1, "web.container.1");
  Running guest = n1.start({program(), "enter", "web", "--", "sh", "-c", "ip link delete eth0; echo gone; sleep 1000"});
  REQUIRE(guest.await_output("gone", 10s));
  const StalledEngine stalled(n1);
  const auto refuses = [&](const std::string& because) {
    const Outcome stop = agent.run("stop", kHurry);
    CHECK(stop.exit_code == generic);
    CHECK_MESSAGE(has(stop.err, because), stop.err);
  };
  refuses("not stopped: container#0 runs as process " + pause);
  n1.must({"kill", "-KILL", pause});
  refuses("not stopped: container#1 runs as process " + nginx);
  n1.must({"kill", "-KILL", nginx});
  refuses("is in the network namespace of container#0");
  n1.must({"pkill", "-KILL", "-xf", "sleep 1000"});
  guest.wait(10s);
  CHECK(agent.code("stop", kHurry) == ok);
  CHECK(n1.run({"test", "-e", "/run/plumb/web.traces"}).exit_code == 1);
}

TEST_CASE("while its engine hangs a service whose name means another address by now runs, and is not stopped") {
  const Node n1("n1");
  const std::string hosts = n1.must({"cat", "/etc/hosts"});
  const auto says = [&](const std::string& address) { n1.write("/etc/hosts", hosts + address + " www.svc.test\n"); };
  says(kAddress);
  const std::string spec = edited(shared_engine_spec(), "ipname", "ipname = www.svc.test");
  const Service web("web", spec);
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  const std::string both = pid_of(n1, "web.container.0") + " " + pid_of(n1, "web.container.1");
  says("10.0.3.78");
  n1.write("/etc/plumb/web.conf", edited(spec, "ipname", "ipname = 10.0.3.79"));
  {
    const StalledEngine stalled(n1);
    CHECK(agent.code("monitor", kHurry) == ok);
    CHECK(agent.code("stop", kHurry) == generic);
    CHECK(answers(kAddress));
    n1.must({"bash", "-c", "kill -KILL " + both});
    CHECK(agent.code("stop", kHurry) == ok);
    CHECK_FALSE(answers(kAddress));
  }
  n1.write("/etc/hosts", hosts);
  n1.remove("/var/cache/plumb/names/www.svc.test");
}

TEST_CASE("what a plumb has started that left no traces is not stopped while any container runs") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  const std::string both = pid_of(n1, "web.container.0") + " " + pid_of(n1, "web.container.1");
  n1.must({program(), "enter", "web", "--", "ip", "link", "delete", "eth0"});
  n1.remove("/run/plumb/web.traces");
  const StalledEngine stalled(n1);
  CHECK(agent.code("stop", kHurry) == generic);
  n1.must({"bash", "-c", "kill -KILL " + both});
  CHECK(agent.code("stop", kHurry) == ok);
}

TEST_CASE("what a start that was killed has made is known to the engine alone, and not stopped without it") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec() +
                               "\n[container#2]\nimage = busybox\ncommand = sleep 1000\ndetach = false\n"
                               "netns = container#0\nstart_timeout = 1m\n");
  const Agent agent(n1);
  Running start = n1.start({program(), "ocf", "start"}, {"OCF_ROOT=/usr/lib/ocf", "OCF_RESKEY_service=web"});
  REQUIRE(becomes([&] { return n1.run({"pgrep", "-xf", "sleep 1000"}).exit_code == 0; }, 30s));
  start.signal(SIGKILL);
  start.wait(10s);
  CHECK(n1.run({"test", "-e", "/run/plumb/web.started"}).exit_code == 1);
  n1.must({program(), "enter", "web", "--", "sh", "-c", "! ip link show eth0 || ip link delete eth0"});
  {
    const StalledEngine stalled(n1);
    const Outcome stop = agent.run("stop", kHurry);
    CHECK(stop.exit_code == generic);
    CHECK_MESSAGE(has(stop.err, "left undone"), stop.err);
  }
  CHECK(agent.code("stop") == ok);
  CHECK(n1.run({"test", "-e", "/run/plumb/web.unsettled"}).exit_code == 1);
}

TEST_CASE("a service that a later plumb has started has failed, and is not said to be stopped, but another one is") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Service host("host", "[ip#0]\nipname = 10.0.3.21\nipdev = eth0\nnetmask = 24\n");
  const Agent agent(n1);
  const Agent other(n1, "host");
  REQUIRE(agent.code("start") == ok);
  for (const std::string file : {"web.started", "web.traces"}) {
    n1.must({"sed", "-i", "1s/ 1$/ 2/", "/run/plumb/" + file});
    for (const std::string action : {"monitor", "stop"})
      for (const bool has_file : {true, false}) {
        CAPTURE(action);
        n1.write("/etc/plumb/web.conf", has_file ? shared_engine_spec() : "nonsense\n");
        const Outcome refused = agent.run(action, {"OCF_RESKEY_CRM_meta_interval=0"});
        CHECK(refused.exit_code == generic);
        CHECK_MESSAGE(has(refused.err, "/run/plumb/" + file + ": it has version 2"), refused.err);
        CHECK_MESSAGE(has(refused.err, "install the plumb that wrote it"), refused.err);
      }
    n1.write("/etc/plumb/web.conf", shared_engine_spec());
    CHECK(agent.run("start").exit_code != ok);
    CHECK(answers(kAddress));
    CHECK(other.code("start") == ok);
    CHECK(other.code("monitor") == ok);
    CHECK(other.code("stop") == ok);
    n1.must({"sed", "-i", "1s/ 2$/ 1/", "/run/plumb/" + file});
    CHECK(agent.code("monitor") == ok);
  }
  CHECK(agent.code("stop") == ok);
  CHECK(agent.probe() == not_running);
}

TEST_CASE("what the watcher has made anew is known to a stop without the engine") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  const std::string first = pid_of(n1, "web.container.0");
  {
    Watch watch(n1);
    n1.must({"docker", "kill", "web.container.0"});
    REQUIRE_MESSAGE(watch.says("up again"), watch.log());
    CHECK(watch.end().exit_code == 0);
  }
  const std::string second = pid_of(n1, "web.container.0");
  CHECK(first != second);
  const std::string nginx = pid_of(n1, "web.container.1");
  n1.must({program(), "enter", "web", "--", "ip", "link", "delete", "eth0"});
  const StalledEngine stalled(n1);
  CHECK_MESSAGE(has(agent.run("stop", kHurry).err, "container#0 runs as process " + second), second);
  n1.must({"bash", "-c", "kill -KILL " + second + " " + nginx});
  CHECK(agent.code("stop", kHurry) == ok);
}

TEST_CASE("a container that no address would show is not taken for stopped while the engine is away") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec() +
                               "\n[container#2]\nimage = busybox\ncommand = sleep 987\noptional = true\nrm = true\n");
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  n1.must({"docker", "kill", "web.container.1", "web.container.0"});
  lab({"engine", "n1", "kill"});
  CHECK_FALSE(answers(kAddress));
  const Outcome stop = agent.run("stop");
  CHECK_MESSAGE(stop.exit_code == generic, stop.err);
  CHECK(agent.run("stop").exit_code == generic);
  CHECK(n1.run({"pgrep", "-xf", "sleep 987"}).exit_code == 0);
  lab({"engine", "n1", "start"});
  CHECK(agent.code("stop") == ok);
  CHECK(n1.run({"pgrep", "-xf", "sleep 987"}).exit_code == 1);
  CHECK(n1.run({"test", "-e", "/run/plumb/web.stopping"}).exit_code == 1);
}

TEST_CASE(
    "a wrong or missing configuration keeps nothing from being stopped, and nothing that runs from being judged") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  n1.write("/etc/plumb/web.conf", "[ip#0]\nipname = no.such.address.\nnonsense = 1\n");
  CHECK(agent.code("monitor") == ok);
  CHECK(agent.run("validate-all").exit_code == configured);
  const Outcome start = agent.run("start");
  CHECK(start.exit_code == configured);
  CHECK_MESSAGE(has(start.err, "ocf-exit-reason:/etc/plumb/web.conf has "), start.err);
  CHECK(agent.code("stop") == ok);
  CHECK_FALSE(answers(kAddress));
  CHECK(n1.must({"docker", "ps", "-q"}).empty());
  CHECK(agent.code("stop") == ok);
  CHECK(agent.probe() == not_running);

  n1.remove("/etc/plumb/web.conf");
  CHECK(agent.probe() == not_running);
  CHECK(agent.code("stop") == ok);
  const Outcome missing = agent.run("start");
  CHECK(missing.exit_code == installed);
  CHECK_MESSAGE(has(missing.err, "there is no /etc/plumb/web.conf"), missing.err);
  // What still runs, and is known to no configuration, is not called stopped.
  n1.must({"docker", "run", "-d", "--rm", "--name", "lost", "--label", "plumb.service=web", "--network", "none",
           "busybox", "sleep", "1000"});
  CHECK(agent.run("stop").exit_code == generic);
  CHECK(agent.run("monitor").exit_code == generic);
  n1.must({"docker", "rm", "-f", "lost"});
}

TEST_CASE("a node without an engine, and one that the service is not for, have nothing running") {
  const Node n3("n3");
  const Service web("web", edited(shared_engine_spec(), "drpnodes", ""));
  const Agent agent(n3);
  const Words bare{"DOCKER_HOST=unix:///run/no-docker.sock"};
  CHECK(agent.code("monitor", bare) == not_running);
  CHECK(agent.code("stop", bare) == ok);
  const Outcome start = agent.run("start");
  CHECK(start.exit_code == arguments);
  CHECK_MESSAGE(has(start.err, "node n3 is not one of nodes"), start.err);
  CHECK(agent.probe() == not_running);
  // A file that is wrong only for such a node must not bar the others.
  n3.write("/etc/plumb/web.conf",
           "[DEFAULT]\nnodes = n1 n2\n[ip#0]\nipname@n1 = 10.0.3.31\nipname@n2 = 10.0.3.32\n"
           "ipdev = eth0\nnetmask = 24\n");
  const Outcome flex = agent.run("start");
  CHECK(flex.exit_code == arguments);
  CHECK_MESSAGE(has(flex.err, "node n3 is not one of nodes"), flex.err);
  CHECK(agent.run("validate-all", {"OCF_RESKEY_node=n2"}).exit_code == ok);
  n3.write("/etc/plumb/web.conf", edited(shared_engine_spec(), "drpnodes", ""));
  CHECK(agent.code("start", {"OCF_RESKEY_node=n2"}) == ok);
  CHECK(agent.code("stop", {"OCF_RESKEY_node=n2"}) == ok);
}

TEST_CASE("a rival at start bars this node, with its MAC in the reason, and a deep monitor finds a later one") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  std::string mac = lab({"rival", kAddress});
  mac.pop_back();
  const Outcome refused = agent.run("start");
  CHECK(refused.exit_code == installed);
  CHECK_MESSAGE(has(refused.err, "ocf-exit-reason:"), refused.err);
  CHECK_MESSAGE(has(refused.err, mac), refused.err);
  CHECK(agent.probe() == not_running);
  lab({"rival", "--gone"});
  REQUIRE(agent.code("start") == ok);
  CHECK(agent.code("monitor", {"OCF_CHECK_LEVEL=10"}) == ok);
  lab({"rival", kAddress});
  CHECK(agent.code("monitor") == ok);
  CHECK(agent.run("monitor", {"OCF_CHECK_LEVEL=10"}).exit_code == generic);
  lab({"rival", "--gone"});
}

TEST_CASE("parameters are checked, and what the agent cannot do is said") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  CHECK(Agent(n1, "").run("start").exit_code == configured);
  CHECK(Agent(n1, "/etc/plumb/web.conf").code("validate-all") == ok);
  CHECK(Agent(n1, "/etc/plumb/web.conf").probe() == not_running);
  const Agent agent(n1);
  CHECK(agent.run("promote").exit_code == unimplemented);
  CHECK(agent.run("validate-all", {"OCF_RESKEY_config_dir=/srv"}).exit_code == installed);
  CHECK(agent.run("meta-data").out.starts_with("<?xml"));
  CHECK(Agent(n1, "").run("meta-data").exit_code == ok);
  // A start that does not fit into Pacemaker's time undoes itself before it would be killed.
  const Outcome late = agent.run("start", {"OCF_RESKEY_CRM_meta_timeout=16"});
  CHECK(late.exit_code == generic);
  CHECK_MESSAGE(has(late.err, "not done within "), late.err);
  CHECK(agent.probe() == not_running);
}

TEST_CASE("an action waits for a verb of the command line") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Running held = n1.start({"flock", "--no-fork", "/run/plumb/web.lock", "sh", "-c", "echo held; exec sleep 1000"});
  REQUIRE(held.await_output("held", 10s));
  Running stop = n1.start({installed_agent(n1), "stop"}, {"OCF_RESKEY_service=web"});
  CHECK(stop.await_errors("wait", 10s));
  CHECK(answers(kAddress));
  held.signal(SIGKILL);
  CHECK(stop.wait(60s).exit_code == ok);
  CHECK_FALSE(answers(kAddress));
}

// A container that the start waits for, for longer than any test.
std::string waiting_spec() {
  const std::string init =
      "[container#init]\nimage = busybox\nnetns = container#0\ndetach = false\nstop_timeout = 1s\nstart_timeout = "
      "5m\ncommand = sleep 1000\n";
  std::string spec = shared_engine_spec();
  return spec.insert(spec.find("[container#1]"), init);
}

TEST_CASE("a stop interrupts a start that waits, and a start that has to wait too long says for whom") {
  const Node n1("n1");
  const Service web("web", waiting_spec());
  const Agent agent(n1);
  Running start = n1.start({program(), "start", "web"});
  REQUIRE(becomes([&] { return has(n1.run({"docker", "ps"}).out, "web.container.init"); }, 20s));
  const Outcome late = agent.run("start", kHurry);
  CHECK(late.exit_code == generic);
  CHECK_MESSAGE(has(late.err, "is not done with web"), late.err);
  CHECK(late.took < 4s);
  CHECK(agent.code("stop") == ok);
  const Outcome given_up = start.wait();
  CHECK(given_up.exit_code != 0);
  CHECK_MESSAGE(has(given_up.err, "given up for plumb stop (pid "), given_up.err);
  CHECK_FALSE(answers(kAddress));
}

TEST_CASE("a stop interrupts a heal that waits, and the watcher leaves the service alone then") {
  const Node n1("n1");
  n1.must({"mkdir", "-p", "/srv/init"});
  const Service web("web", edited(waiting_spec(), "command = sleep 1000",
                                  "volume_mounts = /srv/init:/out\ncommand = sh -c 'test ! -e /out/wait || exec sleep "
                                  "1000'"));
  const Agent agent(n1);
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Watch watch(n1);
  n1.write("/srv/init/wait", "");
  n1.must({"docker", "kill", "web.container.0"});
  REQUIRE(becomes([&] { return has(n1.run({"docker", "ps"}).out, "web.container.init"); }, 20s));
  const Outcome stop = agent.run("stop", {"OCF_RESKEY_CRM_meta_timeout=20000"});
  CHECK_MESSAGE(stop.exit_code == ok, stop.err);
  CHECK(watch.says("given up for plumb stop (pid "));
  CHECK(agent.probe() == not_running);
  n1.must({"rm", "-r", "/srv/init"});
}

TEST_CASE("a container that ignores SIGTERM is killed in time for the operation, and its own grace counts otherwise") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec() + "command = sh -c 'trap : TERM; while :; do sleep 1; done'\n");
  n1.write("/etc/plumb/web.conf",
           edited(shared_engine_spec() + "command = sh -c 'trap : TERM; while :; do sleep 1; done'\n", "image = nginx",
                  "image = busybox"));
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  const Outcome stop = agent.run("stop", {"OCF_RESKEY_CRM_meta_timeout=8000"});
  CHECK_MESSAGE(stop.exit_code == ok, stop.err);
  CHECK(stop.took < 8s);
  CHECK(stop.took > 3s);
}

TEST_CASE("a spoilt file stops nothing that runs: a reload warns, and a service that does not run gets the error") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  n1.write("/etc/plumb/web.conf", "nonsense\n");
  const Outcome spoilt = agent.run("reload-agent");
  CHECK(spoilt.exit_code == ok);
  CHECK_MESSAGE(has(spoilt.err, "plumb: warning: it runs as it was started, and could not be started again"),
                spoilt.err);
  n1.remove("/etc/plumb/web.conf");
  CHECK(agent.code("reload-agent") == ok);
  CHECK(agent.code("monitor") == ok);
  CHECK(agent.code("stop") == ok);
  CHECK(agent.code("reload-agent") != ok);
}

TEST_CASE("a stop of what is not here needs nothing, not even room in /run, and a stop of what is here says so") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  n1.must({"mkdir", "-p", "/run/plumb"});
  n1.must({"mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=1", "full", "/run/plumb"});
  CHECK(agent.code("start") == generic);
  CHECK(agent.code("stop") == ok);
  CHECK(web.plumb(n1, "stop").exit_code == 0);
  n1.must({"umount", "/run/plumb"});
  REQUIRE(agent.code("start") == ok);
  n1.must({"mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=1", "full", "/run/plumb"});
  CHECK(agent.code("stop") == generic);
  n1.must({"umount", "/run/plumb"});
  CHECK(agent.code("stop") == ok);
}

TEST_CASE("a service that is prepared for a hand-over is not active here, and one that has lost its address is") {
  const Node n1("n1");
  const Service web("web",
                    "[DEFAULT]\nhandover = true\n" + shared_engine_spec().substr(shared_engine_spec().find("nodes")));
  const Agent agent(n1);
  REQUIRE(web.plumb(n1, "prepare").exit_code == 0);
  CHECK(agent.probe() == not_running);
  REQUIRE(agent.code("start") == ok);
  CHECK(agent.probe() == ok);
  n1.must(
      {"bash", "-c", "nsenter -t $(docker inspect -f {{.State.Pid}} web.container.0) -n ip address flush dev eth0"});
  CHECK(agent.probe() == generic);
}

TEST_CASE("who may not look says so, and never that nothing runs") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const Agent agent(n1);
  REQUIRE(agent.code("start") == ok);
  const Outcome nobody = n1.run({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env",
                                 "OCF_RESKEY_service=web", installed_agent(n1), "monitor"});
  CHECK_MESSAGE(nobody.exit_code == 4, nobody.err);
}

TEST_CASE("ocf-tester passes") {
  const Node n1("n1");
  for (const std::string& spec : {shared_engine_spec(), reference_spec()}) {
    const Service svc1("svc1", spec);
    const Outcome tester = n1.run({"ocf-tester", "-n", "test", "-o", "service=svc1", installed_agent(n1)}, 110s);
    CHECK_MESSAGE(tester.exit_code == 0, tester.out << tester.err);
    CHECK_MESSAGE(has(tester.out, "passed all tests"), tester.out);
  }
}

}  // namespace
}  // namespace plumb::lab
