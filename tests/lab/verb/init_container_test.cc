// Containers that the start waits for, on a real engine: one does its work, one fails, one takes too long.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const std::string kAddress = "10.0.3.3";

// svc1 on the node's engine with an init container before its nginx; both see one directory of the node.
std::string spec_with(const std::string& command, const std::string& more = {}) {
  const std::string init =
      "[container#init]\nimage = busybox\nnetns = container#0\ndetach = false\nvolume_mounts = "
      "/srv/init:/out\ncommand = " +
      command + "\n" + more + "\n";
  std::string spec = shared_engine_spec() + "volume_mounts = /srv/init:/usr/share/nginx/html:ro\n";
  return spec.insert(spec.find("[container#1]"), init);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string time_of(const Node& node, const std::string& container, const std::string& event) {
  const std::string text = node.must({"docker", "inspect", "--format", "{{.State." + event + "}}", container});
  return text.substr(0, text.find_first_of("Z\n")) + "000000000";
}

// A start of the service, until its init container runs: that has written to the file.
Running started_until(const Node& node, const std::string& file) {
  Running start = node.start({program(), "start", "web"});
  REQUIRE(becomes([&] { return node.run({"test", "-s", file}).exit_code == 0; }, 60s));
  return start;
}

TEST_CASE("an init container that succeeds: it has the address, the others wait for it, and it runs once a start") {
  const Node n1("n1");
  const Service web("web",
                    spec_with("sh -c 'ip -o address show eth0 >/out/seen && sleep 0.3 && echo done >>/out/runs'"));
  const State before = web.state(n1);
  const Outcome start = web.plumb(n1, "start");
  CAPTURE(start.err);
  REQUIRE(start.exit_code == 0);
  CHECK(has(n1.must({"cat", "/srv/init/seen"}), "10.0.3.3/24"));
  CHECK(time_of(n1, "web.container.init", "FinishedAt") <= time_of(n1, "web.container.1", "StartedAt"));
  CHECK(answers(kAddress));
  const Outcome status = web.plumb(n1, "status");
  CHECK(status.exit_code == 0);
  CHECK_MESSAGE(has(status.out, "web.container.init (busybox), done (exit code 0)"), status.out);

  CHECK(has(web.plumb(n1, "start").out, "is up already"));
  CHECK(n1.must({"cat", "/srv/init/runs"}) == "done\n");
  // With its namespace's owner gone, all of it is started anew.
  n1.must({"docker", "kill", "web.container.0"});
  const Outcome again = web.plumb(n1, "start");
  CHECK_MESSAGE(again.exit_code == 0, again.err);
  CHECK(n1.must({"cat", "/srv/init/runs"}) == "done\ndone\n");
  CHECK(web.plumb(n1, "status").exit_code == 0);

  CHECK(web.plumb(n1, "stop").exit_code == 0);
  CHECK(web.plumb(n1, "status").exit_code == 3);
  CHECK(n1.run({"docker", "inspect", "web.container.init"}).exit_code == 1);
  web.remove_kept(n1);
  n1.must({"rm", "-r", "/srv/init"});
  CHECK(difference(before, web.state(n1)) == "");
}

TEST_CASE("an init container that fails: its exit code and its last words are said, and nothing is left") {
  const Node n1("n1");
  n1.must({"mkdir", "-p", "/srv/init"});
  const Service web("web", spec_with("sh -c 'echo one; echo two; echo three; echo the database is not there; exit 3'"));
  const State before = web.state(n1);
  const Outcome start = web.plumb(n1, "start");
  CHECK(start.exit_code == 1);
  CHECK_MESSAGE(has(start.err, "run container web.container.init: it ended with exit code 3"), start.err);
  CHECK_MESSAGE(has(start.err, "its log ends with \"two\", \"three\", \"the database is not there\""), start.err);
  CHECK_FALSE(answers(kAddress));
  CHECK(difference(before, web.state(n1)) == "");
  n1.must({"rm", "-r", "/srv/init"});
}

TEST_CASE("an init container that takes longer than its start_timeout is ended, and nothing is left") {
  const Node n1("n1");
  n1.must({"mkdir", "-p", "/srv/init"});
  const Service web("web", spec_with("sh -c 'echo waiting for the database; exec sleep 1000'",
                                     "start_timeout = 1s\nstop_timeout = 1s"));
  const State before = web.state(n1);
  const Outcome start = web.plumb(n1, "start");
  CHECK(start.exit_code == 1);
  CHECK_MESSAGE(has(start.err, "it has not ended within 1000 ms; its log ends with \"waiting for the database\""),
                start.err);
  CHECK_MESSAGE(has(start.err, "raise start_timeout in [container#init]"), start.err);
  CHECK(start.took < 8s);
  CHECK(difference(before, web.state(n1)) == "");
  n1.must({"rm", "-r", "/srv/init"});
}

TEST_CASE("a start that is interrupted while its init container runs ends at once, and leaves nothing") {
  const Node n1("n1");
  n1.must({"mkdir", "-p", "/srv/init"});
  const Service web("web",
                    spec_with("sh -c 'echo run >/out/runs; exec sleep 1000'", "start_timeout = 1m\nstop_timeout = 1s"));
  const State before = web.state(n1);
  Running start = started_until(n1, "/srv/init/runs");
  start.signal(SIGINT);
  const Outcome outcome = start.wait();
  CHECK(outcome.exit_code == 130);
  CHECK(outcome.took < 20s);
  n1.must({"rm", "/srv/init/runs"});
  CHECK(difference(before, web.state(n1)) == "");
  n1.must({"rm", "-r", "/srv/init"});
}

TEST_CASE("a start that was killed while its init container ran: the next one waits for that very container") {
  const Node n1("n1");
  const Service web("web", spec_with("sh -c 'echo run >>/out/runs; while ! test -e /out/go; do sleep 0.1; done'",
                                     "start_timeout = 50s"));
  started_until(n1, "/srv/init/runs").signal(SIGKILL);
  const Outcome between = web.plumb(n1, "status");
  CHECK(between.exit_code == 4);
  CHECK_MESSAGE(has(between.out + between.err, "it has not ended yet"), between.out);
  // It is written anew as soon as the next one has looked and knows what to do.
  const auto planned = [&] { return n1.must({"stat", "--format=%i %y", "/run/plumb/web.unsettled"}); };
  const std::string before = planned();
  Running next = n1.start({program(), "start", "web"});
  REQUIRE(becomes([&] { return planned() != before; }, 60s));
  n1.must({"touch", "/srv/init/go"});
  const Outcome outcome = next.wait();
  CHECK_MESSAGE(outcome.exit_code == 0, outcome.err);
  CHECK(n1.must({"cat", "/srv/init/runs"}) == "run\n");
  CHECK(web.plumb(n1, "stop").exit_code == 0);
  n1.must({"rm", "-r", "/srv/init"});
}

TEST_CASE(
    "a start that was killed while its init container ran, which ends before the next one comes to it: run once") {
  const Node n1("n1");
  const std::string gate =
      "[container#gate]\nimage = busybox\nnetns = container#0\ndetach = false\nvolume_mounts = /srv/init:/out\n"
      "start_timeout = 50s\ncommand = sh -c 'echo run >>/out/gate; while ! test -e /out/open; do sleep 0.1; done'\n\n";
  std::string spec =
      spec_with("sh -c 'echo run >>/out/runs; while ! test -e /out/go; do sleep 0.1; done'", "start_timeout = 50s");
  spec.insert(spec.find("[container#init]"), gate);
  const Service web("web", spec);
  n1.must({"mkdir", "-p", "/srv/init"});
  n1.must({"touch", "/srv/init/open"});
  started_until(n1, "/srv/init/runs").signal(SIGKILL);
  // The next start has to run the gate once more, and sees the other one running meanwhile.
  n1.must({"docker", "rm", "web.container.gate"});
  n1.must({"rm", "/srv/init/open", "/srv/init/gate"});
  Running next = started_until(n1, "/srv/init/gate");
  n1.must({"touch", "/srv/init/go"});
  CHECK(n1.must({"docker", "wait", "web.container.init"}) == "0\n");
  n1.must({"touch", "/srv/init/open"});
  const Outcome outcome = next.wait();
  CHECK_MESSAGE(outcome.exit_code == 0, outcome.err);
  CHECK(n1.must({"cat", "/srv/init/runs"}) == "run\n");
  CHECK(web.plumb(n1, "status").exit_code == 0);
  CHECK(web.plumb(n1, "stop").exit_code == 0);
  n1.must({"rm", "-r", "/srv/init"});
}

}  // namespace
}  // namespace plumb::lab
