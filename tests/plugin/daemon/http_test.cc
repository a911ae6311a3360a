#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <latch>
#include <stdexcept>
#include <vector>

#include "plugin/daemon/http_server.h"
#include "tests/plugin/daemon/http_client.h"

using namespace plumb;
using namespace plumb::test;

namespace {

std::string chunked(const std::string& path, const std::vector<std::string>& chunks) {
  std::string text = "POST " + path + " HTTP/1.1\r\nHost: plugin\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string& chunk : chunks) {
    std::array<char, 20> size{};
    std::snprintf(size.data(), size.size(), "%zx", chunk.size());
    text += std::string(size.data()) + "\r\n" + chunk + "\r\n";
  }
  return text + "0\r\n\r\n";
}

const std::string kTooLarge =
    R"({"Err":"the request's body is longer than 1 MiB","Error":"the request's body is longer than 1 MiB"})";

}  // namespace

TEST_CASE("http: several requests on one connection, each answered as the engine expects") {
  const Server server;
  Client client(server.path());
  for (int i = 0; i < 5; ++i) {
    const Answer answer = client.ask(post("/NetworkDriver.Join", std::to_string(i)));
    CHECK(answer.status == 200);
    CHECK(answer.body == "POST /NetworkDriver.Join 1 " + std::to_string(i));
    CHECK(answer.head.find("Content-Type: application/vnd.docker.plugins.v1.2+json\r\n") != std::string::npos);
    CHECK(answer.head.find("Connection: close") == std::string::npos);
  }
}

TEST_CASE("http: bodies may be missing, empty, chunked, of any type and in pieces, and hosts may be empty") {
  const Server server;
  Client client(server.path());
  for (const std::string head :
       {"Host:\r\n", "Host: \r\n", "Host: plugin.moby.localhost\r\n", "Host: a\r\nContent-Type: nonsense\r\n",
        "Host: a\r\nContent-Type: application/x-www-form-urlencoded\r\n", "Host: a\r\nContent-Length: 0\r\n",
        "Host: a\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\n"}) {
    INFO(head);
    const Answer answer = client.ask("POST /Plugin.Activate HTTP/1.1\r\n" + head + "\r\n");
    CHECK(answer.status == 200);
    CHECK(answer.body == "POST /Plugin.Activate 0 ");
  }
  // RFC 9112 3.2 forbids a request without any host. libmicrohttpd 0.9 takes it, 1.0 refuses it.
  const auto without = Client(server.path()).ask("POST /Plugin.Activate HTTP/1.1\r\n\r\n").status;
  CHECK((without == 200 || without == 400));
  CHECK(client.ask(chunked("/a", {"one", " ", "two"})).body == "POST /a 7 one two");
  CHECK(client.ask(chunked("/a", {})).body == "POST /a 0 ");
  CHECK(client
            .ask("POST /f HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                 "Content-Length: 5\r\n\r\na=b&c")
            .body == "POST /f 5 a=b&c");
  std::string binary = "x";
  binary += '\0';
  binary += "\xff\r\n\r\n";
  CHECK(client.ask(post("/b", binary)).body == "POST /b 7 " + binary);
  const std::string long_body(1 << 20, 'x');
  CHECK(client.ask(post("/long", long_body)).body == "POST /long 1048576 " + long_body);
}

TEST_CASE("http: a request may come byte by byte") {
  const Server server;
  Client client(server.path());
  for (const std::string& request : {post("/slow", "body"), chunked("/slow", {"bo", "dy"})}) {
    for (const char byte : request) REQUIRE(client.send(std::string(1, byte)));
    CHECK(client.read().body == "POST /slow 4 body");
  }
}

TEST_CASE("http: methods reach the handler as they are, and an answer to HEAD has no body") {
  const Server server;
  Client client(server.path());
  CHECK(client.ask("GET /metrics?a=b HTTP/1.1\r\nHost: a\r\n\r\n").body == "GET /metrics 0 ");
  client.send("HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  const Answer head = client.read(false);
  CHECK(head.status == 200);
  CHECK(head.head.find("Content-Length: 16\r\n") != std::string::npos);
  CHECK(client.ask("DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n").body == "DELETE /x 0 ");
  CHECK(client.ask("GET /old HTTP/1.0\r\n\r\n").body == "GET /old 0 ");
  CHECK(client.ended());
}

TEST_CASE("http: status and type are the handler's, and what it throws is a 500") {
  const Server server([](const HttpRequest& request) -> HttpReply {
    if (request.path == "/throw") throw std::runtime_error("no");
    return {.status = 404, .body = "", .content_type = "text/plain"};
  });
  Client client(server.path());
  const Answer missing = client.ask(post("/none", ""));
  CHECK(missing.status == 404);
  CHECK(missing.body.empty());
  CHECK(missing.head.find("Content-Type: text/plain\r\n") != std::string::npos);
  const Answer thrown = client.ask(post("/throw", ""));
  CHECK(thrown.status == 500);
  CHECK(thrown.body.starts_with(R"({"Err":")"));
  CHECK(client.ask(post("/none", "")).status == 404);
}

TEST_CASE("http: pipelined requests are answered in their order") {
  const Server server;
  Client client(server.path());
  std::string all;
  for (int i = 0; i < 50; ++i) all += i % 2 == 0 ? post("/p", std::to_string(i)) : chunked("/p", {std::to_string(i)});
  REQUIRE(client.send(all));
  for (int i = 0; i < 50; ++i) CHECK(client.read().body.ends_with(" " + std::to_string(i)));
}

TEST_CASE("http: a body of more than 1 MiB is refused in the engine's words") {
  const Server server([](const HttpRequest&) -> HttpReply { return {.body = "handled"}; });
  const std::string body((1 << 20) + 1, 'x');
  Client client(server.path());
  for (const std::string& request : {post("/x", body), chunked("/x", {body}), chunked("/x", {body, body, body})}) {
    const Answer answer = client.ask(request);
    CHECK(answer.status == 413);
    CHECK(answer.body == kTooLarge);
  }
  CHECK(client.ask(post("/x", "")).body == "handled");
}

TEST_CASE("http: a body without end is cut off, and said") {
  const CapturedStderr said;
  const Server server;
  Client announced(server.path());
  const Answer answer = announced.ask("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n");
  CHECK(answer.status == 413);
  CHECK(answer.body == kTooLarge);
  CHECK(announced.ended());
  Client chunks(server.path());
  chunks.send("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "100000\r\n" + std::string(1 << 20, 'x') + "\r\n";
  int taken = 0;
  while (taken < 40 && chunks.send(chunk)) ++taken;
  CHECK(taken < 40);
  CHECK(chunks.ended());
  CHECK(said.text() == "plumb driver: http: cut off a request whose body is longer than 16 MiB\n");
  CHECK(Client(server.path()).ask(post("/y", "")).status == 200);
}

TEST_CASE("http: a client that waits to be asked for its body is asked, or refused before it sends") {
  const Server server;
  Client client(server.path());
  const Answer asked = client.ask("POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  CHECK(asked.status == 100);
  CHECK(client.ask("body").body == "POST /x 4 body");
  const Answer refused =
      client.ask("POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n");
  CHECK(refused.status == 413);
  CHECK(refused.body == kTooLarge);
}

TEST_CASE("http: a client that closes early harms nobody, and nothing is said about it") {
  const CapturedStderr said;
  std::latch called(1);
  std::latch closed(1);
  std::atomic<bool> wait = true;
  Server server([&](const HttpRequest& request) -> HttpReply {
    if (request.path == "/wait" && wait.exchange(false)) {
      called.count_down();
      closed.wait();
    }
    return {.body = std::string(4 << 20, 'x')};
  });
  for (const std::string& request :
       {std::string("POST /x HT"), post("/x", "body").substr(0, 50), chunked("/x", {"body"}).substr(0, 70)}) {
    Client(server.path()).send(request);
  }
  Client early(server.path());
  early.send(post("/wait", ""));
  called.wait();
  early.close();
  closed.count_down();
  Client(server.path()).send(post("/x", ""));  // closes while 4 MiB are on their way
  CHECK(Client(server.path()).ask(post("/x", "")).body.size() == 4 << 20);
  server.stop();
  CHECK(said.text().empty());
}

TEST_CASE("http: garbage is refused, and said in one line of printable characters") {
  const CapturedStderr said;
  Server server;
  Client garbage(server.path());
  garbage.send("\x16\x03\x01\x02 \x01\x1b[2J\r\n\r\nGET\r\n\r\n");
  const Answer answer = garbage.read();
  CHECK((answer.status == 0 || answer.status == 400));
  Client length(server.path());
  CHECK(length.ask("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n").status == 400);
  CHECK(Client(server.path()).ask(post("/x", "")).status == 200);
  server.stop();
  const std::string text = said.text();
  INFO(text);
  for (std::size_t line = 0; line < text.size(); line = text.find('\n', line) + 1)
    CHECK(text.compare(line, 20, "plumb driver: http: ") == 0);
  CHECK(text.find("400") != std::string::npos);
  CHECK(text.find_first_of("\x1b\r") == std::string::npos);
}
