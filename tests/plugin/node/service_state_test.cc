#include "plugin/node/service_state.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/docker_client/scratch.h"

using namespace plumb;

TEST_CASE("a service with a file of a later plumb is refused, and another one is not") {
  const test::Scratch scratch;
  const auto kinds = {kStartedState, kStoppingState, kTracesState, kUnsettledState, kClaimsState};
  const auto name = [](const std::string& service, const ServiceState& kind) {
    return service + std::string(kind.suffix);
  };
  CHECK(check_state("web", scratch.path()));
  for (const auto& kind : kinds)
    for (const std::string service : {"web", "other"})
      scratch.write(name(service, kind), std::string(kind.heading) + "\nbody\n");
  CHECK(check_state("web", scratch.path()));
  for (const auto& kind : kinds) {
    const std::string file = name("web", kind);
    const std::string heading(kind.heading);
    CAPTURE(file);
    for (const std::string version : {"2", "10"}) {
      scratch.write(file, heading.substr(0, heading.rfind(' ') + 1) + version + "\nwhat nobody knows yet\n");
      const auto known = check_state("web", scratch.path());
      REQUIRE_FALSE(known);
      CHECK(known.error().kind == ErrorKind::unsupported);
      CHECK(known.error().what == "read " + scratch.path() + "/" + file + ": it has version " + version +
                                      " and this program knows version 1 only");
      CHECK(known.error().next == "install the plumb that wrote it, or a newer one; nothing was touched");
      CHECK(check_state("other", scratch.path()));
    }
    // As it was before there were versions, and what is no such file: whoever reads it decides.
    for (const std::string text : {"10.0.3.3 5 6 7 8\n", ""}) {
      scratch.write(file, text);
      CHECK(check_state("web", scratch.path()));
    }
  }
}
