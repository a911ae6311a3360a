// A service's addresses go from one node to another while both run its containers.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <string>

#include "tests/lab/capture.h"
#include "tests/lab/service.h"
#include "tests/lab/stalled_engine.h"
#include "tests/lab/watch/watch.h"

namespace plumb::lab {
namespace {

using namespace std::chrono_literals;

std::string spec() { return edited(shared_engine_spec(), "[DEFAULT]", "[DEFAULT]\nhandover = true"); }

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool owns_address(const Node& node) {
  return has(node.run({program(), "enter", "web", "--", "ip", "-o", "addr"}).out, " " + kServiceAddress + "/");
}

bool runs(const Node& node, const std::string& container) {
  return node.run({"docker", "inspect", "-f", "{{.State.Running}}", container}).out == "true\n";
}

// Who has claimed the address in the frames, one MAC after another, each once for a stretch of its claims.
Words claims(Capture& capture) {
  Words out;
  for (const auto& frame : capture.frames())
    if (const auto arp = frame.arp(); arp && arp->claims(kServiceAddress))
      if (out.empty() || out.back() != arp->sender_mac) out.push_back(arp->sender_mac);
  return out;
}

// An activate that waits, on the one node, for the address that the other has.
Running waiting(const Service& web, const Node& owner, const Node& other) {
  REQUIRE(web.plumb(owner, "start").exit_code == 0);
  Running activate = other.start({program(), "activate", web.name()});
  REQUIRE(activate.await_errors("to withdraw", 30s));
  return activate;
}

// The agent of Pacemaker.
Outcome agent(const Node& node, const std::string& action, const Words& more = {}) {
  Words words{"OCF_ROOT=/usr/lib/ocf", "OCF_RESKEY_service=web", "OCF_RESKEY_CRM_meta_timeout=60000"};
  words.insert(words.end(), more.begin(), more.end());
  return node.start({program(), "ocf", action}, words).wait(60s);
}

TEST_CASE("by hand: prepared here, stopped there, claimed here, and never both") {
  const Node n1("n1");
  const Node n2("n2");
  const Node client("client");
  const Service web("web", spec());
  Capture lan(client, "eth0");
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  const Outcome prepared = web.plumb(n2, "prepare");
  REQUIRE_MESSAGE(prepared.exit_code == 0, prepared.err);
  CHECK(has(prepared.out, "plumb activate web"));
  CHECK(has(web.plumb(n2, "prepare").out, "is prepared already"));
  CHECK(runs(n2, "web.container.1"));
  CHECK_FALSE(owns_address(n2));
  CHECK(owns_address(n1));
  Running activate = n2.start({program(), "activate", "web"});
  REQUIRE(activate.await_errors("to withdraw " + kServiceAddress + ": `plumb stop web`", 30s));
  CHECK(answers(kServiceAddress));
  REQUIRE(web.plumb(n1, "stop").exit_code == 0);
  const Outcome activated = activate.wait(30s);
  CHECK_MESSAGE(activated.exit_code == 0, activated.err);
  CHECK(owns_address(n2));
  CHECK(answers_at_last());
  CHECK(claims(lan).size() == 2);  // first the one, then the other: it never goes back
  CHECK(web.plumb(n2, "status").exit_code == 0);
  CHECK(web.plumb(n2, "activate").exit_code == 0);  // there is nothing left to do
  CHECK(web.plumb(n1, "status").exit_code == 3);
}

TEST_CASE("a rival that is heard after a hand-over, and before its end, ends it: undone, and the rival is named") {
  const Node n1("n1");
  const Node n2("n2");
  const Service web("web", spec());
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  REQUIRE(web.plumb(n2, "prepare").exit_code == 0);
  const State prepared = web.state(n2);
  const std::string pid = pid_of(n2, "web.container.0");
  const auto has_it = [&] {
    return has(n2.run({"nsenter", "--net=/proc/" + pid + "/ns/net", "ip", "-o", "address"}).out,
               " " + kServiceAddress + "/");
  };
  Running activate = n2.start({program(), "activate", "web"});
  REQUIRE(activate.await_errors("to withdraw", 30s));
  {
    const StalledEngine stalled(n2);  // it looks for what has come of it
    REQUIRE(web.plumb(n1, "stop").exit_code == 0);
    REQUIRE(becomes(has_it, 10s));
    lab({"rival", kServiceAddress});
    CHECK(becomes([&] { return !has_it(); }, 10s));
  }
  const Outcome lost = activate.wait(60s);
  lab({"rival", "--gone"});
  CHECK(lost.exit_code == 5);
  CHECK_MESSAGE(has(lost.err, kServiceAddress + ": 02:00:0a:00:fe:03 has claimed it"), lost.err);
  CHECK(difference_to_now(prepared, [&] { return web.state(n2); }) == "");
  // Without one it goes through, by a claim that the watcher finds.
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Running again = n2.start({program(), "activate", "web"});
  REQUIRE(again.await_errors("to withdraw", 30s));
  REQUIRE(web.plumb(n1, "stop").exit_code == 0);
  CHECK(again.wait(60s).exit_code == 0);
  CHECK(n2.must({"cat", "/run/plumb/web.claims"}).find("\n" + kServiceAddress + " 0 ") != std::string::npos);
}

TEST_CASE("of two nodes that wait for the address one gets it, and the other goes on waiting for that one") {
  const Node n1("n1");
  const Node n2("n2");
  const Node n3("n3");
  const Node client("client");
  const Service web("web", spec());
  Capture lan(client, "eth0");
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  Running second = n2.start({program(), "activate", "web"});
  Running third = n3.start({program(), "activate", "web"});
  for (auto* waiting : {&second, &third}) REQUIRE(waiting->await_errors("to withdraw", 30s));
  REQUIRE(web.plumb(n1, "stop").exit_code == 0);
  REQUIRE(answers_at_last());
  const bool to_second = owns_address(n2);
  CHECK(to_second != owns_address(n3));
  CHECK(claims(lan).size() == 2);
  CHECK(web.plumb(to_second ? n2 : n3, "stop").exit_code == 0);
  CHECK((to_second ? second : third).wait(30s).exit_code == 0);
  const Outcome last = (to_second ? third : second).wait(30s);
  CHECK_MESSAGE(last.exit_code == 0, last.err);
  CHECK(answers_at_last());
  CHECK(claims(lan).size() == 3);
}

TEST_CASE("activate without anybody to take it from takes nothing, and start and force do") {
  const Node n1("n1");
  const Service web("web", edited(spec(), "[DEFAULT]", "[DEFAULT]\nhandover_timeout = 1s"));
  const State before = web.state(n1);
  const Outcome unheard = web.plumb(n1, "activate");
  CHECK(unheard.exit_code == 1);
  CHECK_MESSAGE(has(unheard.err, "nobody has been heard for 1 s"), unheard.err);
  CHECK_MESSAGE(has(unheard.err, "`plumb activate --force web`"), unheard.err);
  CHECK(difference_to_now(before, [&] { return web.state(n1); }) == "");
  REQUIRE(web.plumb(n1, "activate", {"--force"}).exit_code == 0);
  CHECK(answers_at_last());
  REQUIRE(web.plumb(n1, "stop").exit_code == 0);
  REQUIRE(web.plumb(n1, "prepare").exit_code == 0);
  CHECK(web.plumb(n1, "activate").exit_code == 1);
  CHECK(runs(n1, "web.container.1"));  // what is prepared stays
  CHECK_FALSE(owns_address(n1));
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  CHECK(answers_at_last());
}

TEST_CASE("activate gives a spanning tree its time before it calls silence silence") {
  const Node n1("n1");
  const Service web("web", spec());
  Running activate = n1.start({program(), "activate", "web"});
  CHECK(activate.await_errors("nobody answers for " + kServiceAddress, 30s));
  const Outcome unheard = activate.wait(60s);
  CHECK(unheard.exit_code == 1);
  CHECK_MESSAGE(has(unheard.err, "nobody has been heard for 35 s"), unheard.err);
  CHECK(unheard.took > 35s);
  CHECK_FALSE(answers(kServiceAddress));
}

TEST_CASE("who does not withdraw in time keeps the address, and what was prepared is undone") {
  const Node n1("n1");
  const Node n2("n2");
  const Service web("web", edited(spec(), "[DEFAULT]", "[DEFAULT]\nhandover_timeout = 1s"));
  const State before = web.state(n2);
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  const Outcome refused = web.plumb(n2, "activate");
  CHECK(refused.exit_code == 5);
  CHECK_MESSAGE(has(refused.err, "answers for it on eth0, and has not withdrawn it within handover_timeout"),
                refused.err);
  CHECK(difference_to_now(before, [&] { return web.state(n2); }) == "");
  CHECK(answers(kServiceAddress));
}

TEST_CASE("an activate that is interrupted while it waits leaves nothing behind") {
  const Node n1("n1");
  const Node n2("n2");
  const Service web("web", spec());
  const State before = web.state(n2);
  Running activate = waiting(web, n1, n2);
  activate.signal(SIGINT);
  CHECK(activate.wait(30s).exit_code == 130);
  CHECK(difference_to_now(before, [&] { return web.state(n2); }) == "");
}

TEST_CASE("a node that falls silent while it has the address loses it to nobody but by force") {
  const Node n1("n1");
  const Node n2("n2");
  const Service web("web", edited(spec(), "[DEFAULT]", "[DEFAULT]\nhandover_timeout = 8s"));
  const State before = web.state(n2);
  Running activate = waiting(web, n1, n2);
  lab({"cut", "n1"});
  const Outcome unheard = activate.wait(30s);
  CHECK(unheard.exit_code == 1);
  CHECK_MESSAGE(has(unheard.err, " has been silent for "), unheard.err);
  CHECK_MESSAGE(has(unheard.err, "`plumb activate --force web`"), unheard.err);
  CHECK(owns_address(n1));
  CHECK(difference_to_now(before, [&] { return web.state(n2); }) == "");
  // Somebody knows better: that node is off, as far as the LAN can tell.
  const Outcome forced = web.plumb(n2, "activate", {"--force"});
  CHECK_MESSAGE(forced.exit_code == 0, forced.err);
  CHECK(answers_at_last());
  REQUIRE(web.plumb(n1, "stop").exit_code == 0);
  lab({"mend", "n1"});
  CHECK(answers_at_last());
}

TEST_CASE("a node whose cable is out for some seconds keeps the address") {
  const Node n1("n1");
  const Node n2("n2");
  const Service web("web", spec());
  Running activate = waiting(web, n1, n2);
  lab({"cut", "n1"});
  REQUIRE(activate.await_errors("nobody answers for " + kServiceAddress, 10s));
  CHECK_FALSE(becomes([&] { return owns_address(n2); }, 6s));
  lab({"mend", "n1"});
  CHECK(answers_at_last());
  REQUIRE(web.plumb(n1, "stop").exit_code == 0);
  const Outcome activated = activate.wait(30s);
  CHECK_MESSAGE(activated.exit_code == 0, activated.err);
  CHECK(answers_at_last());
}

TEST_CASE("force takes nothing from a node that answers") {
  const Node n1("n1");
  const Node n2("n2");
  const Service web("web", spec());
  const State before = web.state(n2);
  REQUIRE(web.plumb(n1, "start").exit_code == 0);
  const Outcome refused = web.plumb(n2, "activate", {"--force"});
  CHECK(refused.exit_code == 5);
  CHECK_MESSAGE(has(refused.err, "--force takes only what nobody answers for"), refused.err);
  CHECK(difference_to_now(before, [&] { return web.state(n2); }) == "");
  CHECK(answers(kServiceAddress));
}

TEST_CASE("under Pacemaker a hand-over that hears nothing fails, and takes nothing") {
  const Node n1("n1");
  const Node n2("n2");
  const Service web("web", spec());
  const State before = web.state(n2);
  REQUIRE(agent(n1, "start").exit_code == 0);
  REQUIRE(agent(n1, "migrate_to").exit_code == 0);
  lab({"cut", "n1"});
  const Outcome failed = agent(n2, "migrate_from");
  lab({"mend", "n1"});
  CHECK(failed.exit_code == 1);
  CHECK_MESSAGE(has(failed.err, "nobody has been heard for 10 s"), failed.err);
  CHECK_FALSE(has(failed.err, "--force"));
  CHECK(difference_to_now(before, [&] { return web.state(n2); }) == "");
  CHECK(owns_address(n1));
  CHECK(answers_at_last());
}

TEST_CASE("a service is handed over only if its file says so") {
  const Node n1("n1");
  const Service web("web", shared_engine_spec());
  const State before = web.state(n1);
  for (const auto* verb : {"prepare", "activate"}) {
    const Outcome refused = web.plumb(n1, verb);
    CHECK(refused.exit_code == 1);
    CHECK_MESSAGE(has(refused.err, "handover = true"), refused.err);
  }
  CHECK(difference_to_now(before, [&] { return web.state(n1); }) == "");
}

TEST_CASE("Pacemaker's agent hands over: the node that has the address yields when the other is ready") {
  const Node n1("n1");
  const Node n2("n2");
  const Node client("client");
  const Service web("web", spec());
  REQUIRE(agent(n1, "start").exit_code == 0);
  Watch watch(n1);  // it puts back what is taken away, but not what is handed over
  REQUIRE(web.plumb(n1, "enter", {"--", "ip", "addr", "flush", "dev", "eth0"}).exit_code == 0);
  REQUIRE_MESSAGE(watch.says("up again"), watch.log());
  watch.forget();
  Capture lan(client, "eth0");
  REQUIRE(agent(n1, "migrate_to", {"OCF_RESKEY_CRM_meta_migrate_target=n2"}).exit_code == 0);
  CHECK(answers(kServiceAddress));  // nobody has asked yet
  const Outcome taken = agent(n2, "migrate_from", {"OCF_RESKEY_CRM_meta_migrate_source=n1"});
  CHECK_MESSAGE(taken.exit_code == 0, taken.err);  // nobody has stopped it on n1
  CHECK_FALSE(owns_address(n1));
  CHECK(runs(n1, "web.container.1"));
  CHECK_FALSE_MESSAGE(watch.says("healing", 500ms), watch.log());
  CHECK(agent(n1, "stop").exit_code == 0);
  CHECK(agent(n1, "monitor").exit_code == 7);
  CHECK(agent(n2, "monitor").exit_code == 0);
  CHECK(answers_at_last());
  CHECK(claims(lan).size() == 2);
  CHECK(watch.end().exit_code == 0);
}

TEST_CASE("a stop ends the yielding, and so does a start") {
  const Node n1("n1");
  const Node n2("n2");
  const Service web("web", edited(spec(), "[DEFAULT]", "[DEFAULT]\nhandover_timeout = 1s"));
  REQUIRE(agent(n1, "start").exit_code == 0);
  REQUIRE(agent(n1, "migrate_to").exit_code == 0);
  CHECK(n1.run({"test", "-e", "/run/plumb/web.yielding"}).exit_code == 0);
  REQUIRE(agent(n1, "start").exit_code == 0);
  CHECK(n1.run({"test", "-e", "/run/plumb/web.yielding"}).exit_code == 1);
  const Outcome refused = agent(n2, "migrate_from");
  CHECK(refused.exit_code == 1);
  CHECK_MESSAGE(has(refused.err, "answers for it"), refused.err);
  CHECK(answers(kServiceAddress));
}

TEST_CASE("a process that was to yield and is killed has yielded nothing, and the other node claims nothing") {
  const Node n1("n1");
  const Node n2("n2");
  const Service web("web", edited(spec(), "[DEFAULT]", "[DEFAULT]\nhandover_timeout = 1s"));
  REQUIRE(agent(n1, "start").exit_code == 0);
  REQUIRE(agent(n1, "migrate_to").exit_code == 0);
  n1.must({"bash", "-c", "kill -KILL $(pgrep -f 'plumb [o]cf migrate_to')"});
  const Outcome refused = agent(n2, "migrate_from");
  CHECK(refused.exit_code == 1);
  CHECK_MESSAGE(has(refused.err, "answers for it"), refused.err);
  CHECK_FALSE(runs(n2, "web.container.1"));
  CHECK(answers(kServiceAddress));
  CHECK(agent(n1, "stop").exit_code == 0);
}

TEST_CASE("without handover a migration is a stop and a start") {
  const Node n1("n1");
  const Node n2("n2");
  const Service web("web", shared_engine_spec());
  REQUIRE(agent(n1, "start").exit_code == 0);
  REQUIRE(agent(n1, "migrate_to").exit_code == 0);
  CHECK(agent(n1, "monitor").exit_code == 7);
  REQUIRE(agent(n2, "migrate_from").exit_code == 0);
  CHECK(agent(n1, "stop").exit_code == 0);
  CHECK(answers_at_last());
}

TEST_CASE("with its containers on standby a start is the address alone, and a stop withdraws it and leaves them") {
  const Node n1("n1");
  const Node n2("n2");
  std::string standby = shared_engine_spec();
  for (const auto* section : {"[container#0]", "[container#1]"})
    standby = edited(standby, section, std::string(section) + "\nstandby = true");
  const Service web("web", standby);
  for (const auto* node : {&n1, &n2}) REQUIRE(web.plumb(*node, "boot").exit_code == 0);
  CHECK(agent(n1, "monitor").exit_code == 7);
  CHECK(agent(n2, "monitor").exit_code == 7);
  REQUIRE(agent(n1, "start").exit_code == 0);
  CHECK(answers_at_last());
  lab({"cut", "n1"});
  const Outcome start = web.plumb(n2, "start", {"--format", "json"});
  REQUIRE_MESSAGE(start.exit_code == 0, start.err);
  CHECK_FALSE(has(start.out, "start container"));
  CHECK(answers_at_last());
  REQUIRE(agent(n1, "stop").exit_code == 0);
  lab({"mend", "n1"});
  CHECK(runs(n1, "web.container.1"));
  CHECK(agent(n1, "monitor").exit_code == 7);
  CHECK(agent(n2, "monitor").exit_code == 0);
  for (const auto* node : {&n1, &n2}) REQUIRE(web.plumb(*node, "shutdown").exit_code == 0);
}

TEST_CASE("migrate_to of what does not run fails") {
  const Node n1("n1");
  const Service web("web", spec());
  CHECK(agent(n1, "migrate_to").exit_code == 1);
}

}  // namespace
}  // namespace plumb::lab
