// The unit of an engine: what there is to do when systemd is not there, is another one, or does not answer.
#include "plugin/engine/engine_scope.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugin/node/unix_address.h"
#include "specs/value/unique_fd.h"
#include "tests/docker_client/scratch.h"

using namespace plumb;

namespace {

// Somebody who listens and never says a word.
UniqueFd silent(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = UnixAddress::of_path(path);
  REQUIRE(address);
  REQUIRE(::bind(fd.get(), address->get(), address->size()) == 0);
  REQUIRE(::listen(fd.get(), 1) == 0);
  return fd;
}

}  // namespace

TEST_CASE("the scope of an engine is named by its service") {
  CHECK(scope_of("web-1.a_b") == "plumb-engine-web-1.a_b.scope");
}

TEST_CASE("a systemd that does not answer is given up after the limit, one that is not there at once") {
  const test::Scratch folder;
  const std::string path = folder.path() + "/private";
  ManagerSocket manager{path, ::getpid(), std::chrono::milliseconds(200)};
  const auto nobody = enter_scope("web", ::getpid(), manager);
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().kind == ErrorKind::not_found);
  CHECK(nobody.error().what.find("put the engine of web into plumb-engine-web.scope: ") == 0);

  const UniqueFd listening = silent(path);
  const auto begin = std::chrono::steady_clock::now();
  const auto late = enter_scope("web", ::getpid(), manager);
  REQUIRE_FALSE(late);
  CHECK_MESSAGE(late.error().kind == ErrorKind::timeout, late.error().what);
  CHECK(std::chrono::steady_clock::now() - begin >= manager.limit);

  // Of another namespace, or another program: its numbers of processes are not ours.
  manager.listener = 1;
  const auto foreign = enter_scope("web", ::getpid(), manager);
  REQUIRE_FALSE(foreign);
  CHECK_MESSAGE(foreign.error().kind == ErrorKind::unsupported, foreign.error().what);
}
