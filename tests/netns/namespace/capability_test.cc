#include "netns/namespace/capability.h"

#include <doctest/doctest.h>
#include <sys/capability.h>

#include <thread>

#include "netns/lan/probe.h"
#include "netns/link/upper_link.h"
#include "netns/namespace/enter.h"
#include "tests/netns/lan.h"

namespace plumb::netns {
namespace {

using test::must;

TEST_CASE("root lacks no capability") { CHECK(must(missing_capabilities()).empty()); }

TEST_CASE("a thread without capabilities is told each by name, and each refusal says what is needed") {
  test::Lan lan;
  auto host = lan.plug();
  auto target = test::make_node();
  std::thread([&] {
    cap_t none = ::cap_init();
    CHECK(::cap_set_proc(none) == 0);  // of this thread only
    ::cap_free(none);
    CHECK(must(missing_capabilities()) == std::vector<std::string>{"CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_ADMIN"});
    const auto entered = run_in(target.ns, []() -> Result<int> { return 1; });
    CHECK(entered.error().kind == ErrorKind::permission);
    CHECK(entered.error().next.find("CAP_SYS_ADMIN") != std::string::npos);
    const auto spec = test::macvlan_on(host.eth0.index);
    const auto made = create_macvlan(host.socket, target.socket, spec);
    CHECK(made.error().kind == ErrorKind::permission);
    CHECK(made.error().next.find("CAP_NET_ADMIN") != std::string::npos);
    const auto mine = must(Namespace::current());
    const auto probed = probe(mine, 1, test::ip("10.0.3.3"), kFastProbe);
    CHECK(probed.error().kind == ErrorKind::permission);
    CHECK(probed.error().next.find("CAP_NET_RAW") != std::string::npos);
    CHECK(Namespace::create().error().kind == ErrorKind::permission);
  }).join();
  CHECK(must(missing_capabilities()).empty());
}

}  // namespace
}  // namespace plumb::netns
