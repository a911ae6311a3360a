#include "plugin/verb/started.h"

#include <doctest/doctest.h>

using namespace plumb;

TEST_CASE("what is started is read as it was written, the configuration byte by byte") {
  Started started;
  started.file = {"/etc/plumb/svc 1.conf", "svc 1", "[ip#0]\nipname = a\n\n# path x\n"};
  started.place = {"/etc/plumb", "n1"};
  started.engine = "/var/run/docker.sock";
  for (const std::string engine : {"/var/run/docker.sock", ""}) {
    started.engine = engine;
    const auto read = decode_started("svc 1", encode_started(started));
    REQUIRE(read);
    CHECK(*read == started);
    CHECK(read->file.service == "svc 1");
  }
}

TEST_CASE("a file that is none is not believed") {
  for (const std::string text : {"", "plumb-started 1", "plumb-started 1\npath /x\nnode n1\n", "[ip#0]\npath x\n"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_started("svc1", text));
  }
}

TEST_CASE("only whole files name a service") {
  CHECK(service_of_started_file("svc1.started") == "svc1");
  CHECK(service_of_started_file("a.b.started") == "a.b");
  for (const char* other : {"svc1.lock", ".svc1.starting", ".started", "svc1", ""})
    CHECK(service_of_started_file(other) == "");
}
