// The connection and its client against scripts: what a real engine cannot be made to do.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "docker_client/container.h"
#include "tests/docker_client/fake_engine.h"
#include "tests/docker_client/real.h"
#include "tests/docker_client/script_calls.h"

using namespace plumb;          // NOLINT(google-build-using-namespace)
using namespace plumb::docker;  // NOLINT(google-build-using-namespace)
using namespace plumb::test;    // NOLINT(google-build-using-namespace)

namespace {

const std::string kNone = R"({"message":"No such container: x"})";

Error open_error(const std::string& socket, const Call& call = kCall) {
  Result<Client> client = Client::open(socket, call);
  if (client) FAIL("opened");
  return client.error();
}

}  // namespace

TEST_CASE("the version is the lower of both sides'") {
  const std::pair<std::string, ApiVersion> rows[] = {
      {"1.40", {1, 40}}, {"1.41", {1, 41}}, {"1.55", {1, 55}}, {"1.99", kNewestApi}, {"2.0", kNewestApi}};
  for (const auto& row : rows) {
    CAPTURE(row.first);
    const FakeEngine engine({{{ping(row.first)}}});
    const Client client = good(Client::open(engine.socket(), kCall));
    CHECK(client.version() == row.second);
    CHECK(engine.problems().empty());
  }
}

TEST_CASE("an engine that is too old is refused") {
  const FakeEngine engine({{{ping("1.39")}}});
  const Error error = open_error(engine.socket());
  CHECK(error.kind == ErrorKind::unsupported);
  CHECK(error.what.find("speaks up to 1.39, and plumb needs 1.40") != std::string::npos);
}

TEST_CASE("an engine that refuses HEAD is asked with GET") {
  const FakeEngine engine({{{{"HEAD /_ping", {"HTTP/1.1 405 No\r\nContent-Length: 3\r\n\r\n"}},
                             {"GET /_ping", {answer(200, "OK", "Api-Version: 1.43\r\n")}}}}});
  CHECK(good(Client::open(engine.socket(), kCall)).version() == ApiVersion{1, 43});
  CHECK(engine.problems().empty());
}

TEST_CASE("where no header names the version, GET /version does") {
  const Turn head{"HEAD /_ping", {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"}};
  const Turn get{"GET /_ping", {answer(200, "OK")}};
  SUBCASE("it does") {
    const FakeEngine engine({{{head, get, {"GET /version", {answer(200, R"({"ApiVersion":"1.42"})")}}}}});
    CHECK(good(Client::open(engine.socket(), kCall)).version() == ApiVersion{1, 42});
    CHECK(engine.problems().empty());
  }
  SUBCASE("it does not") {
    const FakeEngine engine({{{head, get, {"GET /version", {answer(200, "{}")}}}}});
    CHECK(open_error(engine.socket()).kind == ErrorKind::unsupported);
  }
  SUBCASE("it is no engine at all") {
    const FakeEngine engine({{{head, get, {"GET /version", {answer(404, "<html><h1>Not here</h1></html>")}}}}});
    const Error error = open_error(engine.socket());
    CHECK(error.kind == ErrorKind::unsupported);
    CHECK(error.what.ends_with(": Not here"));
    CHECK(error.next.find("does not speak the Engine API") != std::string::npos);
  }
}

TEST_CASE("a lowest version raised under a running client is taken up, once") {
  const std::string refusal =
      "client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer "
      "version";
  SUBCASE("as JSON, and for a request that must not be repeated") {
    const FakeEngine engine({{{ping("1.41")}},
                             {{{"POST /v1.41/containers/create", {answer(400, R"({"message":")" + refusal + "\"}")}}}},
                             {{{"POST /v1.44/containers/create", {answer(201, R"({"Id":"abc"})")}}}}});
    Client client = good(Client::open(engine.socket(), kCall));
    CHECK(good(create_container(client, {.name = "x", .image = "y"}, kCall)).id == "abc");
    CHECK(client.version() == ApiVersion{1, 44});
    CHECK(engine.problems().empty());
  }
  SUBCASE("as text") {
    const FakeEngine engine(
        {{{ping("1.41"),
           {"GET /v1.41/containers/x/json", {answer(400, refusal + "\n")}},
           {"GET /v1.44/containers/x/json", {answer(404, R"({"message":"No such container: x"})")}}}}});
    Client client = good(Client::open(engine.socket(), kCall));
    CHECK_FALSE(good(inspect_container(client, "x", kCall)).has_value());
    CHECK(engine.problems().empty());
  }
  SUBCASE("beyond what plumb speaks") {
    const FakeEngine engine(
        {{{ping("1.55"),
           {"GET /v1.55/containers/x/json",
            {answer(
                400,
                R"({"message":"client version 1.55 is too old. Minimum supported API version is 1.99, please"})")}}}}});
    Client client = good(Client::open(engine.socket(), kCall));
    const auto seen = inspect_container(client, "x", kCall);
    REQUIRE_FALSE(seen);
    CHECK(seen.error().kind == ErrorKind::unsupported);
    CHECK(seen.error().next == "Install a newer plumb.");
  }
  SUBCASE("an engine that never agrees is not asked for ever") {
    const FakeEngine engine(
        {{{ping("1.41"),
           {"GET /v1.41/containers/x/json", {answer(400, R"({"message":")" + refusal + "\"}")}},
           {"GET /v1.44/containers/x/json",
            {answer(400,
                    R"({"message":"client version 1.44 is too old. Minimum supported API version is 1.45"})")}}}}});
    Client client = good(Client::open(engine.socket(), kCall));
    CHECK_FALSE(inspect_container(client, "x", kCall));
    CHECK(engine.problems().empty());
  }
}

TEST_CASE("an engine that was replaced by an older one is spoken to in its version") {
  const FakeEngine engine(
      {{{ping("1.51"), {"GET /v1.51/containers/x/json", {answer(404, kNone, "Api-Version: 1.51\r\n")}}}, true},
       {{{"GET /v1.51/containers/x/json",
          {answer(400, R"({"message":"client version 1.51 is too new. Maximum supported API version is 1.41"})",
                  "Api-Version: 1.41\r\n")}},
         {"GET /v1.41/containers/x/json", {answer(404, kNone, "Api-Version: 1.41\r\n")}}}}});
  Client client = good(Client::open(engine.socket(), kCall));
  CHECK_FALSE(good(inspect_container(client, "x", kCall)).has_value());
  CHECK_FALSE(good(inspect_container(client, "x", kCall)).has_value());
  CHECK(client.version() == ApiVersion{1, 41});
  CHECK(engine.problems().empty());
}

TEST_CASE("a kept-alive connection that drops costs an idempotent request nothing") {
  // The engine closes after it has read the second request, without a word.
  const FakeEngine engine({{{ping("1.41"), {"GET /v1.41/containers/x/json", {}}}, true},
                           {{{"GET /v1.41/containers/x/json", {answer(404, kNone)}}}}});
  Client client = good(Client::open(engine.socket(), kCall));
  CHECK_FALSE(good(inspect_container(client, "x", kCall)).has_value());
  CHECK(engine.requests().size() == 3);
  CHECK(engine.problems().empty());
}

TEST_CASE("a request that must not be repeated is sent once, whatever happens") {
  const FakeEngine engine({{{ping("1.41")}}, {{{"POST /v1.41/containers/create", {}}}, true}});
  Client client = good(Client::open(engine.socket(), kCall));
  const auto created = create_container(client, {.name = "x", .image = "y"}, kCall);
  REQUIRE_FALSE(created);
  CHECK(created.error().kind == ErrorKind::unreachable);
  CHECK(created.error().what.ends_with("the engine closed the connection without an answer"));
  CHECK(engine.requests().size() == 2);
  CHECK(engine.problems().empty());
}

TEST_CASE("an engine that never answers meets the deadline") {
  SUBCASE("at the first word") {
    const FakeEngine engine({Talk{{Turn{"HEAD /_ping", {}}}}});
    const Error error = open_error(engine.socket(), kShort);
    CHECK(error.kind == ErrorKind::timeout);
    CHECK(error.what.ends_with("no answer when the deadline passes"));
  }
  SUBCASE("in the middle") {
    const FakeEngine engine(
        {{{ping(), {"GET /v1.41/containers/x/json", {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"Id\""}}}}});
    Client client = good(Client::open(engine.socket(), kCall));
    const auto seen = inspect_container(client, "x", kShort);
    REQUIRE_FALSE(seen);
    CHECK(seen.error().kind == ErrorKind::timeout);
    CHECK(seen.error().what.ends_with("the answer is not complete when the deadline passes"));
  }
  SUBCASE("a stop's grace is added to it") {
    const FakeEngine engine({{{ping(), {"POST /v1.41/containers/x/stop?t=1 ", {}}}}});
    Client client = good(Client::open(engine.socket(), kCall));
    const auto begin = std::chrono::steady_clock::now();
    CHECK(stop_container(client, "x", std::chrono::seconds(1), kShort).error().kind == ErrorKind::timeout);
    CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(1060));
  }
  SUBCASE("a deadline that has passed already, and the engine hears nothing") {
    const FakeEngine engine({{{ping()}}});
    Client client = good(Client::open(engine.socket(), kCall));
    CHECK(inspect_container(client, "x", {std::chrono::milliseconds(-5), {}}).error().kind == ErrorKind::timeout);
    CHECK(inspect_container(client, "x", {std::chrono::milliseconds::min(), {}}).error().kind == ErrorKind::timeout);
    CHECK(engine.requests().size() == 1);
  }
}

TEST_CASE("a stop request ends a request at once") {
  const FakeEngine engine({{{ping(), {"GET /v1.41/containers/x/json", {}}}}});
  Client client = good(Client::open(engine.socket(), kCall));
  std::stop_source source;
  SUBCASE("that waits") {
    std::jthread stopper([&] {
      while (engine.requests().size() < 2) std::this_thread::yield();
      source.request_stop();
    });
    CHECK(inspect_container(client, "x", {std::chrono::hours(99999999), source.get_token()}).error().kind ==
          ErrorKind::cancelled);
  }
  SUBCASE("that has not begun") {
    source.request_stop();
    CHECK(inspect_container(client, "x", {std::chrono::hours(1), source.get_token()}).error().kind ==
          ErrorKind::cancelled);
    CHECK(engine.requests().size() == 1);
  }
}

TEST_CASE("a socket that cannot be connected to says why and what to do") {
  const Scratch scratch;
  const std::string absent = scratch.path() + "/absent.sock";
  Error error = open_error(absent);
  CHECK(error.kind == ErrorKind::unreachable);
  CHECK(error.code == ENOENT);
  CHECK(error.what ==
        "ask the engine for its API version at unix://" + absent + ": connect: No such file or directory");
  CHECK(error.next.find("systemctl start docker") != std::string::npos);

  const std::string stale = scratch.path() + "/stale.sock";
  {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    stale.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  error = open_error(stale);
  CHECK(error.kind == ErrorKind::unreachable);
  CHECK(error.code == ECONNREFUSED);
  CHECK(error.next.find("nobody listens") != std::string::npos);

  CHECK(open_error("relative.sock").kind == ErrorKind::spec);
  CHECK(open_error("").kind == ErrorKind::spec);
  CHECK(open_error("/" + std::string(107, 'x')).kind == ErrorKind::spec);
  CHECK(open_error("/" + std::string(106, 'x')).code == ENOENT);
}

TEST_CASE("a socket without permission says so") {
  const FakeEngine engine(std::vector<Talk>{});
  REQUIRE(::chmod(engine.socket().c_str(), 0600) == 0);
  REQUIRE(::chmod(engine.socket().substr(0, engine.socket().rfind('/')).c_str(), 0755) == 0);
  Error error;
  // Credentials belong to threads here: the raw system call does not ask glibc to change all of them.
  std::thread([&] {
    ::syscall(SYS_setresuid, 65534, 65534, 65534);
    error = open_error(engine.socket());
  }).join();
  CHECK(error.kind == ErrorKind::permission);
  CHECK(error.code == EACCES);
  CHECK(error.next.find("root") != std::string::npos);
}

TEST_CASE("what does not speak HTTP is told from an engine") {
  const FakeEngine engine({{{{"HEAD /_ping", {"SSH-2.0-OpenSSH_9.2\r\n"}}}, true}});
  const Error error = open_error(engine.socket());
  CHECK(error.kind == ErrorKind::unsupported);
  CHECK(error.next.find("does not speak the Engine API") != std::string::npos);
}

TEST_CASE("an answer without end is cut off, and an error body too") {
  const std::string megabyte = chunk(std::string(1 << 20, ' '));
  std::vector<std::string> endless{chunked_head()};
  endless.insert(endless.end(), 20, megabyte);
  const FakeEngine engine({{{ping(), {"GET /v1.41/containers/x/json", endless}}},
                           {{{"GET /v1.41/containers/json", {answer(500, std::string(200'000, 'x'))}}}}});
  Client client = good(Client::open(engine.socket(), kCall));
  CHECK(inspect_container(client, "x", kCall).error().what.ends_with("over 16 MiB"));
  const auto seen = list_containers(client, {}, kCall);
  REQUIRE_FALSE(seen);
  CHECK(seen.error().what.size() < 700);
}
