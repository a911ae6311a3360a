// What the client makes of an engine's refusals: its words, and what is so when it is looked at.
#include <doctest/doctest.h>

#include <functional>

#include "docker_client/container.h"
#include "tests/docker_client/fake_engine.h"
#include "tests/docker_client/real.h"
#include "tests/docker_client/script_calls.h"

using namespace plumb;          // NOLINT(google-build-using-namespace)
using namespace plumb::docker;  // NOLINT(google-build-using-namespace)
using namespace plumb::test;    // NOLINT(google-build-using-namespace)

namespace {

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
  const bool apart = request.find("/kill") != std::string::npos || request.find("/rename") != std::string::npos;
  const FakeEngine engine(apart ? std::vector<Talk>{{{ping()}}, {{refused, look}}}
                                : std::vector<Talk>{{{ping(), refused, look}}});
  Client client = good(Client::open(engine.socket(), kCall));
  auto result = ask(client);
  CHECK(engine.problems().empty());
  return result;
}

}  // namespace

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
  CHECK(next().error().what == place + "read a container: the engine's answer is not a JSON object: \"not json\"");
  const auto moved = next();
  REQUIRE_FALSE(moved);
  CHECK(moved.error().kind == ErrorKind::unsupported);
  CHECK(moved.error().code == 301);
  CHECK(engine.problems().empty());
}

TEST_CASE("a refusal is judged by a look at what is so, whatever its status and its words") {
  const auto start = [](Client& client) { return start_container(client, "x", kCall); };
  const auto stop = [](Client& client) { return stop_container(client, "x", std::chrono::seconds(1), kCall); };
  const auto kill = [](Client& client) { return kill_container(client, "x", "SIGKILL", kCall); };
  const auto remove = [](Client& client) { return remove_container(client, "x", {}, kCall); };
  for (const auto& [kind, no] : {std::pair{ErrorKind::refused, answer(409, R"({"message":"no"})")},
                                 {ErrorKind::refused, answer(500, R"({"message":"no"})")},
                                 {ErrorKind::refused, answer(500, "no")},
                                 {ErrorKind::unreachable, answer(502, "<html><p>no</p></html>")},
                                 {ErrorKind::unreachable, answer(504, R"({"cause":"no","response":504})")}}) {
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
      CHECK(result.error().kind == kind);
      CHECK(result.error().what.ends_with(": no"));
    }
    CHECK(after_look("POST /v1.41/containers/x/kill?signal=SIGKILL ", no, kGone, kill).error().kind ==
          ErrorKind::not_found);
  }
}

TEST_CASE("a container that has the new name already is renamed, and one whose name another has is not") {
  const auto rename = [](Client& client) -> Result<bool> {
    const auto renamed = rename_container(client, "x", "new", kCall);
    if (!renamed) return Err{renamed.error()};
    return true;
  };
  const std::string request = "POST /v1.41/containers/x/rename?name=new ";
  const std::string same = answer(200, R"({"Id":"x","Name":"/new"})");
  const std::string other = answer(200, R"({"Id":"x","Name":"/old"})");
  for (const std::string& no : {answer(409, R"({"message":"no"})"), answer(500, "no"), answer(503, "no")})
    CHECK(good(after_look(request, no, same, rename)));
  const std::string taken = answer(409, R"({"message":"the name is already in use"})");
  CHECK(after_look(request, taken, other, rename).error().kind == ErrorKind::exists);
  // In other words: the engine is asked who has the name.
  const Turn refused{request, {answer(500, "no")}};
  const Turn look{"GET /v1.41/containers/x/json ", {other}};
  for (const auto& [holder, kind] : {std::pair{answer(200, R"({"Id":"y","Name":"/new"})"), ErrorKind::exists},
                                     {answer(404, R"({"message":"No such container: new"})"), ErrorKind::refused}}) {
    const FakeEngine engine({{{ping()}}, {{refused, look, {"GET /v1.41/containers/new/json ", {holder}}}}});
    Client client = good(Client::open(engine.socket(), kCall));
    CHECK(rename_container(client, "x", "new", kCall).error().kind == kind);
    CHECK(engine.problems().empty());
  }
}

TEST_CASE("a refusal stands where nobody can be looked at") {
  const FakeEngine engine({{{ping(), {"POST /v1.41/containers/x/start ", {answer(500, "no")}}}, true}});
  Client client = good(Client::open(engine.socket(), kCall));
  const auto started = start_container(client, "x", kCall);
  REQUIRE_FALSE(started);
  CHECK(started.error().what.ends_with(": no"));
  CHECK(started.error().code == 500);
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

TEST_CASE("a container that is not running has pid 0") {
  const FakeEngine engine({{{ping(),
                             {"GET /v1.41/containers/x/json",
                              {answer(200, R"({"Id":"x1","State":{"Status":"exited","Pid":0,"Running":false}})")}}}}});
  Client client = good(Client::open(engine.socket(), kCall));
  const Container container = *good(inspect_container(client, "x", kCall));
  CHECK(container.pid == 0);
  CHECK_FALSE(container.running);
}
