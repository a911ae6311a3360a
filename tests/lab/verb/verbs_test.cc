// The verbs that look and change nothing, on real engines, the node's and private ones: ls, logs and enter.
#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

const std::string kPrivate = "docker_data_dir = /srv/talk/docker_data_dir\n";

// Two containers that say a word on each output and wait; stopping them keeps nothing.
std::string spec_of(const std::string& engine, const std::string& more = {}) {
  const std::string begin = "[DEFAULT]\nnodes = n1 n2\n" + engine +
                            "[ip#0]\ntype = netns\nipdev = eth0\nipname = 10.0.3.3\nnetmask = 24\ngateway = 10.0.3.1\n"
                            "netns = container#0\n[container#0]\nrm = true\n";
  const auto talker = [](const std::string& id) {
    return "[container#" + id +
           "]\nimage = busybox\nnetns = container#0\nrm = true\ncommand = sh -c 'trap \"exit 0\" TERM; echo " + id +
           " err >&2; echo " + id + " out; sleep 1000 & wait'\n";
  };
  return begin + more + talker("a") + talker("bb");
}

// A container that has ended when the service is up.
std::string ended(const std::string& id, const std::string& command, const std::string& more = {}) {
  return "[container#" + id +
         "]\nimage = busybox\nnetns = container#0\nrm = true\ndetach = false\nstart_timeout = 1m\n" + more +
         "command = sh -c '" + command + "'\n";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

Words enter(const std::string& service, const Words& command) {
  Words out{program(), "enter", service, "--"};
  out.insert(out.end(), command.begin(), command.end());
  return out;
}

// plumb with a terminal as its standard input and output.
Outcome on_terminal(const std::string& words) {
  return Node("n1").start({"script", "-qec", program() + " " + words, "/dev/null"}, {"TERM=xterm"}).wait();
}

void must_start(const Service& service) {
  const Outcome start = service.plumb(Node("n1"), "start");
  REQUIRE_MESSAGE(start.exit_code == 0, start.err);
}

// Started, and what its containers have to say at first is in their logs.
void must_talk(const Service& talk) {
  must_start(talk);
  Running follow = Node("n1").start({program(), "logs", "talk", "a", "bb", "--follow"});
  for (const auto& words : {"| a out\n", "| bb out\n"}) REQUIRE(follow.await_output(words, 10s));
}

void check_logs(const std::string& engine) {
  CAPTURE(engine);
  const Node n1("n1");
  const Service talk("talk", spec_of(engine, ended("once", "echo once out")));
  must_talk(talk);
  const Outcome all = talk.plumb(n1, "logs");
  CHECK(all.exit_code == 0);
  CHECK(all.out == "talk.container.once | once out\ntalk.container.a    | a out\ntalk.container.bb   | bb out\n");
  CHECK(all.err == "talk.container.a    | a err\ntalk.container.bb   | bb err\n");
  // However one is named; and one alone is not marked.
  for (const auto& name : {"a", "container#a", "talk.container.a"}) {
    const Outcome one = talk.plumb(n1, "logs", {name});
    CHECK(one.exit_code == 0);
    CHECK(one.out == "a out\n");
    CHECK(one.err == "a err\n");
  }
  CHECK(talk.plumb(n1, "logs", {"once", "--follow"}).out == "once out\n");
  CHECK(has(on_terminal("logs talk a bb").out, "\033[36mtalk.container.a  |\033[0m a out"));
  CHECK(talk.plumb(n1, "logs", {"a", "--tail", "0"}).out.empty());
  CHECK(talk.plumb(n1, "logs", {"a", "--since", "1h"}).out == "a out\n");
  CHECK(talk.plumb(n1, "logs", {"a", "--since", "1ms"}).out.empty());
  const Outcome stamped = talk.plumb(n1, "logs", {"a", "--timestamps"});
  CHECK(stamped.out.starts_with("20"));
  CHECK(stamped.out.ends_with("Z a out\n"));
  const Outcome wrong = talk.plumb(n1, "logs", {"c"});
  CHECK(wrong.exit_code == 2);
  CHECK_MESSAGE(
      has(wrong.err, "has no container \"c\"\n  next: there are: container#0 (talk.container.0), container#once"),
      wrong.err);
}

TEST_CASE("logs: of two containers and one that has ended, of the node's engine and of a private one") {
  check_logs("");
  check_logs(kPrivate);
}

TEST_CASE("logs --follow: lines come as they are written, and it ends when the containers have ended") {
  const Node n1("n1");
  const Service talk("talk", spec_of(""));
  must_talk(talk);
  Running follow = n1.start({program(), "logs", "talk", "--follow"});
  CHECK(follow.await_output("talk.container.a  | a out\n", 10s));
  CHECK(follow.await_output("talk.container.bb | bb out\n", 10s));
  n1.must({"docker", "exec", "talk.container.bb", "sh", "-c", "echo later >/proc/1/fd/1"});
  CHECK(follow.await_output("talk.container.bb | later\n", 10s));
  n1.must({"docker", "stop", "talk.container.bb"});
  n1.must({"docker", "exec", "talk.container.a", "sh", "-c", "echo last words >/proc/1/fd/1"});
  CHECK(follow.await_output("talk.container.a  | last words\n", 10s));
  CHECK(talk.plumb(n1, "stop").exit_code == 0);
  const Outcome end = follow.wait(20s);
  CHECK(end.exit_code == 0);
  CHECK_FALSE(end.timed_out);
}

TEST_CASE("logs --follow: a private engine that is stopped after the containers is no failure") {
  const Service talk("talk", spec_of(kPrivate));
  must_talk(talk);
  Running follow = Node("n1").start({program(), "logs", "talk", "--follow"});
  CHECK(follow.await_output("talk.container.bb | bb out\n", 10s));
  CHECK(talk.plumb(Node("n1"), "stop").exit_code == 0);
  const Outcome end = follow.wait(20s);
  CHECK_MESSAGE(end.exit_code == 0, end.err);
  CHECK_FALSE(end.timed_out);
}

TEST_CASE("logs --follow: a signal ends it, with the code that a shell expects") {
  const Node n1("n1");
  const Service talk("talk", spec_of(""));
  must_talk(talk);
  for (const int signal : {2, 15}) {
    Running follow = n1.start({program(), "logs", "talk", "-f"});
    CHECK(follow.await_output("bb out\n", 10s));
    follow.signal(signal);
    const Outcome end = follow.wait(10s);
    CHECK(end.exit_code == 128 + signal);
    CHECK_FALSE(end.timed_out);
  }
  CHECK(n1.must({"bash", "-c", program() + " logs talk >/dev/full; echo $?"}) == "1\n");
}

TEST_CASE("logs: of a container with a terminal the ends of lines are the terminal's, unless they are marked") {
  const Node n1("n1");
  const Service talk("talk", spec_of("", ended("tty", "echo one; echo two >&2", "tty = true\n")));
  must_talk(talk);
  const Outcome alone = talk.plumb(n1, "logs", {"tty"});
  CHECK(alone.out == "one\r\ntwo\r\n");
  CHECK(alone.err.empty());
  const Outcome both = talk.plumb(n1, "logs", {"tty", "a"});
  CHECK(both.out == "talk.container.tty | one\ntalk.container.tty | two\ntalk.container.a   | a out\n");
}

TEST_CASE("logs: three megabytes come whole, in many lines and in one") {
  const Node n1("n1");
  const Service talk("talk", spec_of("", ended("many", "seq 1 450000") +
                                             ended("long", "head -c 3000000 /dev/zero | tr \"\\000\" x; echo")));
  must_talk(talk);
  const Outcome one = talk.plumb(n1, "logs", {"long"});
  CHECK(one.out.size() == 3'000'001);
  CHECK(one.out.find('\n') == 3'000'000);
  const auto lines = lines_of(talk.plumb(n1, "logs", {"many", "a"}).out);
  REQUIRE(lines.size() == 450'001);
  CHECK(lines[449'999] == "talk.container.many | 450000");
  bool whole = true;
  for (std::size_t i = 0; i < 450'000; ++i)
    whole = whole && lines[i] == "talk.container.many | " + std::to_string(i + 1);
  CHECK(whole);
  CHECK(lines.back() == "talk.container.a    | a out");
  // Marked, a line that no memory should hold is cut, and nothing of it is lost.
  const auto cut = talk.plumb(n1, "logs", {"long", "bb"}).out;
  CHECK(std::count(cut.begin(), cut.end(), 'x') == 3'000'000);
  // Who reads has gone.
  const auto head = n1.must({"bash", "-c", program() + " logs talk many | head -n 1; echo ${PIPESTATUS[0]}"});
  CHECK(head == "1\n141\n");
}

TEST_CASE("logs: what is not there is said") {
  const Node n1("n1");
  const Service shared("talk", spec_of(""));
  const Outcome never = shared.plumb(n1, "logs");
  CHECK(never.exit_code == 1);
  CHECK_MESSAGE(has(never.err, "none of the containers of talk has run on n1\n  next: plumb start talk"), never.err);
  const Service own("own", spec_of("docker_data_dir = /srv/own/docker_data_dir\n"));
  const Outcome down = own.plumb(n1, "logs");
  CHECK(down.exit_code == 8);
  CHECK_MESSAGE(has(down.err, "the service's engine is not running"), down.err);
  const Outcome gone = n1.start({program(), "logs", "talk"}, {"DOCKER_HOST=unix:///run/nosuch.sock"}).wait();
  CHECK(gone.exit_code == 8);
  CHECK_MESSAGE(has(gone.err, "/run/nosuch.sock"), gone.err);
}

void check_enter(const std::string& engine) {
  CAPTURE(engine);
  const Node n1("n1");
  const Service talk("talk", spec_of(engine));
  const Outcome down = n1.run(enter("talk", {"true"}));
  CHECK(down.exit_code == 3);
  CHECK_MESSAGE(has(down.err, "talk is not up on n1: "), down.err);
  CHECK_MESSAGE(has(down.err, "\n  next: plumb start talk"), down.err);
  must_start(talk);
  // But for the announcer, which ends by itself two seconds after the start.
  const auto state = [&] {
    State now = talk.state(n1);
    std::erase_if(now["processes"], [](const std::string& line) { return has(line, " start talk"); });
    return now;
  };
  const State before = state();
  const std::string seen = n1.must(enter("talk", {"ip", "-o", "address", "show", "dev", "eth0"}));
  CHECK_MESSAGE(has(seen, " 10.0.3.3/24 "), seen);
  CHECK_FALSE(has(seen, "10.0.3.11"));
  CHECK(n1.run(enter("talk", {"sh", "-c", "exit 7"})).exit_code == 7);
  CHECK(n1.run(enter("talk", {"sh", "-c", "kill -9 $$"})).exit_code == 128 + 9);
  const Outcome none = n1.run(enter("talk", {"nosuch"}));
  CHECK(none.exit_code == 127);
  CHECK(has(none.err, "run nosuch: it is not installed"));
  CHECK(n1.run(enter("talk", {"/nosuch"})).exit_code == 127);
  CHECK(n1.run(enter("talk", {"/etc/hosts"})).exit_code == 126);
  const Outcome inside = n1.run({program(), "enter", "talk", "a", "--container", "--", "sh", "-c", "echo $$; exit 5"});
  CHECK_MESSAGE(inside.exit_code == 5, inside.err);
  CHECK(inside.out.size() < 4);  // few processes: it is the container's own pid namespace
  CHECK(has(on_terminal("enter talk a --container -- tty").out, "/dev/pts/0"));
  const Outcome which = n1.run({program(), "enter", "talk", "-c"});
  CHECK(which.exit_code == 2);
  CHECK_MESSAGE(has(which.err, "there are: container#a, container#bb"), which.err);
  const Outcome without = n1.run({program(), "enter", "talk", "ip"});
  CHECK(without.exit_code == 2);
  CHECK_MESSAGE(has(without.err, "(talk.container.bb); a command comes after --"), without.err);
  CHECK(difference(before, state()) == "");
}

TEST_CASE("enter: the address is the service's, the exit code the command's, on either kind of engine") {
  check_enter("");
  check_enter(kPrivate);
}

TEST_CASE("enter: the node's own tools and files, the namespace's own /sys, and nothing inherited") {
  const Node n1("n1");
  const Service talk("talk", spec_of(""));
  must_start(talk);
  CHECK(n1.must(enter("talk", {"hostname"})) == "n1\n");
  CHECK(n1.must(enter("talk", {"sh", "-c", "echo $PLUMB_SERVICE"})) == "talk\n");
  const std::string mac = n1.must(enter("talk", {"cat", "/sys/class/net/eth0/address"}));
  CHECK(has(n1.must(enter("talk", {"ip", "link", "show", "eth0"})), mac.substr(0, 17)));
  CHECK(n1.must({"cat", "/sys/class/net/eth0/address"}) != mac);
  CHECK(n1.must(enter("talk", {"ls", "/sys/fs/cgroup"})) == n1.must({"ls", "/sys/fs/cgroup"}));
  CHECK_FALSE(n1.must({"ls", "/sys/fs/cgroup"}).empty());
  CHECK(n1.must(enter("talk", {"ls", "/proc/self/fd"})) == n1.must({"ls", "/proc/self/fd"}));
  for (const auto& mask : {"SigIgn", "SigBlk"})
    CHECK(n1.must(enter("talk", {"grep", mask, "/proc/self/status"})) == n1.must({"grep", mask, "/proc/self/status"}));
  // Without a command it is the shell, and the prompt shows where it is.
  const Outcome shell = n1.start({program(), "enter", "talk"}, {"SHELL=/usr/bin/env"}).wait();
  CHECK(shell.exit_code == 0);
  CHECK(has(shell.out, "PS1=[talk@n1] # \n"));
  CHECK(has(shell.out, "debian_chroot=talk\n"));
  // Containers without an address of their own are in the same namespace.
  const auto inode = [&](const Words& more) {
    Words command{program(), "enter", "talk"};
    command.insert(command.end(), more.begin(), more.end());
    command.insert(command.end(), {"--", "readlink", "/proc/self/ns/net"});
    return n1.must(command);
  };
  CHECK(inode({}) == inode({"bb"}));
  CHECK(inode({}) != n1.must({"readlink", "/proc/self/ns/net"}));
  const Service host("host", "[DEFAULT]\nnodes = n1\n[ip#0]\nipname = 10.0.3.31\nipdev = eth0\n");
  const Outcome refused = n1.run(enter("host", {"true"}));
  CHECK(refused.exit_code == 2);
  CHECK_MESSAGE(has(refused.err, "its addresses are the node's own"), refused.err);
}

TEST_CASE("ls: what is up, down, on standby, wrong, or not this node's, in one table") {
  const Node n1("n1");
  const Service up("web", spec_of(""));
  const Service down("idle", edited(spec_of("docker_data_dir = /srv/idle\n"), "ipname", "ipname = 10.0.3.4"));
  const Service elsewhere("elsewhere", "[DEFAULT]\nnodes = n3\n[ip#0]\nipname = 10.0.3.33\nipdev = eth0\n");
  const Service own("own",
                    "[DEFAULT]\nnodes = n1\ntopology = flex\n[ip#0]\nipname = 10.0.3.31\nipdev = eth0\nstandby = true\n"
                    "[ip#1]\nipname = ipname1\nipdev = eth0\n");
  must_start(up);
  REQUIRE(own.plumb(n1, "boot").exit_code == 0);
  const Outcome good = n1.run({program(), "ls"});
  CHECK_MESSAGE(good.exit_code == 0, good.err);
  CHECK(good.out ==
        "SERVICE    STATE    TOPOLOGY  HERE  ADDRESSES\n"
        "elsewhere  down     failover  no    10.0.3.33\n"
        "idle       down     failover  yes   10.0.3.4\n"
        "own        standby  flex      yes   10.0.3.31,10.0.3.21\n"
        "web        up       failover  yes   10.0.3.3\n");
  CHECK(has(on_terminal("ls").out, "web        \033[32mup\033[0m       failover"));
  n1.must({"docker", "kill", "web.container.bb"});
  const Service bad("bad", "[DEFAULT]\nnodes = n1\n[ip#0]\nipname = 10.0.3.300\nipdev = eth0\nnetmask = 33\n");
  const Outcome wrong = n1.run({program(), "ls"});
  CHECK(wrong.exit_code == 6);
  CHECK_MESSAGE(has(wrong.out, "bad        invalid   -         -     "), wrong.out);
  CHECK_MESSAGE(has(wrong.out, ": plumb validate bad\n"), wrong.out);
  CHECK_MESSAGE(has(wrong.out, "web        degraded  failover  yes   10.0.3.3\n"), wrong.out);
  const Outcome json = n1.run({program(), "ls", "--format", "json"});
  CHECK(json.exit_code == 6);
  CHECK(json.out.starts_with("[\n"));
  CHECK(has(json.out, "\"state\": \"invalid\""));
  CHECK(has(json.out, "\"here\": false"));
  // One engine that does not answer is one sentence.
  const Outcome unknown = n1.start({program(), "ls"}, {"DOCKER_HOST=unix:///run/nosuch.sock"}).wait();
  CHECK(unknown.exit_code == 8);
  CHECK_MESSAGE(has(unknown.out, "web        unknown  failover  yes   10.0.3.3\n"), unknown.out);
  CHECK_MESSAGE(has(unknown.err, "/run/nosuch.sock"), unknown.err);
  CHECK(n1.run({program(), "ls", "--config-dir", "/srv/home"}).exit_code == 0);
}

}  // namespace
}  // namespace plumb::lab
