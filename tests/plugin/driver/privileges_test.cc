// What the driver gives up, and that it still does its work: each in a child, which is changed for good. Needs root.
#include "plugin/driver/privileges.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "netns/address/sysctl.h"
#include "netns/link/link.h"
#include "netns/socket/packet_socket.h"
#include "plugin/node/program.h"
#include "tests/plugin/daemon/child.h"

using namespace plumb;
using driver::drop_privileges;
using driver::uncover_sysctls;
using test::in_child;

namespace {

constexpr const char* kThree = "0000000000203000";  // CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN
constexpr const char* kNone = "0000000000000000";

// The value of a line of /proc/self/status, as "CapEff".
std::string value_in(const std::string& status, const std::string& name) {
  std::istringstream lines(status);
  std::string word;
  while (lines >> word)
    if (word == name + ":" && lines >> word) return word;
  return "";
}

std::string status_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <typename T>
std::string said(const Result<T>& result) {
  return result ? "done" : result.error().what;
}

// The folder is removed with the object.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "plumb-privileges-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

// The links and the sysctl of a container, a packet socket and a record: what the driver does.
std::string work(const std::string& folder) {
  const IfName outer = IfName::parse("outer").value();
  const IfName inner = IfName::parse("inner").value();
  const auto attempt = [&]() -> Result<void> {
    const auto node = TRY(netns::Namespace::create());
    const auto container = TRY(netns::Namespace::create());
    auto here = TRY(netns::RouteSocket::open(node));
    auto there = TRY(netns::RouteSocket::open(container));
    const auto pair = TRY(netns::create_veth(here, there, {outer, 0, inner, {}, {}, true}));
    const std::array values{netns::SysctlValue{netns::Sysctl::arp_notify, 1}};
    TRY(netns::write_sysctls(container, inner, values));
    if (TRY(netns::read_sysctl(container, inner, netns::Sysctl::arp_notify)) != 1)
      return Err{ErrorKind::failed, "the sysctl was not set"};
    TRY(netns::PacketSocket::open(container, pair.target.index, 0));
    return {};
  };
  if (auto done = attempt(); !done) return done.error().what;
  std::ofstream record(folder + "/record");
  record << "text" << std::flush;
  return record ? "done" : "cannot write the record";
}

bool sysctls_are_covered() {
  struct statvfs now {};
  return ::statvfs("/proc/sys/net", &now) == 0 && (now.f_flag & ST_RDONLY) != 0;
}

// What runc does in a container: /proc/sys upon itself, read-only. In a mount namespace whose mounts are shared, as the
// node's are.
std::string cover() {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", "", MS_REC | MS_SLAVE, nullptr) != 0 ||
      ::mount("", "/", "", MS_REC | MS_SHARED, nullptr) != 0)
    return "no mount namespace";
  if (::mount("/proc/sys", "/proc/sys", "", MS_BIND | MS_REC, nullptr) != 0 ||
      ::mount("", "/proc/sys", "", MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0)
    return "no read-only /proc/sys";
  return "";
}

std::string mount_namespace() { return std::filesystem::read_symlink("/proc/self/ns/mnt"); }

}  // namespace

TEST_CASE("what is not needed is given up, in every set, and by the programs that are run later") {
  const std::string before = status_of("/proc/self/status");
  REQUIRE_MESSAGE(value_in(before, "CapEff") != kThree, "needs a process with more than the driver needs");
  REQUIRE(value_in(before, "NoNewPrivs") == "0");
  const auto check_all = [](const std::string& after) {
    for (const char* name : {"CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb"}) {
      CAPTURE(name);
      const bool empty = name == std::string("CapInh") || name == std::string("CapAmb");
      CHECK(value_in(after, name) == (empty ? kNone : kThree));
    }
    CHECK(value_in(after, "NoNewPrivs") == "1");
  };
  check_all(in_child([] {
    const auto dropped = drop_privileges();
    return dropped ? status_of("/proc/self/status") : dropped.error().what;
  }));
  check_all(in_child([] {
    const auto dropped = drop_privileges();
    const auto ran = run_program({"/bin/cat", "/proc/self/status"});
    return dropped && ran ? ran->output : "failed";
  }));
  check_all(in_child([] {
    const auto dropped = drop_privileges();
    std::string out;
    std::thread([&] { out = status_of("/proc/thread-self/status"); }).join();
    return dropped ? out : "failed";
  }));
}

TEST_CASE("what it gave up it cannot do, and could before") {
  const Folder folder;
  const auto forbidden = [&] {
    const auto path = folder.path / "file";
    std::ofstream(path) << "text";
    const int chown = ::chown(path.c_str(), 1, 1);
    const int err = errno;
    const int node = ::mknod((folder.path / "node").c_str(), S_IFCHR | 0600, 0);
    std::filesystem::remove(folder.path / "node");
    std::filesystem::remove(path);
    return chown == 0 && node == 0 ? std::string("both done") : "refused: " + std::to_string(err);
  };
  CHECK(in_child(forbidden) == "both done");
  CHECK(in_child([&] { return drop_privileges() ? forbidden() : "failed"; }) == "refused: " + std::to_string(EPERM));
}

TEST_CASE("what the driver does it can do with what is left") {
  const Folder folder;
  CHECK(in_child([&] { return work(folder.path); }) == "done");
  CHECK(in_child([&] { return drop_privileges() ? work(folder.path) : "failed"; }) == "done");
  CHECK(in_child([&] { return drop_privileges() && drop_privileges() ? work(folder.path) : "failed"; }) == "done");
}

TEST_CASE("who has less to begin with, and cannot change the bounding set, gets no more") {
  const std::string bounding = value_in(status_of("/proc/self/status"), "CapBnd");
  const auto reduce = [] {  // CAP_NET_ADMIN and CAP_CHOWN only
    const std::array<cap_value_t, 2> values{CAP_NET_ADMIN, CAP_CHOWN};
    cap_t caps = cap_init();
    const bool done = cap_set_flag(caps, CAP_PERMITTED, 2, values.data(), CAP_SET) == 0 &&
                      cap_set_flag(caps, CAP_EFFECTIVE, 2, values.data(), CAP_SET) == 0 && cap_set_proc(caps) == 0;
    cap_free(caps);
    return done;
  };
  const auto program = [] {
    const auto ran = run_program({"/bin/cat", "/proc/self/status"});
    return ran ? ran->output : ran.error().what;
  };
  // The twin: a program of root's gets back what the bounding set allows.
  const auto twin = in_child([&] { return reduce() ? program() : "failed"; });
  CHECK(value_in(twin, "CapEff") == bounding);
  const auto after = in_child([&] { return reduce() && drop_privileges() ? program() : "failed"; });
  CHECK(value_in(after, "CapBnd") == bounding);
  CHECK(value_in(after, "CapEff") == "0000000000001000");
  CHECK(value_in(after, "CapPrm") == "0000000000001000");
}

TEST_CASE("sysctls that a managed plugin's mount covers are uncovered for the driver alone") {
  const Folder folder;
  CHECK(in_child([&] {
          const auto covered = cover();
          return covered.empty() ? work(folder.path) : covered;
        }).find("Read-only file system") != std::string::npos);
  CHECK(in_child([&] {
          const auto covered = cover();
          const auto mine = covered.empty() ? in_child([&] {
            const auto uncovered = uncover_sysctls();
            const auto dropped = drop_privileges();
            return uncovered && dropped ? work(folder.path) : said(uncovered) + said(dropped);
          })
                                            : covered;
          return mine + (sysctls_are_covered() ? ", others still covered" : ", gone for all");
        }) == "done, others still covered");
  CHECK_FALSE(sysctls_are_covered());
}

TEST_CASE("mounts that come after the uncovering are seen: Docker mounts each container's namespace") {
  const Folder folder;
  const std::string mark = folder.path / "mark";
  const auto result = in_child([&] {
    if (auto covered = cover(); !covered.empty()) return covered;
    std::array<int, 2> ready{};
    std::array<int, 2> go{};
    if (::pipe2(ready.data(), O_CLOEXEC) != 0 || ::pipe2(go.data(), O_CLOEXEC) != 0) return std::string("no pipes");
    std::string seen;
    std::thread driver([&] {  // in_child waits for its child, so it takes a thread of its own
      seen = in_child([&] {
        const auto uncovered = uncover_sysctls();
        char byte = 'r';
        if (::write(ready[1], &byte, 1) != 1 || ::read(go[0], &byte, 1) != 1) return std::string("no signal");
        return said(uncovered) + (std::filesystem::exists(mark) ? ", seen" : ", not seen");
      });
    });
    char byte = 0;
    const bool mounted = ::read(ready[0], &byte, 1) == 1 && ::mount("none", folder.path.c_str(), "tmpfs", 0, "") == 0;
    std::ofstream(mark) << "text";
    const bool told = ::write(go[1], &byte, 1) == 1;
    driver.join();
    return mounted && told ? seen : "not mounted";
  });
  CHECK(result == "done, seen");
}

TEST_CASE("where nothing covers them, nothing is done") {
  CHECK(in_child([] {
          const auto before = mount_namespace();
          const auto result = uncover_sysctls();
          return said(result) + (before == mount_namespace() ? ", the same" : ", another");
        }) == "done, the same");
}
