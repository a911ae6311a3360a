// Which socket is found for which environment.
#include "docker_client/endpoint.h"

#include <doctest/doctest.h>

#include "tests/docker_client/real.h"
#include "tests/docker_client/scratch.h"

using namespace plumb;          // NOLINT(google-build-using-namespace)
using namespace plumb::docker;  // NOLINT(google-build-using-namespace)
using namespace plumb::test;    // NOLINT(google-build-using-namespace)

namespace {

Environment of(const Scratch& home) {
  Environment environment;
  environment.home = home.path();
  environment.docker_socket = home.path() + "/run/docker.sock";
  environment.podman_socket = home.path() + "/run/podman.sock";
  return environment;
}

void add_context(const Scratch& home, const std::string& name, const std::string& host,
                 const std::string& folder = ".docker") {
  home.write(folder + "/contexts/meta/digest-of-" + name + "/meta.json",
             R"({"Name":")" + name + R"(","Metadata":{},"Endpoints":{"docker":{"Host":")" + host +
                 R"(","SkipTLSVerify":false}}})");
}

}  // namespace

TEST_CASE("without any setting it is the default socket, or Podman's when only that exists") {
  const Scratch home;
  Environment environment = of(home);
  CHECK(good(engine_socket(environment)) == environment.docker_socket);
  home.write("run/podman.sock", "");
  CHECK(good(engine_socket(environment)) == environment.podman_socket);
  home.write("run/docker.sock", "");
  CHECK(good(engine_socket(environment)) == environment.docker_socket);
  environment.home.clear();
  CHECK(good(engine_socket(environment)) == environment.docker_socket);
}

TEST_CASE("DOCKER_HOST wins over every context") {
  const Scratch home;
  Environment environment = of(home);
  add_context(home, "other", "unix:///run/other.sock");
  environment.docker_context = "other";
  CHECK(good(engine_socket(environment)) == "/run/other.sock");
  environment.docker_host = "unix:///run/mine.sock";
  CHECK(good(engine_socket(environment)) == "/run/mine.sock");
}

TEST_CASE("DOCKER_CONTEXT wins over currentContext, and DOCKER_CONFIG moves the folder") {
  const Scratch home;
  Environment environment = of(home);
  add_context(home, "first", "unix:///run/first.sock");
  add_context(home, "second", "unix:///run/second.sock");
  add_context(home, "third", "unix:///run/third.sock", "elsewhere");
  home.write(".docker/config.json", R"({"auths":{},"currentContext":"first"})");
  home.write("elsewhere/config.json", R"({"currentContext":"third"})");
  CHECK(good(engine_socket(environment)) == "/run/first.sock");
  environment.docker_context = "second";
  CHECK(good(engine_socket(environment)) == "/run/second.sock");
  environment.docker_context = "default";
  CHECK(good(engine_socket(environment)) == environment.docker_socket);
  environment.docker_context.clear();
  environment.docker_config = home.path() + "/elsewhere";
  CHECK(good(engine_socket(environment)) == "/run/third.sock");
}

TEST_CASE("what cannot be used is refused with its source") {
  const Scratch home;
  Environment environment = of(home);
  for (const char* host : {"tcp://10.0.0.1:2375", "ssh://root@node", "fd://", "http://x", "npipe:////./pipe/x"}) {
    environment.docker_host = host;
    const auto socket = engine_socket(environment);
    REQUIRE_FALSE(socket);
    CHECK(socket.error().kind == ErrorKind::unsupported);
    CHECK(socket.error().what.find("DOCKER_HOST is \"" + environment.docker_host + "\"") != std::string::npos);
  }
  for (const std::string& host : {std::string("/run/x.sock"), std::string("unix://"), std::string("unix://x.sock"),
                                  "unix:///" + std::string(107, 'x')}) {
    environment.docker_host = host;
    CHECK(engine_socket(environment).error().kind == ErrorKind::spec);
  }
  CHECK(good(socket_of("unix:///" + std::string(106, 'x'), "test")).size() == 107);
}

TEST_CASE("a context that is not there, or not whole, is an error") {
  const Scratch home;
  Environment environment = of(home);
  environment.docker_context = "absent";
  CHECK(engine_socket(environment).error().kind == ErrorKind::not_found);
  add_context(home, "remote", "ssh://root@node");
  environment.docker_context = "remote";
  CHECK(engine_socket(environment).error().kind == ErrorKind::unsupported);
  home.write(".docker/contexts/meta/broken/meta.json", "not json");
  home.write(".docker/contexts/meta/empty/meta.json", R"({"Name":"empty","Endpoints":{"kubernetes":{}}})");
  CHECK(engine_socket(environment).error().kind == ErrorKind::unsupported);
  environment.docker_context = "empty";
  CHECK(engine_socket(environment).error().kind == ErrorKind::spec);
  environment.docker_context.clear();
  home.write(".docker/config.json", "{ not json");
  const auto broken = engine_socket(environment);
  REQUIRE_FALSE(broken);
  CHECK(broken.error().kind == ErrorKind::spec);
  CHECK(broken.error().what.find("/.docker/config.json") != std::string::npos);
}
