#include "plugin/node/node_scan.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "netns/link/upper_link.h"
#include "netns/namespace/enter.h"
#include "tests/netns/lan.h"

namespace plumb {
namespace {

using netns::test::macvlan_on;
using netns::test::make_node;
using netns::test::must;

std::vector<UpperElsewhere> seen_from(const netns::Namespace& ns) {
  return must(netns::run_in(ns, [] { return Result<std::vector<UpperElsewhere>>(uppers_elsewhere()); }));
}

// A process that lives in the namespace.
class Inhabitant {
 public:
  explicit Inhabitant(const netns::Namespace& ns) {
    int moved[2] = {};
    REQUIRE(::pipe2(moved, O_CLOEXEC) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      const bool in = ::setns(ns.fd(), CLONE_NEWNET) == 0 && ::write(moved[1], "", 1) == 1;
      if (in) ::pause();
      ::_exit(1);
    }
    ::close(moved[1]);
    char byte = 0;
    REQUIRE(::read(moved[0], &byte, 1) == 1);
    ::close(moved[0]);
  }
  Inhabitant(const Inhabitant&) = delete;
  Inhabitant& operator=(const Inhabitant&) = delete;
  ~Inhabitant() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

TEST_CASE("what others have upon a device of the node is found, and nothing that is upon an alike one elsewhere") {
  netns::test::Lan lan;
  auto host = lan.plug();
  auto twin = lan.plug();
  REQUIRE(host.eth0.index == twin.eth0.index);
  auto target = make_node();
  must(netns::create_macvlan(host.socket, target.socket, macvlan_on(host.eth0.index)));
  const Inhabitant inhabitant(target.ns);
  const auto seen = seen_from(host.ns);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].link.kind == "macvlan");
  CHECK(seen[0].link.parent_index == host.eth0.index);
  CHECK(seen[0].ns == target.ns.id());
  CHECK(seen[0].pid == inhabitant.pid());
  CHECK(whose(seen[0]).rfind("process " + std::to_string(inhabitant.pid()) + " (", 0) == 0);
  CHECK(seen_from(twin.ns).empty());
}

}  // namespace
}  // namespace plumb
