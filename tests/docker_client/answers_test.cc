// Every request of the client, answered in every way that an engine, or what stands before its socket, can go wrong:
// the error says who has answered what, of which kind it is, and, where something general can be said, what to do.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "docker_client/container.h"
#include "docker_client/events.h"
#include "docker_client/image.h"
#include "docker_client/info.h"
#include "docker_client/log.h"
#include "docker_client/waiter.h"
#include "tests/docker_client/fake_engine.h"
#include "tests/docker_client/real.h"
#include "tests/docker_client/script_calls.h"

using namespace plumb;          // NOLINT(google-build-using-namespace)
using namespace plumb::docker;  // NOLINT(google-build-using-namespace)
using namespace plumb::test;    // NOLINT(google-build-using-namespace)

namespace {

template <typename T>
std::optional<Error> error_of(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error());
}

// What a request reads of an answer that went well.
enum class Reads {
  nothing,  // its status is all
  object,   // one JSON value
  stream,   // for as long as it goes on
};

struct Asked {
  std::string what;    // how the sentence begins
  std::string expect;  // how the request begins
  bool apart;          // on a connection of its own, since it must not be sent twice
  Reads reads;
  std::function<std::optional<Error>(Client&, const Call&)> ask;
};

std::optional<Error> wait(Client& client, const Call& call) {
  auto waiter = Waiter::open(client, "x", WaitCondition::not_running, call);
  return waiter ? error_of(waiter->wait(call)) : error_of(waiter);
}

std::optional<Error> listen(Client& client, const Call& call) {
  auto events = EventStream::open(client, {}, call);
  return events ? error_of(events->next(call)) : error_of(events);
}

std::optional<Error> read(Client& client, const Call& call) {
  return error_of(read_log(
      client, "x", false, {}, [](LogOutput, std::string_view) { return Result<void>(); }, call));
}

const Asked kAsked[] = {
    {"create container x", "POST /v1.41/containers/create?name=x ", true, Reads::object,
     [](Client& c, const Call& call) { return error_of(create_container(c, {.name = "x", .image = "y"}, call)); }},
    {"start container x", "POST /v1.41/containers/x/start ", false, Reads::nothing,
     [](Client& c, const Call& call) { return error_of(start_container(c, "x", call)); }},
    {"stop container x", "POST /v1.41/containers/x/stop?t=0 ", false, Reads::nothing,
     [](Client& c, const Call& call) { return error_of(stop_container(c, "x", std::chrono::seconds(0), call)); }},
    {"kill container x", "POST /v1.41/containers/x/kill?signal=SIGKILL ", true, Reads::nothing,
     [](Client& c, const Call& call) { return error_of(kill_container(c, "x", "SIGKILL", call)); }},
    {"remove container x", "DELETE /v1.41/containers/x ", false, Reads::nothing,
     [](Client& c, const Call& call) { return error_of(remove_container(c, "x", {}, call)); }},
    {"rename container x", "POST /v1.41/containers/x/rename?name=z ", true, Reads::nothing,
     [](Client& c, const Call& call) { return error_of(rename_container(c, "x", "z", call)); }},
    {"inspect container x", "GET /v1.41/containers/x/json ", false, Reads::object,
     [](Client& c, const Call& call) { return error_of(inspect_container(c, "x", call)); }},
    {"list containers", "GET /v1.41/containers/json?all=1 ", false, Reads::object,
     [](Client& c, const Call& call) { return error_of(list_containers(c, {}, call)); }},
    {"wait for container x", "POST /v1.41/containers/x/wait?condition=not-running ", true, Reads::object, wait},
    {"listen to events", "GET /v1.41/events ", false, Reads::stream, listen},
    {"read the log of container x", "GET /v1.41/containers/x/logs?stdout=1&stderr=1 ", false, Reads::stream, read},
    {"inspect image y", "GET /v1.41/images/y/json ", false, Reads::object,
     [](Client& c, const Call& call) { return error_of(inspect_image(c, "y", call)); }},
    {"load image", "POST /v1.41/images/load?quiet=1 ", false, Reads::stream,
     [](Client& c, const Call& call) { return error_of(load_image(c, "archive", call)); }},
    {"pull image y", "POST /v1.41/images/create?fromImage=y&tag=latest ", false, Reads::stream,
     [](Client& c, const Call& call) { return error_of(pull_image(c, "y", std::nullopt, {}, call)); }},
    {"ask for the engine's facts", "GET /v1.41/info ", false, Reads::object,
     [](Client& c, const Call& call) { return error_of(engine_info(c, call)); }},
    {"ask for the engine's version", "GET /v1.41/version ", false, Reads::object,
     [](Client& c, const Call& call) { return error_of(engine_version(c, call)); }},
};

// The error of a request that is answered by `said`; the engine goes away after that, or just says no more.
Error error_after(const Asked& asked, const std::string& said, bool goes_away, const Call& call) {
  const Turn turn{asked.expect, said.empty() ? std::vector<std::string>{} : std::vector{said}};
  const FakeEngine engine(asked.apart ? std::vector<Talk>{{{ping()}}, {{turn}, goes_away}}
                                      : std::vector<Talk>{{{ping(), turn}, goes_away}});
  Client client = good(Client::open(engine.socket(), kCall));
  const auto error = asked.ask(client, call);
  REQUIRE(error.has_value());
  CHECK_MESSAGE(error->what.starts_with(asked.what + " at unix://" + engine.socket() + ": "), error->what);
  CHECK_MESSAGE(error->what.find('\n') == std::string::npos, error->what);
  return *error;
}

struct Refusal {
  int status;
  std::string body;
  ErrorKind kind;
  std::string words;  // how the sentence ends
  bool advises;
};

const std::string kPage = "<html>\n<head><title>Moved</title></head><body>\n</body></html>";

const Refusal kRefusals[] = {
    {400, R"({"message":"invalid reference"})", ErrorKind::refused, ": invalid reference", false},
    {400, R"({"message":"client version 1.41 is too old. Minimum supported API version is 1.99, please upgrade"})",
     ErrorKind::unsupported, "(plumb speaks 1.40 to 1.55)", true},
    {401, R"({"message":"who are you"})", ErrorKind::permission, ": who are you", true},
    {403, "authorization denied by plugin x\n", ErrorKind::permission, ": authorization denied by plugin x", true},
    {404, kPage, ErrorKind::unsupported, ": Moved", true},
    {404, "", ErrorKind::unsupported, ": not found (HTTP status 404 without a reason)", true},
    {404, R"({"message":"page not found"})", ErrorKind::unsupported, ": page not found", true},
    {409, "busy", ErrorKind::refused, ": busy", false},
    {500, "", ErrorKind::refused, ": internal error of the engine (HTTP status 500 without a reason)", false},
    {500, "{}", ErrorKind::refused, ": internal error of the engine (HTTP status 500 without a reason)", false},
    {500, R"({"cause":"no space","message":"write: no space","response":500})", ErrorKind::refused, ": write: no space",
     false},
    {500, R"({"cause":"no space","response":500})", ErrorKind::refused, ": no space", false},
    {500, R"({"message":["no text"]})", ErrorKind::refused,
     ": internal error of the engine (HTTP status 500 without a reason)", false},
    {501, R"({"message":"not on this platform"})", ErrorKind::unsupported, ": not on this platform", false},
    {503, "starting", ErrorKind::unreachable, ": starting", true},
    {301, kPage, ErrorKind::unsupported, ": Moved", true},
    {302, "", ErrorKind::unsupported, ": redirected (HTTP status 302 without a reason)", true},
};

}  // namespace

TEST_CASE("every request says of every refusal what it is, in the engine's words") {
  for (const Asked& asked : kAsked) {
    CAPTURE(asked.what);
    for (const Refusal& refusal : kRefusals) {
      CAPTURE(refusal.status);
      CAPTURE(refusal.body);
      const std::string said = answer(refusal.status, refusal.body, "Location: /elsewhere\r\n");
      // An inspection that meets a 500 is asked once more.
      const bool twice = refusal.status == 500 && asked.what.starts_with("inspect container");
      const Error error = error_after(asked, twice ? said + said : said, true, kCall);
      if (!twice) CHECK_MESSAGE(error.kind == refusal.kind, error.what);
      if (!twice) CHECK_MESSAGE(error.what.ends_with(refusal.words), error.what);
      if (!twice) CHECK(error.code == refusal.status);
      if (refusal.advises) CHECK(!error.next.empty());
    }
  }
}

TEST_CASE("every request tells an answer that is cut, or never comes to its end") {
  const std::string begun = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Id\":";
  for (const Asked& asked : kAsked) {
    CAPTURE(asked.what);
    CHECK(error_after(asked, begun, true, kCall).kind == ErrorKind::unreachable);
    CHECK(error_after(asked, chunked_head() + chunk("{\"Id\":"), true, kCall).kind == ErrorKind::unreachable);
    CHECK(error_after(asked, begun, false, kShort).kind == ErrorKind::timeout);
    CHECK(error_after(asked, chunked_head() + chunk("{\"Id\":"), false, kShort).kind == ErrorKind::timeout);
    CHECK(error_after(asked, "", false, kShort).kind == ErrorKind::timeout);
    CHECK(error_after(asked, "", true, kCall).kind == ErrorKind::unreachable);
  }
}

TEST_CASE("every request that reads an answer says when it is none of an engine's") {
  for (const Asked& asked : kAsked) {
    if (asked.reads == Reads::nothing) continue;
    CAPTURE(asked.what);
    const Error error = error_after(asked, answer(200, "It works!\n"), false, kCall);
    CHECK(error.kind == ErrorKind::failed);
    if (asked.reads == Reads::stream) continue;
    CHECK_MESSAGE(error.what.find("\"It works! \"") != std::string::npos, error.what);
    CHECK_FALSE(error.next.empty());
    for (const std::string& body : {std::string(), std::string("null"), std::string("{\"Id\":\"12"), std::string("7")})
      CHECK(error_after(asked, answer(200, body), false, kCall).kind == ErrorKind::failed);
  }
}

TEST_CASE("an answer of several megabytes is read") {
  std::string list = "[";
  for (int i = 0; i < 40'000; ++i)
    list +=
        std::string(i == 0 ? "" : ",") + R"({"Id":")" + std::to_string(i) +
        R"(","Names":["/a"],"State":"exited","Labels":{"some.label":"with some text to make it longer than it is"}})";
  list += "]";
  REQUIRE(list.size() > std::size_t{4} << 20U);
  const FakeEngine engine({{{ping(), {"GET /v1.41/containers/json", {answer(200, list)}}}}});
  Client client = good(Client::open(engine.socket(), kCall));
  CHECK(good(list_containers(client, {}, kCall)).size() == 40'000);
}
