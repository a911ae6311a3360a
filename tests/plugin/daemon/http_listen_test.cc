#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>
#include <vector>

#include "plugin/daemon/http_server.h"
#include "tests/plugin/daemon/http_client.h"

using namespace plumb;
using namespace plumb::driver;
using namespace plumb::test;

namespace {

unsigned mode_of(const std::string& path) {
  struct stat there {};
  return ::lstat(path.c_str(), &there) == 0 ? there.st_mode & 07777U : 0U;
}

ErrorKind refused(const std::string& path) {
  const auto listening = listen_on(path);
  REQUIRE_FALSE(listening);
  CHECK(listening.error().what.find(path) != std::string::npos);
  CHECK_FALSE(listening.error().next.empty());
  return listening.error().kind;
}

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

// What the kernel makes of bind(2) alone, before anything could be set right.
unsigned mode_at_bind(const std::string& path) {
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ::fchmod(fd.get(), 0600);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(static_cast<char*>(address.sun_path), path.c_str(), sizeof address.sun_path - 1);
  CHECK(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return mode_of(path);
}

}  // namespace

TEST_CASE("listen: the socket is its owner's alone from its first moment, and its folders everybody's to enter") {
  for (const mode_t mask : {0000U, 0022U, 0077U, 0177U}) {
    CAPTURE(mask);
    const SocketFolder folder;
    const Umask umask(mask);
    const std::string path = folder / "new/plugins/d.sock";
    const auto listening = listen_on(path);
    REQUIRE(listening);
    CHECK(mode_of(path) == 0600);
    CHECK(mode_of(folder / "new") == 0755);
    CHECK(mode_of(folder / "new/plugins") == 0755);
    CHECK(mode_at_bind(folder / "bare.sock") == 0600);
  }
}

TEST_CASE("listen: the rights of a folder that was there stay") {
  const SocketFolder folder;
  std::filesystem::create_directory(folder / "mine");
  ::chmod((folder / "mine").c_str(), 0710);
  CHECK(listen_on(folder / "mine/d.sock"));
  CHECK(mode_of(folder / "mine") == 0710);
}

TEST_CASE("listen: the socket of a dead server is replaced, of a living one not") {
  const SocketFolder folder;
  const std::string path = folder / "d.sock";
  REQUIRE(listen_on(path));  // and gone at once
  REQUIRE(mode_of(path) == 0600);
  const auto listening = listen_on(path);
  REQUIRE(listening);
  CHECK(refused(path) == ErrorKind::exists);
  CHECK(Client(path).fd() >= 0);
}

TEST_CASE("listen: a server with a full backlog, or of another type, is alive") {
  const SocketFolder folder;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    CAPTURE(type);
    const std::string path = folder / std::to_string(type);
    std::strncpy(static_cast<char*>(address.sun_path), path.c_str(), sizeof address.sun_path - 1);
    UniqueFd other(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(other.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    if (type != SOCK_DGRAM) REQUIRE(::listen(other.get(), 0) == 0);
    std::vector<UniqueFd> waiting;
    for (int i = 0; i < 3; ++i) {
      waiting.emplace_back(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      // The last of them is too many, and the first of another type: each may fail.
      static_cast<void>(::connect(waiting.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
    }
    CHECK(refused(path) == ErrorKind::exists);
    waiting.clear();
    other.reset();
    CHECK(listen_on(path));
  }
}

TEST_CASE("listen: what is no socket is left alone") {
  const SocketFolder folder;
  std::ofstream(folder / "file") << "precious";
  std::filesystem::create_directory(folder / "folder");
  REQUIRE(listen_on(folder / "d.sock"));
  std::filesystem::create_symlink(folder / "d.sock", folder / "link");
  std::filesystem::create_symlink(folder / "nowhere", folder / "dangling");
  for (const char* name : {"file", "folder", "link", "dangling"}) CHECK(refused(folder / name) == ErrorKind::exists);
  std::string text;
  std::ifstream(folder / "file") >> text;
  CHECK(text == "precious");
  CHECK_FALSE(listen_on(folder / "file/d.sock"));
}

TEST_CASE("listen: a path that no socket can have is an error of usage") {
  const SocketFolder folder;
  CHECK(refused("") == ErrorKind::usage);
  CHECK(refused(folder / std::string(108, 'x')) == ErrorKind::usage);
}

TEST_CASE("listen: of many that start at once on the socket of a dead server exactly one has it") {
  const SocketFolder folder;
  const std::string path = folder / "d.sock";
  REQUIRE(listen_on(path));
  constexpr int kMany = 16;
  std::latch together(kMany);
  std::vector<UniqueFd> all(kMany);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : all)
      threads.emplace_back([&] {
        together.arrive_and_wait();
        auto listening = listen_on(path);
        if (listening) mine = std::move(*listening);
      });
  }
  CHECK(std::count_if(all.begin(), all.end(), [](const UniqueFd& fd) { return fd.get() >= 0; }) == 1);
  CHECK(Client(path).fd() >= 0);
}
