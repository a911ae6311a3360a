// The client's streams against scripts: pulls, events, logs and the wait for an end.
#include <doctest/doctest.h>

#include "docker_client/events.h"
#include "docker_client/image.h"
#include "docker_client/log.h"
#include "docker_client/waiter.h"
#include "tests/docker_client/fake_engine.h"
#include "tests/docker_client/real.h"
#include "tests/docker_client/script_calls.h"

using namespace plumb;          // NOLINT(google-build-using-namespace)
using namespace plumb::docker;  // NOLINT(google-build-using-namespace)
using namespace plumb::test;    // NOLINT(google-build-using-namespace)

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
    if (asks) turns.push_back({"GET /v1.41/images/", {answer(404, R"({"message":"No such image"})")}});
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
  error = pull({begun, chunk("<html>\ngarbage"), kLastChunk}, false);
  CHECK(error.kind == ErrorKind::failed);
  CHECK(error.what.starts_with("pull image ghcr.io/opensvc/pause:1 at unix://"));
  CHECK(error.what.ends_with("an object was expected and is not there, but \"<html> garbage\""));
  CHECK(pull({begun, chunk("{garbage}"), kLastChunk}, false).what.starts_with("pull image ghcr.io/opensvc/pause:1"));
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

TEST_CASE("an error inside the stream of events ends it, and an event with a word too many does not") {
  const std::string event = R"({"Type":"container","Action":"die","Actor":{"ID":"c1"},"message":"of its own"})";
  const std::string failure = R"({"cause":"disk full","message":"read the journal: disk full","response":500})";
  // The subscription itself may see it, when it comes with the head.
  const auto second = [&](const std::string& body) -> Result<Event> {
    const FakeEngine engine({{{ping(), {"GET /v1.41/events", {chunked_head() + chunk(body), kLastChunk}}}}});
    Client client = good(Client::open(engine.socket(), kCall));
    EventStream events = TRY(EventStream::open(client, {}, kCall));
    TRY(events.next(kCall));
    return events.next(kCall);
  };
  CHECK(good(second(event + event)).action == "die");
  const auto ended = second(event + failure);
  REQUIRE_FALSE(ended);
  CHECK(ended.error().kind == ErrorKind::refused);
  CHECK(ended.error().what.starts_with("listen to events at unix://"));
  CHECK(ended.error().what.ends_with(": the engine ended its events: read the journal: disk full"));
}

TEST_CASE("a log is read to its end, and one that is cut or never ends is told") {
  const std::string frame = std::string("\x01\0\0\0\0\0\0\x04", 8) + "one\n";
  const auto read = [](const std::vector<std::string>& body, const Call& call, bool tty = false) {
    const FakeEngine engine({{{ping(), {"GET /v1.41/containers/x/logs?stdout=1&stderr=1 ", body}}}});
    Client client = good(Client::open(engine.socket(), kCall));
    std::string text;
    const LogSink sink = [&text](LogOutput /*output*/, std::string_view piece) -> Result<void> {
      text += piece;
      return {};
    };
    const auto done = read_log(client, "x", tty, {}, sink, call);
    CHECK(engine.problems().empty());
    return done ? "done: " + text : std::string(to_string(done.error().kind)) + ": " + done.error().what;
  };
  const auto ends = [](const std::string& text, std::string_view end) { return text.ends_with(end); };
  CHECK(read({chunked_head() + chunk(frame), chunk(frame), kLastChunk}, kCall) == "done: one\none\n");
  CHECK(read({chunked_head(), kLastChunk}, kCall) == "done: ");
  CHECK(read({chunked_head() + chunk("no frames"), kLastChunk}, kCall, true) == "done: no frames");
  CHECK(ends(read({chunked_head() + chunk(frame + frame.substr(0, 10)), kLastChunk}, kCall), "ended inside a frame"));
  CHECK(ends(read({chunked_head() + chunk(frame + frame.substr(0, 3)), kLastChunk}, kCall), "ended inside a frame"));
  CHECK(ends(read({chunked_head() + chunk("no frames"), kLastChunk}, kCall), "a frame was expected and is not there"));
  CHECK(read({chunked_head() + chunk(frame)}, kShort).starts_with("timeout: read the log of container x at unix://"));
}
