#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "plugin/daemon/http_server.h"
#include "tests/plugin/daemon/http_client.h"

using namespace plumb;
using namespace plumb::driver;
using namespace plumb::test;

namespace {

std::vector<int> open_descriptors() {
  std::vector<int> out;
  for (int fd = 0; fd < 1024; ++fd)
    if (::fcntl(fd, F_GETFD) >= 0) out.push_back(fd);
  return out;
}

}  // namespace

TEST_CASE("http: 64 requests run at once") {
  std::latch together(64);
  const Server server([&](const Request& request) -> Reply {
    together.arrive_and_wait();
    return echo(request);
  });
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 64; ++i)
    threads.emplace_back([&, i] {
      if (Client(server.path()).ask(post("/p", std::to_string(i))).body.ends_with(" " + std::to_string(i))) ++good;
    });
  threads.clear();
  CHECK(good == 64);
}

TEST_CASE("http: the end waits for the calls that run and for their answers, and lets nobody in") {
  std::latch called(1);
  std::latch go_on(1);
  std::atomic<bool> finished = false;
  Server server([&](const Request& request) -> Reply {
    called.count_down();
    go_on.wait();
    finished = true;
    return echo(request);
  });
  Client idle(server.path());
  Client busy(server.path());
  busy.send(post("/busy", ""));
  called.wait();
  std::atomic<bool> stopped = false;
  std::jthread stopping([&] {
    server.stop();
    CHECK(finished);
    stopped = true;
  });
  CHECK_FALSE(stopped);
  go_on.count_down();
  const Answer answer = busy.read();
  CHECK(answer.body == "POST /busy 0 ");
  stopping.join();
  CHECK(busy.ended());
  CHECK(idle.ended());
  CHECK(Client(server.path()).fd() < 0);
}

TEST_CASE("http: a client that takes no answer does not hold up the end") {
  std::latch called(1);
  Server server([&](const Request&) -> Reply {
    called.count_down();
    return {.body = std::string(4 << 20, 'x')};
  });
  Client client(server.path());
  client.send(post("/x", ""));
  called.wait();
  server.stop();
  CHECK(client.read().status == 0);  // cut short
}

TEST_CASE(
    "http: a socket that somebody else holds as well outlives the server, and what waits there is answered next") {
  const SocketFolder folder;
  const std::string path = folder / "d.sock";
  auto listening = listen_on(path);
  REQUIRE(listening);
  UniqueFd kept(::fcntl(listening->get(), F_DUPFD_CLOEXEC, 3));
  {
    auto first = HttpServer::start(std::move(*listening), echo);
    REQUIRE(first);
    CHECK(Client(path).ask(post("/x", "")).status == 200);
  }
  Client between(path);
  REQUIRE(between.send(post("/between", "")));
  auto second = HttpServer::start(std::move(kept), echo);
  REQUIRE(second);
  CHECK(between.read().body == "POST /between 0 ");
}

TEST_CASE("http: 512 connections, and room for another when one is closed") {
  const CapturedStderr said;
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit more{std::min<rlim_t>(before.rlim_max, 4096), before.rlim_max};
  if (more.rlim_cur < 2048 || ::setrlimit(RLIMIT_NOFILE, &more) != 0) return;
  {
    const Server server;
    std::vector<Client> clients;
    for (int i = 0; i < 512; ++i) clients.emplace_back(server.path());
    for (Client& client : clients) REQUIRE(client.ask(post("/x", "")).status == 200);
    CHECK(Client(server.path()).ask(post("/x", "")).status == 0);
    CHECK(clients.front().ask(post("/x", "")).status == 200);
    clients.pop_back();
    // The server learns of it in its own time.
    while (Client(server.path()).ask(post("/x", "")).status == 0) std::this_thread::yield();
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(said.text().find("connection limit") != std::string::npos);
}

TEST_CASE("http: SIGPIPE and the program's signals never reach the server's threads") {
  std::atomic<bool> blocked = false;
  const Server server([&](const Request&) -> Reply {
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    blocked = sigismember(&mask, SIGPIPE) == 1 && sigismember(&mask, SIGTERM) == 1;
    return {};
  });
  CHECK(Client(server.path()).ask(post("/x", "")).status == 200);
  CHECK(blocked);
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  CHECK(sigismember(&mask, SIGTERM) == 0);
}

TEST_CASE("http: no descriptor is left behind, and none goes to a program that is run") {
  const auto before = open_descriptors();
  {
    const Server server([](const Request&) -> Reply {
      std::string wrong;
      for (const int fd : open_descriptors())
        if (fd > STDERR_FILENO && (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) wrong += std::to_string(fd) + " ";
      return {.body = wrong};
    });
    std::string inherited;
    for (const int fd : before)
      if (fd > STDERR_FILENO && (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) inherited += std::to_string(fd) + " ";
    CHECK(Client(server.path()).ask(post("/x", "")).body == inherited);
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("http: without a socket there is no server") {
  const auto server = HttpServer::start(UniqueFd(), echo);
  REQUIRE_FALSE(server);
  CHECK(server.error().kind == ErrorKind::failed);
}
