// What users do with the services of the reference beyond start and stop: several on a node, several addresses in one,
// changes while they run, other engines. Each claim has its negative twin.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/lab/capture.h"
#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const std::string kAddress = "10.0.3.3";

// One line of output, without its end.
std::string line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string inspect(const Node& node, const std::string& container, const std::string& what) {
  return line(node.must({"docker", "inspect", "--format", "{{" + what + "}}", container}));
}

// Runs a program in the network namespace of a container, with the node's files.
Outcome within(const Node& node, const std::string& container, const Words& command) {
  Words words{"nsenter", "--net=/proc/" + inspect(node, container, ".State.Pid") + "/ns/net"};
  words.insert(words.end(), command.begin(), command.end());
  return node.run(words);
}

// A probe or an announcement of the address; an answer to a neighbour who asked is neither.
bool unasked(const Frame& frame) {
  const auto arp = frame.arp();
  if (!arp) return false;
  if (arp->operation == 1) return arp->target_ip == kAddress && (arp->claims(kAddress) || arp->probes(kAddress));
  return arp->claims(kAddress) && arp->destination == "ff:ff:ff:ff:ff:ff";
}

// The reference's service on the node's engine, with another address.
std::string with_address(const std::string& address) {
  return edited(shared_engine_spec(), "ipname", "ipname = " + address);
}

// Siblings that are kept at stop outlive their service.
void forget(const Node& node, const Words& containers) {
  Words command{"docker", "rm", "--force"};
  command.insert(command.end(), containers.begin(), containers.end());
  node.must(command);
}

TEST_CASE("siblings share one namespace: what listens on 127.0.0.1 is reached from within it, and from nowhere else") {
  const Node n1("n1");
  n1.must({"docker", "pull", "-q", "busybox"});
  const Service web("web", edited(shared_engine_spec(), "gateway", "gateway = 10.0.3.1\nannounce = 1") +
                               "\n[container#app]\nimage = busybox\nrm = true\nstop_timeout = 1\nnetns = container#0\n"
                               "command = httpd -f -p 127.0.0.1:8081 -h /etc\n");
  Capture heard(n1, "eth0");
  const Outcome start = web.plumb(n1, "start");
  CAPTURE(start.err);
  REQUIRE(start.exit_code == 0);
  CHECK(heard.await(unasked, 2s));

  const auto inode = [&](const std::string& container) {
    return n1.must({"readlink", "/proc/" + inspect(n1, container, ".State.Pid") + "/ns/net"});
  };
  CHECK(inode("web.container.1") == inode("web.container.0"));
  CHECK(inode("web.container.app") == inode("web.container.0"));
  CHECK(inode("web.container.0") != n1.must({"readlink", "/proc/self/ns/net"}));

  CHECK(answers(kAddress));
  CHECK(within(n1, "web.container.0", {"curl", "-sf", "http://127.0.0.1:8081/hostname"}).exit_code == 0);
  CHECK(Node("client").run({"curl", "-sf", "--max-time", "3", "http://10.0.3.3:8081/hostname"}).exit_code == 7);

  // The second start changes nothing, and says nothing on the LAN.
  const std::string begun = inspect(n1, "web.container.1", ".State.StartedAt") + inode("web.container.0");
  Capture wire(n1, "eth0");
  CHECK(says(web.plumb(n1, "start").out, "is up already"));
  CHECK(inspect(n1, "web.container.1", ".State.StartedAt") + inode("web.container.0") == begun);
  for (const auto& frame : wire.frames()) CHECK_FALSE_MESSAGE(unasked(frame), frame.to_string());
  CHECK(web.plumb(n1, "stop").exit_code == 0);
  forget(n1, {"web.container.1"});
}

TEST_CASE("two services on one node, three addresses: each answers on the same port, and goes alone") {
  const Node n1("n1");
  const Service one("one", with_address(kAddress) +
                               "\n[ip#1]\ntype = netns\nnetns = container#0\nipdev = eth0\nipname = 10.0.3.4\n"
                               "netmask = 24\nnsdev = front\nmacaddr = 02:00:0a:00:03:04\nmtu = 1400\n");
  const Service two("two", with_address("10.0.3.5"));
  const Outcome start = one.plumb(n1, "start");
  CAPTURE(start.err);
  REQUIRE(start.exit_code == 0);
  REQUIRE(two.plumb(n1, "start").exit_code == 0);
  CHECK(answers(kAddress));
  CHECK(answers("10.0.3.4"));
  CHECK(answers("10.0.3.5"));

  const std::string front = within(n1, "one.container.0", {"ip", "-o", "link", "show", "dev", "front"}).out;
  CHECK_MESSAGE(says(front, "02:00:0a:00:03:04"), front);
  CHECK_MESSAGE(says(front, "mtu 1400"), front);
  CHECK(says(within(n1, "one.container.0", {"ip", "-o", "link", "show", "dev", "eth0"}).out, "mtu 1500"));
  CHECK(says(one.plumb(n1, "status").out, "10.0.3.4/24 on front"));

  CHECK(one.plumb(n1, "stop").exit_code == 0);
  CHECK_FALSE(answers(kAddress));
  CHECK_FALSE(answers("10.0.3.4"));
  CHECK(answers("10.0.3.5"));
  CHECK(two.plumb(n1, "stop").exit_code == 0);
  forget(n1, {"one.container.1", "two.container.1"});
}

TEST_CASE("a link that is wider than its parent, or a MAC that is taken, is refused with the kernel's word") {
  const Node n1("n1");
  const auto refused = [&](const std::string& keyword, const std::string& word) {
    const Service wrong("wrong", edited(shared_engine_spec(), "gateway", "gateway = 10.0.3.1\n" + keyword));
    const State before = wrong.state(n1);
    const Outcome start = wrong.plumb(n1, "start");
    CHECK(start.exit_code == 1);
    CHECK_MESSAGE(says(start.err, word), start.err);
    CHECK_MESSAGE(says(start.err, "step: create"), start.err);
    CHECK(difference(before, wrong.state(n1)) == "");
  };
  refused("mtu = 9000", "MTU");
  const std::string mac = line(n1.must({"cat", "/sys/class/net/eth0/address"}));
  refused("macaddr = " + mac, mac);
}

TEST_CASE("conflict = warn starts beside a rival, and says who it is") {
  const Node n1("n1");
  const Service web("web", edited(shared_engine_spec(), "gateway", "gateway = 10.0.3.1\nconflict = warn"));
  const std::string mac = line(lab({"rival", kAddress}));
  const Outcome start = web.plumb(n1, "start");
  lab({"rival", "--gone"});
  CHECK(start.exit_code == 0);
  CHECK_MESSAGE(says(start.err, "warning: "), start.err);
  CHECK_MESSAGE(says(start.err, mac), start.err);
  CHECK(answers(kAddress));
  CHECK(web.plumb(n1, "stop").exit_code == 0);
  forget(n1, {"web.container.1"});
}

TEST_CASE("a node that is not the service's refuses it, and touches nothing") {
  const Node n1("n1");
  const Service elsewhere("elsewhere", edited(shared_engine_spec(), "nodes = n1", "nodes = n2"));
  const State before = elsewhere.state(n1);
  const Outcome start = elsewhere.plumb(n1, "start");
  CHECK(start.exit_code == 1);
  CHECK_MESSAGE(says(start.err, "n1"), start.err);
  CHECK_MESSAGE(says(start.err, "nodes"), start.err);
  CHECK(difference(before, elsewhere.state(n1)) == "");
  CHECK(says(elsewhere.plumb(Node("n2"), "plan").out, "probe"));
}

TEST_CASE("a change while the service runs is said by start, and applied by restart") {
  const Node n1("n1");
  const std::string before = shared_engine_spec();
  const std::string path = "/etc/plumb/web.conf";
  const Service web("web", before);
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  CHECK_FALSE(says(web.plumb(n1, "start").err, "warning"));
  const std::string begun = inspect(n1, "web.container.1", ".State.StartedAt");

  n1.write(path, edited(edited(before, "gateway", "gateway = 10.0.3.1\nnsdev = front"), "image = nginx",
                        "image = nginx\nenvironment = GREETING=hello"));
  const Outcome start = web.plumb(n1, "start");
  CHECK(start.exit_code == 0);
  CHECK_MESSAGE(says(start.err, "container#1: its configuration has changed"), start.err);
  CHECK_MESSAGE(says(start.err, "ip#0: its configuration has changed"), start.err);
  CHECK(inspect(n1, "web.container.1", ".State.StartedAt") == begun);
  CHECK(answers(kAddress));

  REQUIRE(web.plumb(n1, "restart").exit_code == 0);
  CHECK(says(inspect(n1, "web.container.1", ".Config.Env"), "GREETING=hello"));
  CHECK(says(web.plumb(n1, "status").out, "10.0.3.3/24 on front"));
  CHECK(answers(kAddress));
  CHECK_FALSE(says(web.plumb(n1, "start").err, "warning"));

  // Another address: the old one is not lost from sight.
  n1.write(path, with_address("10.0.3.4"));
  CHECK(says(web.plumb(n1, "start").err, "10.0.3.3/24 is on front"));
  REQUIRE(web.plumb(n1, "restart").exit_code == 0);
  CHECK(answers("10.0.3.4"));
  CHECK_FALSE(answers(kAddress));
  CHECK(web.plumb(n1, "stop").exit_code == 0);
  forget(n1, {"web.container.1"});
}

TEST_CASE("an engine of the service's own pulls with progress, takes its arguments, and leaves the node's alone") {
  const Node n1("n1");
  const Service svc1("own", edited(reference_spec(), "docker_data_dir",
                                   "docker_data_dir = /srv/own/data\ndocker_daemon_args = --label plumb=story"));
  const std::string nodes_engine = n1.must({"docker", "info", "--format", "{{.ID}} {{.Containers}} {{.Images}}"});
  const Outcome start = svc1.plumb(n1, "start");
  CAPTURE(start.err);
  REQUIRE(start.exit_code == 0);
  CHECK(says(start.err, "pulled ghcr.io/opensvc/pause"));
  CHECK(says(start.err, "pulled nginx"));
  CHECK(answers(kAddress));

  const std::string info = svc1.plumb(n1, "docker", {"info", "--format", "{{.Labels}} {{.DockerRootDir}}"}).out;
  CHECK_MESSAGE(says(info, "plumb=story"), info);
  CHECK_MESSAGE(says(info, "/srv/own/data"), info);
  CHECK(n1.must({"docker", "info", "--format", "{{.ID}} {{.Containers}} {{.Images}}"}) == nodes_engine);

  CHECK(svc1.plumb(n1, "stop").exit_code == 0);
  const Outcome gone = svc1.plumb(n1, "docker", {"ps"});
  CHECK(gone.exit_code == 8);
  CHECK_MESSAGE(says(gone.err, "plumb start own"), gone.err);
  CHECK_FALSE(says(svc1.plumb(n1, "start").err, "pull"));  // the images are there
  CHECK(svc1.plumb(n1, "stop").exit_code == 0);
  n1.remove("/srv/own");
}

// Podman's API service, with all that it keeps in folders of its own.
class Podman {
 public:
  explicit Podman(const Node& node) : node_(node), running_(start(node)) {
    node.must({"bash", "-c", "until [[ -S /run/podman/podman.sock ]]; do :; done"});
    node.must(
        {"bash", "-c",
         "docker pull -q nginx && docker pull -q ghcr.io/opensvc/pause && docker save nginx ghcr.io/opensvc/pause | "
         "docker -H unix:///run/podman/podman.sock load"});
  }
  ~Podman() {
    node_.must({"bash", "-c",
                "for id in $(docker -H unix:///run/podman/podman.sock ps -aq --filter name=container.1) "
                "$(docker -H unix:///run/podman/podman.sock ps -aq); do "
                "docker -H unix:///run/podman/podman.sock rm -f $id || true; done"});
    running_.signal(SIGTERM);
    running_.wait();
    node_.must({"bash", "-c", "umount /srv/podman/data/overlay 2>/dev/null; rm -rf /srv/podman /run/podman"});
  }
  Podman(const Podman&) = delete;
  Podman& operator=(const Podman&) = delete;

 private:
  static Running start(const Node& node) {
    // Podman raises the limits of containers to what not every machine lets even root have.
    node.write("/srv/podman/containers.conf",
               "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n"
               "[engine]\nevents_logger = \"file\"\n");
    node.must({"mkdir", "-p", "/run/podman"});
    return node.start({"podman", "--root", "/srv/podman/data", "--runroot", "/run/podman/run", "--tmpdir",
                       "/run/podman/tmp", "--runtime", "runc", "--cgroup-manager", "cgroupfs", "system", "service",
                       "--time", "0", "unix:///run/podman/podman.sock"},
                      {"CONTAINERS_CONF=/srv/podman/containers.conf"});
  }

  Node node_;
  Running running_;
};

TEST_CASE("Podman as the engine: started, reached, stopped, and started again") {
  const Node n1("n1");
  const Podman podman(n1);
  const Service web("web", shared_engine_spec());
  const auto run = [&](const std::string& verb) {
    return n1.start({program(), verb, "web"}, {"DOCKER_HOST=unix:///run/podman/podman.sock"}).wait();
  };
  for (int i = 0; i < 2; ++i) {
    const Outcome start = run("start");
    CAPTURE(start.err);
    REQUIRE(start.exit_code == 0);
    CHECK(answers(kAddress));
    CHECK(run("status").exit_code == 0);
    CHECK(web.plumb(n1, "status").exit_code == 3);  // the node's Docker knows nothing of it
    const Outcome stop = run("stop");
    CAPTURE(stop.err);
    CHECK(stop.exit_code == 0);
    CHECK(run("status").exit_code == 3);
    CHECK_FALSE(answers(kAddress));
  }
}

TEST_CASE("Podman as the engine: the watcher hears of a sibling that ends, and starts it again") {
  const Node n1("n1");
  const Podman podman(n1);
  const Service web("web", shared_engine_spec() + "restart = 3\n");
  const std::string host = "unix:///run/podman/podman.sock";
  const auto run = [&](const std::string& verb) {
    return n1.start({program(), verb, "web"}, {"DOCKER_HOST=" + host}).wait();
  };
  REQUIRE(run("start").exit_code == 0);
  Running watch = n1.start({program(), "watch"}, {"DOCKER_HOST=" + host});
  REQUIRE(watch.await_errors("listening to the engine at /run/podman/podman.sock", std::chrono::seconds(20)));
  n1.must({"docker", "-H", host, "kill", "web.container.1"});
  CHECK(watch.await_errors("up again after", std::chrono::seconds(30)));
  CHECK(answers(kAddress));
  CHECK(run("stop").exit_code == 0);
  watch.signal(SIGTERM);
  watch.wait();
}

}  // namespace
}  // namespace plumb::lab
