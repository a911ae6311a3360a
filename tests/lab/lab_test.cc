// The lab itself: what every other test of this folder relies on.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include "tests/lab/capture.h"
#include "tests/lab/node.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const Words kNodes{"n1", "n2", "n3", "client"};
const std::string kReady = PLUMB_SOURCE_DIR "/ci/lab.d/ready";

TEST_CASE("every node reaches every other by name, over both families") {
  for (const std::string& from : kNodes) {
    for (const std::string& to : kNodes) {
      CAPTURE(from);
      CAPTURE(to);
      CHECK(Node(from).run({"ping", "-c", "1", "-W", "5", to}).exit_code == 0);
    }
    CHECK(Node(from).run({"ping", "-c", "1", "-W", "5", "fd00:10:3::1"}).exit_code == 0);
    CHECK(Node(from).run({"ping", "-c", "1", "-W", "1", "10.0.3.3"}).exit_code != 0);  // nobody has the service ip
  }
}

TEST_CASE("a program of a node sees the node's own name, processes and files") {
  const Node n1("n1");
  CHECK(n1.must({"hostname"}) == "n1\n");
  CHECK(n1.must({"cat", "/proc/1/cmdline"}).starts_with("plumb-"));
  n1.write("/etc/plumb/probe.conf", "text\n");
  CHECK(n1.must({"cat", "/etc/plumb/probe.conf"}) == "text\n");
  CHECK(Node("n2").run({"cat", "/etc/plumb/probe.conf"}).exit_code != 0);
  n1.remove("/etc/plumb/probe.conf");
  CHECK(n1.run({"cat", "/etc/plumb/probe.conf"}).exit_code != 0);
}

TEST_CASE("a run tells exit code, output, signal and deadline") {
  const Node n1("n1");
  const Outcome outcome = n1.run({"bash", "-c", "echo out; echo err >&2; exit 7"});
  CHECK(outcome.exit_code == 7);
  CHECK(outcome.out == "out\n");
  CHECK(outcome.err == "err\n");
  CHECK_FALSE(outcome.timed_out);

  Running running = n1.start({"bash", "-c", "echo ready; exec sleep infinity"});
  CHECK(running.await_output("ready", 10s));
  running.signal(SIGTERM);
  CHECK(running.wait().exit_code == 128 + SIGTERM);

  const Outcome late = n1.run({"sleep", "infinity"}, 50ms);
  CHECK(late.timed_out);
  CHECK(late.exit_code == 128 + SIGKILL);
}

TEST_CASE("the engine of each node runs a container of its own") {
  for (const std::string name : {"n1", "n2", "n3"}) {
    const Node node(name);
    CHECK(node.must({"docker", "run", "--rm", "--net", "host", "busybox", "hostname"}) == name + "\n");
  }
}

TEST_CASE("nginx of Debian serves its page to the client, and says who it is") {
  const Node n1("n1");
  const State before = n1.state();
  n1.must({"docker", "run", "--detach", "--name", "web", "--net", "host", "nginx"});
  CHECK_FALSE(difference(before, n1.state()).empty());
  const std::string page =
      Node("client").must({"curl", "--silent", "--fail", "--retry", "5", "--retry-connrefused", "http://n1/"});
  CHECK(page.find("Welcome to nginx!\nhost: n1\naddress: 10.0.3.11\n") != std::string::npos);
  n1.must({"docker", "rm", "--force", "web"});
  const State after = n1.state();
  CHECK(difference({{"containers", before.at("containers")}}, {{"containers", after.at("containers")}}) == "");
}

TEST_CASE("an engine with an empty data root pulls the images under the names of the reference") {
  const Node n2("n2");
  const std::string engine = "unix:///run/second/docker.sock";
  n2.must({"mkdir", "-p", "/run/second"});
  n2.must({kReady, "/run/second/notify", "/run/second/log", "30", "dockerd", "--bridge", "none", "--iptables=false",
           "--data-root", "/srv/second", "--exec-root", "/run/second/exec", "--pidfile", "/run/second/pid", "-H",
           engine});
  for (const std::string image : {"nginx", "ghcr.io/opensvc/pause"}) {
    CAPTURE(image);
    CHECK(n2.run({"docker", "-H", engine, "image", "inspect", image}).exit_code != 0);
    lab({"registry", "break", "down"});
    CHECK(n2.run({"docker", "-H", engine, "pull", image}).exit_code != 0);
    lab({"registry", "mend"});
    lab({"registry", "break", "blobs"});
    CHECK(n2.run({"docker", "-H", engine, "pull", image}).exit_code != 0);
    lab({"registry", "mend"});
    CHECK(n2.run({"docker", "-H", engine, "pull", image}).exit_code == 0);
  }
  const Outcome refused = n2.run({"docker", "-H", engine, "pull", "private.lab:5001/nginx"});
  CHECK(refused.exit_code != 0);
  CHECK(refused.err.find("no basic auth credentials") != std::string::npos);
  n2.must(
      {"bash", "-c", "p=$(cat /run/second/pid); kill $p; tail --pid=$p -f /dev/null; rm -rf /srv/second /run/second"});
}

TEST_CASE("a capture shows who claims an address, and a rival that drops pings still answers ARP") {
  const Node client("client");
  Capture capture(client, "eth0");
  std::string mac = lab({"rival", "10.0.3.3", "--drop-ping"});
  mac.pop_back();
  CHECK(client.run({"ping", "-c", "1", "-W", "1", "10.0.3.3"}).exit_code != 0);
  CHECK(capture.await([&](const Frame& frame) { return frame.arp() && frame.arp()->claims("10.0.3.3"); }, 5s));
  const auto& frames = capture.frames();
  const auto reply = std::find_if(frames.begin(), frames.end(),
                                  [](const Frame& frame) { return frame.arp() && frame.arp()->claims("10.0.3.3"); });
  REQUIRE(reply != frames.end());
  CHECK(reply->arp()->sender_mac == mac);
  CHECK(reply->arp()->operation == 2);
  CHECK_FALSE(reply->outgoing);
  CHECK(std::any_of(frames.begin(), frames.end(),
                    [](const Frame& frame) { return frame.echo() && !frame.echo()->reply && frame.outgoing; }));
  lab({"rival", "--gone"});
}

TEST_CASE("a cut port loses its carrier, and a mended one is reached again") {
  const Node n3("n3");
  lab({"cut", "n3"});
  // The state follows the carrier a moment later (linkwatch_do_dev, net/core/link_watch.c).
  CHECK(becomes([&] { return n3.must({"cat", "/sys/class/net/eth0/operstate"}) == "down\n"; }, 5s));
  CHECK(Node("client").run({"ping", "-c", "1", "-W", "1", "10.0.3.13"}).exit_code != 0);
  lab({"mend", "n3"});
  CHECK(Node("client").run({"ping", "-c", "1", "-W", "5", "10.0.3.13"}).exit_code == 0);
}

}  // namespace
}  // namespace plumb::lab
