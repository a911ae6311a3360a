#include "plugin/verb/traces.h"

#include <doctest/doctest.h>

#include <string>

using namespace plumb;

namespace {

const std::string kBoot = "0a4b7c1e-0000-4000-8000-000000000001";

Traces sample() {
  Traces out;
  out.boot = kBoot;
  out.containers = {
      {"container#0", 4711, 123456, {"/docker/0a1b", "/system.slice/docker of ours-0a1b.scope"}, {}},
      {"container#1", 4712, 123457, {}, TracedNamespace{{4, 4026532000}, 77}},
      {"container#2", 4713, 123458, {"/docker/0c"}, TracedNamespace{{4, 4026532001}, {}}},
  };
  out.addresses = {{"ip#0", *IpAddress::parse("10.0.3.3")}, {"ip#0", *IpAddress::parse("fd00:10:3::3")}};
  return out;
}

}  // namespace

TEST_CASE("what the kernel knows a service by is read as it was written") {
  for (const Traces& traces : {sample(), Traces{kBoot, {}, {}}}) {
    const auto read = decode_traces(encode_traces(traces));
    REQUIRE(read);
    CHECK(*read == traces);
  }
  CHECK(sample().addresses_of("ip#0").size() == 2);
  CHECK(sample().addresses_of("ip#1").empty());
}

// Whoever could not read all of it would take for gone what is there.
TEST_CASE("traces that are not whole are none") {
  const std::string head = "plumb-traces 1\nboot " + kBoot + "\n";
  for (const std::string text :
       {"", "plumb-traces 1\n", "plumb-traces 2\nboot x\n", "netns 4 5 -\n", "cgroup /x\n", "container container#0\n",
        "container container#0 x 5\n", "container container#0 1 5\nnetns 4\n",
        "container container#0 1 5\nnetns 4 5 6x\n", "container container#0 1 5\ncgroup\n", "address ip#0 10.0.3\n",
        "address ip#0\n", "something new\n"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_traces(text.starts_with("plumb") || text.empty() ? text : head + text));
  }
  CHECK(decode_traces(head));
}
