// The client against scripts: what a real engine cannot be made to do.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include <thread>

#include "docker_client/container.h"
#include "docker_client/events.h"
#include "docker_client/image.h"
#include "docker_client/waiter.h"
#include "tests/docker_client/fake_engine.h"
#include "tests/docker_client/real.h"

using namespace plumb;          // NOLINT(google-build-using-namespace)
using namespace plumb::docker;  // NOLINT(google-build-using-namespace)
using namespace plumb::test;    // NOLINT(google-build-using-namespace)

namespace {

const Call kCall{std::chrono::seconds(20), {}};
const Call kShort{std::chrono::milliseconds(60), {}};

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
    CHECK(error.kind == ErrorKind::not_found);
    CHECK(error.what.ends_with(": Not here"));
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
      {{{ping("1.51"), {"GET /v1.51/containers/x/json", {answer(404, "{}", "Api-Version: 1.51\r\n")}}}, true},
       {{{"GET /v1.51/containers/x/json",
          {answer(400, R"({"message":"client version 1.51 is too new. Maximum supported API version is 1.41"})",
                  "Api-Version: 1.41\r\n")}},
         {"GET /v1.41/containers/x/json", {answer(404, "{}", "Api-Version: 1.41\r\n")}}}}});
  Client client = good(Client::open(engine.socket(), kCall));
  CHECK_FALSE(good(inspect_container(client, "x", kCall)).has_value());
  CHECK_FALSE(good(inspect_container(client, "x", kCall)).has_value());
  CHECK(client.version() == ApiVersion{1, 41});
  CHECK(engine.problems().empty());
}

TEST_CASE("a kept-alive connection that drops costs an idempotent request nothing") {
  // The engine closes after it has read the second request, without a word.
  const FakeEngine engine({{{ping("1.41"), {"GET /v1.41/containers/x/json", {}}}, true},
                           {{{"GET /v1.41/containers/x/json", {answer(404, R"({"message":"no"})")}}}}});
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

TEST_CASE("error bodies of proxies and of Podman are read") {
  const FakeEngine engine(
      {{{ping("1.41"),
         {"GET /v1.41/containers/x/json",
          {answer(502, "<html>\n<head><title>502 Bad Gateway</title></head>\n<body></body></html>",
                  "Content-Type: text/html\r\n")}},
         {"GET /v1.41/containers/x/json", {answer(503, "upstream   is\r\n down\n")}},
         {"GET /v1.41/containers/x/json", {answer(500, "")}},
         {"GET /v1.41/containers/x/json", {answer(500, "")}},
         {"GET /v1.41/containers/x/json",
          {answer(500, R"({"cause":"container state improper","message":"removing container x","response":500})",
                  "Libpod-API-Version: 4.3.1\r\n")}},
         {"GET /v1.41/containers/x/json",
          {answer(500, R"({"cause":"container state improper","message":"removing container x","response":500})",
                  "Libpod-API-Version: 4.3.1\r\n")}},
         {"GET /v1.41/containers/x/json",
          {answer(404, R"({"cause":"no such container","message":"no such container","response":404})")}},
         {"GET /v1.41/containers/x/json", {answer(200, "not json")}},
         {"GET /v1.41/containers/x/json", {answer(301, "", "Location: /elsewhere\r\n")}}}}});
  Client client = good(Client::open(engine.socket(), kCall));
  const auto next = [&client] { return inspect_container(client, "x", kCall); };
  const std::string place = "inspect container x at unix://" + engine.socket() + ": ";
  const std::pair<ErrorKind, std::string> wanted[] = {
      {ErrorKind::unreachable, place + "502 Bad Gateway"},
      {ErrorKind::unreachable, place + "upstream is down"},
      {ErrorKind::refused, place + "internal error of the engine (HTTP status 500 without a reason)"},
      {ErrorKind::refused, place + "removing container x (container state improper)"}};
  for (const auto& [kind, what] : wanted) {
    const auto seen = next();
    REQUIRE_FALSE(seen);
    CHECK(seen.error().kind == kind);
    CHECK(seen.error().what == what);
  }
  CHECK(client.manners().keeps_joined);
  CHECK_FALSE(good(next()).has_value());
  CHECK(next().error().what == "read a container: the engine's answer is not a JSON object: \"not json\"");
  CHECK(next().error().code == 301);
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

// A container that does not run, one that does, and one that is being removed, as an inspect says it.
const std::string kEnded = answer(200, R"({"Id":"x","State":{"Status":"exited"}})");
const std::string kRuns = answer(200, R"({"Id":"x","State":{"Status":"running","Running":true}})");
const std::string kPaused = answer(200, R"({"Id":"x","State":{"Status":"paused","Running":true,"Paused":true}})");
const std::string kGoing = answer(200, R"({"Id":"x","State":{"Status":"removing"}})");
const std::string kGone = answer(404, R"({"message":"No such container: x"})");

// What becomes of a request that is answered by `refusal`, where a look says `seen` afterwards.
Result<bool> after_look(const std::string& request, const std::string& refusal, const std::string& seen,
                        const std::function<Result<bool>(Client&)>& ask) {
  const Turn refused{request, {refusal}};
  const Turn look{"GET /v1.41/containers/x/json ", {seen}};
  // What must not be sent twice has a connection of its own.
  const bool apart = request.find("/kill") != std::string::npos;
  const FakeEngine engine(apart ? std::vector<Talk>{{{ping()}}, {{refused, look}}}
                                : std::vector<Talk>{{{ping(), refused, look}}});
  Client client = good(Client::open(engine.socket(), kCall));
  auto result = ask(client);
  CHECK(engine.problems().empty());
  return result;
}

TEST_CASE("a refusal is judged by a look at what is so, whatever its status and its words") {
  const auto start = [](Client& client) { return start_container(client, "x", kCall); };
  const auto stop = [](Client& client) { return stop_container(client, "x", std::chrono::seconds(1), kCall); };
  const auto kill = [](Client& client) { return kill_container(client, "x", "SIGKILL", kCall); };
  const auto remove = [](Client& client) { return remove_container(client, "x", {}, kCall); };
  for (const std::string& no :
       {answer(409, R"({"message":"no"})"), answer(500, R"({"message":"no"})"), answer(500, "no")}) {
    CHECK_FALSE(good(after_look("POST /v1.41/containers/x/start ", no, kRuns, start)));
    CHECK(good(after_look("POST /v1.41/containers/x/stop?t=1 ", no, kEnded, stop)));
    CHECK(good(after_look("POST /v1.41/containers/x/stop?t=1 ", no, kGone, stop)));
    CHECK_FALSE(good(after_look("POST /v1.41/containers/x/kill?signal=SIGKILL ", no, kEnded, kill)));
    CHECK(good(after_look("DELETE /v1.41/containers/x ", no, kGone, remove)));
    // It is not so.
    for (const auto& result : {after_look("POST /v1.41/containers/x/start ", no, kEnded, start),
                               after_look("POST /v1.41/containers/x/start ", no, kPaused, start),
                               after_look("POST /v1.41/containers/x/start ", no, kGone, start),
                               after_look("POST /v1.41/containers/x/stop?t=1 ", no, kRuns, stop),
                               after_look("POST /v1.41/containers/x/kill?signal=SIGKILL ", no, kRuns, kill),
                               after_look("DELETE /v1.41/containers/x ", no, kRuns, remove),
                               after_look("DELETE /v1.41/containers/x ", no, kEnded, remove)}) {
      REQUIRE_FALSE(result);
      CHECK(result.error().kind == ErrorKind::refused);
      CHECK(result.error().what.ends_with(": no"));
    }
    CHECK(after_look("POST /v1.41/containers/x/kill?signal=SIGKILL ", no, kGone, kill).error().kind ==
          ErrorKind::not_found);
  }
}

TEST_CASE("a container that is removed while it is looked at is gone") {
  const Turn torn{"GET /v1.41/containers/x/json ", {answer(500, R"({"message":"no such container"})")}};
  const auto look = [&](const std::string& second) {
    const FakeEngine engine({{{ping(), torn, {"GET /v1.41/containers/x/json ", {second}}}}});
    Client client = good(Client::open(engine.socket(), kCall));
    return inspect_container(client, "x", kCall);
  };
  CHECK_FALSE(good(look(kGone)).has_value());
  CHECK(good(look(kRuns))->running);
  CHECK(look(answer(500, "no")).error().what.ends_with(": no"));
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

TEST_CASE("a pull's stream is read object by object, however it is cut") {
  const std::string stream =
      "{\"status\":\"Pulling from library/nginx\",\"id\":\"latest\"}\r\n"
      "{\"status\":\"Down\\u0022lo}ading\",\"progressDetail\":{\"current\":5,\"total\":9},\"id\":\"abc\"}\n"
      "{\"status\":\"Status: Downloaded newer image for nginx:latest\"}\r\n";
  const Turn inspect{"GET /v1.41/images/nginx%3Alatest/json",
                     {answer(200, R"({"Id":"sha256:1","RepoTags":["nginx:latest"]})")}};
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    CAPTURE(cut);
    const FakeEngine engine({{{ping(),
                               {"POST /v1.41/images/create?fromImage=nginx&tag=latest ",
                                {chunked_head() + chunk(stream.substr(0, cut)), chunk(stream.substr(cut)), kLastChunk}},
                               inspect}}});
    Client client = good(Client::open(engine.socket(), kCall));
    std::vector<PullProgress> seen;
    const Image image = good(pull_image(
        client, "nginx", std::nullopt, [&seen](const PullProgress& line) { seen.push_back(line); }, kCall));
    CHECK(image.id == "sha256:1");
    REQUIRE(seen.size() == 3);
    CHECK(seen[1].status == "Down\"lo}ading");
    CHECK(seen[1].layer == "abc");
    CHECK(seen[1].current == 5);
    CHECK(seen[1].total == 9);
    CHECK(engine.problems().empty());
  }
}

TEST_CASE("a pull fails with what its stream says") {
  const auto pull = [](const std::vector<std::string>& body, bool hang_up, bool asks = false) {
    std::vector<Turn> turns{ping(), {"POST /v1.41/images/create", body}};
    if (asks) turns.push_back({"GET /v1.41/images/", {answer(404, "{}")}});
    const FakeEngine engine({{turns, hang_up}});
    Client client = good(Client::open(engine.socket(), kCall));
    Result<Image> image = pull_image(client, "ghcr.io/opensvc/pause:1", std::nullopt, {}, kCall);
    REQUIRE_FALSE(image);
    CHECK(engine.problems().empty());
    return image.error();
  };
  const std::string begun = chunked_head() + chunk("{\"status\":\"Pulling\"}\n");
  Error error = pull(
      {begun,
       chunk(
           R"({"errorDetail":{"code":401,"message":"unauthorized: authentication required"},"error":"unauthorized"})"),
       kLastChunk},
      false);
  CHECK(error.kind == ErrorKind::permission);
  CHECK(error.what.ends_with("unauthorized: authentication required"));
  CHECK(error.next.find("ghcr.io") != std::string::npos);
  CHECK(pull({begun, chunk(R"({"error":"manifest unknown"})"), kLastChunk}, false).kind == ErrorKind::not_found);
  CHECK(pull({begun, chunk(R"({"errorDetail":{"message":"Get https://x/v2/: dial tcp: lookup x: no such host"}})"),
              kLastChunk},
             false)
            .kind == ErrorKind::unreachable);
  CHECK(pull({begun, chunk(R"({"errorDetail":{}})"), kLastChunk}, false).what.ends_with("without a reason"));
  // The stream stops: in the middle of the transfer, in the middle of an object, without an image.
  CHECK(pull({begun}, true).kind == ErrorKind::unreachable);
  CHECK(pull({begun, chunk("{\"status\":"), kLastChunk}, false).what.ends_with("it ended inside an object"));
  CHECK(pull({begun, kLastChunk}, false, true).what.ends_with("and yet the image is not there"));
  CHECK(pull({begun, chunk("garbage"), kLastChunk}, false).kind == ErrorKind::failed);
  CHECK(pull({answer(404, R"({"message":"manifest for x not found"})")}, false).kind == ErrorKind::not_found);
  CHECK(pull({answer(500, R"({"message":"Get x: unauthorized"})")}, false).kind == ErrorKind::permission);
}

TEST_CASE("events of every version are read, and their end is told") {
  const std::string old_form =
      R"({"status":"die","id":"c1","from":"x","Type":"container","Action":"die","Actor":{"ID":"c1","Attributes":{"exitCode":"3"}},"time":1,"timeNano":1000000001})";
  const std::string podman_form =
      R"({"status":"died","id":"c1","Type":"container","Action":"died","Actor":{"ID":"c1","Attributes":{"containerExitCode":"4"}},"timeNano":2})";
  const std::string new_form =
      R"({"Type":"container","Action":"destroy","Actor":{"ID":"c1","Attributes":{}},"scope":"local","time":1,"timeNano":3})";
  const std::string body = old_form + "\n" + podman_form + new_form + "\n\x1e" + new_form + "\n";
  const FakeEngine engine(
      {{{ping("1.52"),
         {"GET /v1.52/events", {chunked_head() + chunk(body.substr(0, 100)), chunk(body.substr(100)), kLastChunk}}}}});
  Client client = good(Client::open(engine.socket(), kCall));
  EventStream events = good(EventStream::open(client, {}, kCall));
  Event event = good(events.next(kCall));
  CHECK(event.action == "die");
  CHECK(event.attributes.at("exitCode") == "3");
  CHECK(event.time_ns == 1000000001);
  event = good(events.next(kCall));
  CHECK(event.action == "die");
  CHECK(event.attributes.at("exitCode") == "4");
  CHECK(good(events.next(kCall)).action == "destroy");
  CHECK(good(events.next(kCall)).id == "c1");
  CHECK(events.next(kCall).error().kind == ErrorKind::unreachable);
  CHECK(events.next(kCall).error().kind == ErrorKind::unreachable);
  CHECK(engine.problems().empty());
}

TEST_CASE("a waiter whose engine goes away says so") {
  FakeEngine engine({{{ping()}}, {{{"POST /v1.41/containers/x/wait?condition=removed ", {chunked_head()}}}}});
  Client client = good(Client::open(engine.socket(), kCall));
  Waiter waiter = good(Waiter::open(client, "x", WaitCondition::removed, kCall));
  CHECK(waiter.wait(kShort).error().kind == ErrorKind::timeout);
  engine.drop();
  CHECK(waiter.wait(kCall).error().kind == ErrorKind::unreachable);
  CHECK(waiter.wait(kCall).error().kind == ErrorKind::unreachable);
}

TEST_CASE("a removal in progress is waited for") {
  const Turn busy{"DELETE /v1.41/containers/x?force=1 ",
                  {answer(409, R"({"message":"removal of container x is already in progress"})")}};
  SUBCASE("until it is done") {
    const Turn look{"GET /v1.41/containers/x/json ", {kRuns}};  // Docker says so as long as it is being killed
    const FakeEngine engine(
        {{{ping(), busy, look}}, {{{"POST /v1.41/containers/x/wait", {answer(200, R"({"StatusCode":137})")}}}}});
    Client client = good(Client::open(engine.socket(), kCall));
    CHECK(good(remove_container(client, "x", {.force = true}, kCall)));
    CHECK(engine.problems().empty());
  }
  SUBCASE("and its failure is told") {
    const Turn silent{"DELETE /v1.41/containers/x?force=1 ", {answer(500, "")}};
    const FakeEngine engine({{{ping(), silent, {"GET /v1.41/containers/x/json ", {kGoing}}}},
                             {{{"POST /v1.41/containers/x/wait",
                                {answer(200, R"({"StatusCode":-1,"Error":{"Message":"device busy"}})")}}}}});
    Client client = good(Client::open(engine.socket(), kCall));
    CHECK(remove_container(client, "x", {.force = true}, kCall).error().what.ends_with("device busy"));
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

TEST_CASE("a container that is not running has pid 0") {
  const FakeEngine engine({{{ping(),
                             {"GET /v1.41/containers/x/json",
                              {answer(200, R"({"Id":"x1","State":{"Status":"exited","Pid":0,"Running":false}})")}}}}});
  Client client = good(Client::open(engine.socket(), kCall));
  const Container container = *good(inspect_container(client, "x", kCall));
  CHECK(container.pid == 0);
  CHECK_FALSE(container.running);
}
