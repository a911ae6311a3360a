// The engine's JSON and streams, byte by byte: pure functions in tables.
#include <doctest/doctest.h>

#include "docker_client/container.h"
#include "docker_client/events.h"
#include "docker_client/image.h"
#include "docker_client/info.h"
#include "docker_client/json_stream.h"
#include "docker_client/log.h"
#include "docker_client/query.h"
#include "docker_client/waiter.h"
#include "tests/docker_client/real.h"

using namespace plumb;          // NOLINT(google-build-using-namespace)
using namespace plumb::docker;  // NOLINT(google-build-using-namespace)
using plumb::test::good;

namespace {

// The objects that come out when `text` is fed in pieces of `size` bytes.
Result<std::vector<std::string>> split(std::string_view text, std::size_t size, std::size_t limit = 1000) {
  JsonSplitter splitter(limit);
  std::vector<std::string> objects;
  const auto keep = [&objects](std::string_view object) -> Result<void> {
    objects.emplace_back(object);
    return {};
  };
  for (std::size_t i = 0; i < text.size(); i += size) TRY(splitter.feed(text.substr(i, size), keep));
  TRY(splitter.finish());
  return objects;
}

}  // namespace

TEST_CASE("a stream is cut into its objects, whatever the pieces") {
  const std::string a = R"({"a":{"b":[{}]},"c":"}{\"\\"})";
  const std::string b = "{}";
  const std::string c = "{ \"x\" :\n \"\\\\\" }";
  for (const std::string& text : {a + b + c, a + "\n" + b + "\r\n" + c + "\n",
                                  "\x1e" + a + "\n\x1e" + b + "\n\x1e" + c + "\n", "  " + a + "\t" + b + c}) {
    for (std::size_t size = 1; size <= text.size(); ++size) {
      CAPTURE(text);
      CAPTURE(size);
      CHECK(good(split(text, size)) == std::vector<std::string>{a, b, c});
    }
  }
  CHECK(good(split("", 1)).empty());
  CHECK(good(split(" \n ", 1)).empty());
}

TEST_CASE("what is not a stream of objects is refused") {
  for (const char* text : {"x", "[]", "{}x", "{", "{\"a", "{\"a\\", "\"{}\"", "{}}", "null"}) {
    CAPTURE(text);
    CHECK_FALSE(split(text, 1).has_value());
    CHECK_FALSE(split(text, 100).has_value());
  }
}

TEST_CASE("an object over the limit is refused, one at the limit is not") {
  const std::string object = "{\"a\":\"" + std::string(100, 'x') + "\"}";
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    CHECK(good(split(object + object, size, object.size())).size() == 2);
    CHECK_FALSE(split(object, size, object.size() - 1).has_value());
  }
}

TEST_CASE("an error of the receiver ends the splitting") {
  JsonSplitter splitter;
  int calls = 0;
  const auto refuse = [&calls](std::string_view) -> Result<void> {
    ++calls;
    return Err{ErrorKind::cancelled, "enough"};
  };
  CHECK(splitter.feed("{}{}{}", refuse).error().kind == ErrorKind::cancelled);
  CHECK(calls == 1);
}

TEST_CASE("containers are read from what engines send, and from less") {
  const Container full = good(decode_container(R"({"Id":"i","Name":"/n","Image":"sha256:1","Created":"t0",
    "State":{"Status":"paused","Running":true,"Paused":true,"OOMKilled":true,"Pid":42,"ExitCode":137,"Error":"e","StartedAt":"t1"},
    "Config":{"Image":"x:1","Labels":{"a":"b","n":3},"StopTimeout":7},
    "HostConfig":{"NetworkMode":"none","AutoRemove":true},
    "NetworkSettings":{"SandboxKey":"/run/x"}})"));
  CHECK(full.name == "n");
  CHECK(full.paused);
  CHECK(full.oom_killed);
  CHECK(full.pid == 42);
  CHECK(full.exit_code == 137);
  CHECK(full.error == "e");
  CHECK(full.labels == std::map<std::string, std::string>{{"a", "b"}});
  CHECK(full.stop_timeout == std::chrono::seconds(7));
  CHECK(full.auto_remove);
  CHECK(full.sandbox_key == "/run/x");
  const Container bare = good(decode_container(R"({"Id":"i","State":null,"Config":[],"HostConfig":7})"));
  CHECK(bare.state.empty());
  CHECK_FALSE(bare.running);
  CHECK_FALSE(bare.stop_timeout.has_value());
  CHECK(good(decode_container(R"({"Id":"i","State":{"Status":"configured"}})")).state == "created");
  CHECK(good(decode_container(R"({"Id":"i","State":{"Status":"stopped"}})")).state == "exited");
  CHECK(good(decode_container(R"({"Id":"i","State":{"Pid":1e300,"ExitCode":99999999999}})")).pid == 0);
  for (const char* text : {"", "{", "{}", "[]", "null", R"({"Id":1})", R"({"Id":""})", "{\"Id\":\"\xff\"}"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_container(text).has_value());
  }
}

TEST_CASE("a list of containers is read whole or not at all") {
  const auto list = good(decode_container_list(
      R"([{"Id":"1","Names":["/other/alias","/own"],"State":"running","HostConfig":{"NetworkMode":"host"}},
    {"Id":"2","Names":[],"State":"exited"},{"Id":"3","State":"paused"}])"));
  REQUIRE(list.size() == 3);
  CHECK(list[0].name == "own");
  CHECK(list[0].running);
  CHECK(list[0].network_mode == "host");
  CHECK_FALSE(list[1].running);
  CHECK(list[2].paused);
  CHECK(list[2].running);
  CHECK(good(decode_container_list("[]")).empty());
  for (const char* text : {"", "{}", "[{}]", "[1]", "[{\"Id\":\"1\"},"}) {
    CAPTURE(text);
    CHECK_FALSE(decode_container_list(text).has_value());
  }
}

TEST_CASE("a container's body says what is set and nothing else") {
  CHECK(encode_container({.image = "x"}) == R"({"HostConfig":{},"Image":"x"})");
  ContainerConfig config{
      .name = "n", .image = "x", .cmd = {"a"}, .entrypoint = {"/e"}, .env = {{"A", "b=c"}}, .labels = {{"l", "v"}}};
  config.stop_timeout = std::chrono::seconds(3);
  config.network_mode = "none";
  config.auto_remove = true;
  config.init = false;
  config.devices = {{"/dev/x", "", "r"}};
  config.log_driver = "none";
  config.memory = 5;
  CHECK(
      encode_container(config) ==
      R"({"Cmd":["a"],"Entrypoint":["/e"],"Env":["A=b=c"],"HostConfig":{"AutoRemove":true,)"
      R"("Devices":[{"CgroupPermissions":"r","PathInContainer":"/dev/x","PathOnHost":"/dev/x"}],"Init":false,)"
      R"("LogConfig":{"Type":"none"},"Memory":5,"NetworkMode":"none"},"Image":"x","Labels":{"l":"v"},"StopTimeout":3})");
  CHECK(encode_container({.image = "\xff"}) == "{\"HostConfig\":{},\"Image\":\"\xef\xbf\xbd\"}");
}

TEST_CASE("a log is read out of its frames, and as far as it came") {
  const auto frame = [](char output, std::string_view text) {
    std::string out{
        output, 0, 0, 0, 0, 0, static_cast<char>(text.size() >> 8U), static_cast<char>(text.size() & 0xffU)};
    return out.append(text);
  };
  CHECK(unframed("").empty());
  CHECK(unframed(frame(1, "one\n") + frame(2, "") + frame(2, "two\n")) == "one\ntwo\n");
  const std::string big(300, 'x');
  CHECK(unframed(frame(1, big) + frame(1, "y")) == big + "y");
  CHECK(unframed(frame(1, "one\n") + frame(1, "cut short").substr(0, 11)) == "one\ncut");
  CHECK(unframed("short").empty());
  CHECK(unframed(frame(1, "one\n") + "no frame at all").starts_with("one\n"));

  // Each output by itself, whatever the pieces.
  const std::string stream =
      frame(1, "one\n") + frame(2, "two\n") + frame(1, "") + frame(1, big) + frame(3, "engine\n");
  for (std::size_t step = 1; step <= stream.size(); step += step < 20 ? 1 : 97) {
    LogFrames frames;
    std::string out;
    std::string err;
    const LogSink sink = [&](LogOutput output, std::string_view piece) -> Result<void> {
      (output == LogOutput::out ? out : err) += piece;
      return {};
    };
    for (std::size_t i = 0; i < stream.size(); i += step) CHECK(frames.feed(stream.substr(i, step), sink));
    CHECK(out == "one\n" + big);
    CHECK(err == "two\nengine\n");
  }
  const LogSink full = [](LogOutput /*output*/, std::string_view /*piece*/) {
    return Result<void>(Err{ErrorKind::cancelled, "full"});
  };
  CHECK(LogFrames().feed(frame(1, "one"), full).error().what == "full");
  const auto wrong = LogFrames().feed("2026-01-01T00:00:00", full);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().kind == ErrorKind::failed);
}

TEST_CASE("the other answers are read") {
  CHECK(good(decode_exit(R"({"StatusCode":3,"Error":null})")).status == 3);
  CHECK(good(decode_exit(R"({"StatusCode":0,"Error":{"Message":"m"}})")).error == "m");
  CHECK_FALSE(decode_exit("").has_value());
  CHECK(good(decode_image(R"({"Id":"sha256:1","RepoTags":null})")).tags.empty());
  CHECK_FALSE(decode_image(R"({"RepoTags":["x"]})").has_value());
  CHECK(good(decode_info(R"({"ID":"i","DockerRootDir":"/d","CgroupDriver":"systemd"})")).root_dir == "/d");
  CHECK_FALSE(decode_info("[]").has_value());
  CHECK(good(decode_version(R"({"Version":"v","MinAPIVersion":"1.24"})")).min_api_version == "1.24");
  CHECK_FALSE(decode_event("1").has_value());
  CHECK(good(decode_event(R"({"Type":"container","Action":"remove"})")).action == "destroy");
  CHECK(good(decode_event(R"({"Type":"network","Action":"remove"})")).action == "remove");
  CHECK(good(decode_stream_message(R"({"error":"e"})")).error == "e");
  CHECK(good(decode_stream_message(R"({"errorDetail":{"message":"d"},"error":"e"})")).error == "d");
  CHECK_FALSE(good(decode_stream_message(R"({"errorDetail":{}})")).error.empty());
  CHECK(good(decode_stream_message(R"({"stream":"s"})")).text == "s");
  CHECK(good(decode_stream_message(R"({"progressDetail":{"current":"x","total":-1}})")).progress.current == 0);
}

TEST_CASE("an engine's words are found in any body, on one line") {
  CHECK(error_message(R"({"message":"a\nb"})", 500) == "a b");
  CHECK(error_message(R"({"cause":"c","message":"m: c"})", 500) == "m: c");
  CHECK(error_message(R"({"cause":"c"})", 500) == "c");
  CHECK(error_message("", 404) == "not found (HTTP status 404 without a reason)");
  CHECK(error_message("{}", 418) == "refused (HTTP status 418 without a reason)");
  CHECK(error_message("[1]", 409) == "conflict (HTTP status 409 without a reason)");
  CHECK(error_message("<p>a<b>c</b>", 500) == "a c");
  CHECK(error_message("plain\x1b[1m", 500) == "plain [1m");
  CHECK(error_message(std::string(10'000, 'x'), 500).size() == 403);
}

TEST_CASE("versions are read and compared by their numbers") {
  CHECK(good(parse_api_version("1.9")) < good(parse_api_version("1.41")));
  for (const char* text : {"", "1", "1.", ".1", "1.x", "1.41 ", "-1.4", "1.-4", "1.4.1", "99999999999.1", "1.1000"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_api_version(text).has_value());
  }
  CHECK(wanted_version("client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade") ==
        ApiVersion{1, 44});
  CHECK(wanted_version("client version 1.99 is too new. Maximum supported API version is 1.41") == ApiVersion{1, 41});
  CHECK(wanted_version("client version 1.99 is too new. Maximum supported API version is 1.41.") == ApiVersion{1, 41});
  CHECK(wanted_version("client version 1.2 is too old. Minimum supported API version is ") == ApiVersion{});
  CHECK(wanted_version("Minimum supported API version is 1.44") == ApiVersion{});
}

TEST_CASE("the holder of a name is found in either engine's words") {
  const std::string id(64, 'a');
  CHECK(name_holder("Conflict. The container name \"/x\" is already in use by container \"" + id + "\". You have to") ==
        id);
  CHECK(name_holder("creating container storage: the container name \"x\" is already in use by " + id +
                    ". You have to") == id);
  CHECK(name_holder("the name \"" + id + "\" is in use by somebody").empty());
  CHECK(name_holder("").empty());
  CHECK(name_holder("in use by " + id + "a").empty());
}

TEST_CASE("paths and filters are encoded") {
  CHECK(percent_encode("a/b?c=d&e %\xff-._~") == "a%2Fb%3Fc%3Dd%26e%20%25%FF-._~");
  CHECK(std::move(Query("/x").add("a", "1").add("b", "&")).str() == "/x?a=1&b=%26");
  CHECK(encode_filters({{"label", {"a=b", "c"}}, {"type", {}}}) == R"({"label":["a=b","c"]})");
}
