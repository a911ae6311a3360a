// What an engine of a service's own has of whoever starts it, and what not: where there is no systemd, as in the nodes
// of the lab, and where there is one that is of no use. What a systemd that works does with it is tried by ci/systemd.
#include <doctest/doctest.h>

#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

const std::string kLog = "/var/log/plumb/own.dockerd.log";
// The one container pauses: nothing has to be pulled.
const std::string kSpec =
    "[DEFAULT]\ndocker_data_dir = /srv/own/data\n\n[container#0]\nname = own.pause\nimage = plumb/pause\nrm = true\n";

std::string score(const Node& node, const std::string& pid) {
  return node.must({"cat", "/proc/" + pid + "/oom_score_adj"});
}

std::string engine_pid(const Node& node) {
  const std::string pid = node.must({"cat", "/run/plumb/own/docker.pid"});
  return pid.substr(0, pid.find('\n'));
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t out = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++out;
  return out;
}

TEST_CASE("an engine of the service's own has an OOM score of its own, and its containers theirs") {
  const Node n1("n1");
  const Service own("own", kSpec);
  // A container that the lab is in may not be allowed to lower a score.
  const bool lowers = n1.run({"choom", "-n", "-900", "--", "true"}).exit_code == 0;
  for (const std::string starter : {"-900", "300"}) {
    CAPTURE(starter);
    if (starter.starts_with('-') && !lowers) continue;
    const Outcome start = n1.run({"choom", "-n", starter, "--", program(), "start", "own"});
    REQUIRE_MESSAGE(start.exit_code == 0, start.err);
    CHECK_MESSAGE(start.err.find("warning") == std::string::npos, start.err);
    CHECK(score(n1, engine_pid(n1)) == (lowers ? "-500\n" : "0\n"));
    const Outcome seen = own.plumb(n1, "docker", {"inspect", "-f", "{{.State.Pid}}", "own.pause"});
    CHECK(score(n1, seen.out.substr(0, seen.out.find('\n'))) == "0\n");
    CHECK(own.plumb(n1, "stop").exit_code == 0);
  }
  n1.remove("/srv/own");
}

TEST_CASE("the log of an engine of the service's own is kept, and says who started it") {
  const Node n1("n1");
  const Service own("own", kSpec);
  n1.remove(kLog);
  for (const std::size_t runs : {1U, 2U}) {
    REQUIRE(own.plumb(n1, "start").exit_code == 0);
    REQUIRE(own.plumb(n1, "stop").exit_code == 0);
    const std::string log = n1.must({"cat", kLog});
    CHECK_MESSAGE(count(log, "-- plumb: ") == runs, log);
    CHECK_MESSAGE(count(log, "plumb start own)") == runs, log);
    CHECK_MESSAGE(count(log, "API listen on") == runs, log);
  }
  // Copied and cut while the engine has it open, as its rotation does, it goes on at the begin of the file.
  REQUIRE(own.plumb(n1, "start").exit_code == 0);
  n1.must({"truncate", "--size", "0", kLog});
  REQUIRE(own.plumb(n1, "stop").exit_code == 0);
  const std::string log = n1.must({"cat", kLog});
  CHECK_FALSE(log.empty());
  CHECK_MESSAGE(count(log, std::string(1, '\0')) == 0, log);
  // What an engine says of its end is of this run, not of one before.
  n1.write("/etc/plumb/own.conf", "[DEFAULT]\ndocker_data_dir = /srv/own/data\ndocker_daemon_args = --nosuch\n\n" +
                                      kSpec.substr(kSpec.find("[container#0]")));
  const Outcome refused = own.plumb(n1, "start");
  CHECK(refused.exit_code != 0);
  CHECK_MESSAGE(refused.err.find("dockerd ended: ") != std::string::npos, refused.err);
  CHECK_MESSAGE(refused.err.find("dockerd ended: -- plumb") == std::string::npos, refused.err);
  n1.remove("/srv/own");
}

TEST_CASE("an engine of the service's own starts all the same, with a warning, where systemd does not answer") {
  const Node n1("n1");
  const Service own("own", kSpec);
  const std::string warned = "warning: put the engine of own into plumb-engine-own.scope: ";
  n1.must({"mkdir", "-p", "/run/systemd/system"});
  const Outcome nobody = own.plumb(n1, "start");
  CHECK(nobody.exit_code == 0);
  CHECK_MESSAGE(nobody.err.find(warned) != std::string::npos, nobody.err);
  CHECK(own.plumb(n1, "status").exit_code == 0);
  CHECK(n1.must({"cat", kLog}).find("put the engine of own into plumb-engine-own.scope") != std::string::npos);
  CHECK(own.plumb(n1, "start").err.find("warning") == std::string::npos);  // it runs
  CHECK(own.plumb(n1, "stop").exit_code == 0);
  // One that sees other numbers of processes than we do would move another process.
  Running other = n1.start({"python3", "-c",
                            "import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('/run/systemd/private')\n"
                            "s.listen()\nprint('listening', flush=True)\ns.accept()[0].recv(1)\ns.accept()"});
  REQUIRE(other.await_output("listening", std::chrono::seconds(20)));
  const Outcome foreign = own.plumb(n1, "start");
  CHECK(foreign.exit_code == 0);
  CHECK_MESSAGE(
      foreign.err.find(warned + "/run/systemd/private is not that of this node's process 1") != std::string::npos,
      foreign.err);
  CHECK(own.plumb(n1, "stop").exit_code == 0);
  n1.must({"rm", "-r", "/run/systemd"});
  const Outcome without = own.plumb(n1, "start");
  CHECK(without.exit_code == 0);
  CHECK_MESSAGE(without.err.find("warning") == std::string::npos, without.err);
  CHECK(own.plumb(n1, "stop").exit_code == 0);
  n1.remove("/srv/own");
}

}  // namespace
}  // namespace plumb::lab
