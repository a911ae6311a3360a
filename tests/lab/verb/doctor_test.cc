// The doctor on real faults: each is named, with what mends it, and what it says to do does.
#include <doctest/doctest.h>

#include "tests/lab/service.h"

namespace plumb::lab {
namespace {

const Node& n1() {
  static const Node node("n1");
  return node;
}

// In the namespace of the service's pause.
std::string inside(const std::string& service, const Words& command) {
  const std::string pid = n1().must({"docker", "inspect", "--format", "{{.State.Pid}}", service + ".container.0"});
  Words words{"nsenter", "--net=/proc/" + pid.substr(0, pid.find('\n')) + "/ns/net"};
  words.insert(words.end(), command.begin(), command.end());
  return n1().must(words);
}

// The doctor says `text` of `check`, and ends with `code`.
void says(const Service& service, int code, const std::string& verdict, const std::string& check,
          const std::string& text) {
  const Outcome outcome = service.plumb(n1(), "doctor");
  CAPTURE(outcome.out);
  CHECK(outcome.exit_code == code);
  bool found = false;
  for (std::size_t at = 0; at < outcome.out.size();) {
    const auto end = outcome.out.find('\n', at);
    const std::string line = outcome.out.substr(at, end - at);
    found = found || (line.starts_with(verdict) && line.find("  " + check + " ") != std::string::npos &&
                      line.find(text) != std::string::npos);
    at = end + 1;
  }
  CHECK_MESSAGE(found, (verdict + " " + check + ": " + text));
}

TEST_CASE("the doctor finds nothing wrong with a service that is up, and each fault of one that is not") {
  const Service web("web", shared_engine_spec());
  says(web, 1, "problem", "running", "web.container.0 is not running");
  REQUIRE(web.plumb(n1(), "start").exit_code == 0);
  says(web, 0, "ok", "rival", "nobody else answers for 10.0.3.3");
  says(web, 0, "ok", "gateway", "10.0.3.1 answers, at 02:00:0a:00:03:01");
  says(web, 0, "ok", "listener", "TCP 80");
  says(web, 0, "note", "macvlan", "the node itself does not reach a macvlan");

  inside("web", {"ip", "route", "del", "default"});
  says(web, 1, "problem", "route", "no default route via 10.0.3.1");
  CHECK(web.plumb(n1(), "start").exit_code == 0);
  says(web, 0, "ok", "address", "10.0.3.3/24 is there");

  inside("web", {"ip", "address", "del", "10.0.3.3/24", "dev", "eth0"});
  says(web, 1, "problem", "address", "10.0.3.3 is not there");
  CHECK(web.plumb(n1(), "start").exit_code == 0);

  lab({"rival", "10.0.3.3"});
  says(web, 1, "problem", "rival", "02:00:0a:00:fe:03 answers for 10.0.3.3, too");
  lab({"rival", "--gone"});

  lab({"cut", "n1"});
  says(web, 1, "problem", "carrier", "eth0 has no carrier");
  lab({"mend", "n1"});

  inside("web", {"iptables-nft", "-P", "INPUT", "DROP"});
  says(web, 0, "note", "firewall", "table ip filter, chain INPUT");
}

TEST_CASE("the doctor sees a gateway that is silent, a bridge's port and an engine that is down") {
  {
    const Service web("web", edited(shared_engine_spec(), "gateway", "gateway = 10.0.3.250"));
    REQUIRE(web.plumb(n1(), "start").exit_code == 0);
    says(web, 1, "problem", "gateway", "10.0.3.250 does not answer on eth0");
  }
  const Service svc1("svc1", reference_spec());
  says(svc1, 1, "problem", "engine", "the service's own engine is not running");
  const Outcome json = svc1.plumb(n1(), "doctor", {"--format", "json"});
  CHECK(json.out.find("\"verdict\": \"problem\"") != std::string::npos);
}

}  // namespace
}  // namespace plumb::lab
