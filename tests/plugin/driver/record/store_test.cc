#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "plugin/driver/record/store.h"
#include "tests/docker_client/scratch.h"

using namespace plumb;
using namespace plumb::driver;
namespace fs = std::filesystem;

namespace {

using Texts = std::map<std::string, std::string>;

std::string text_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the folder is made with those that lead to it, and is its owner's alone") {
  const test::Scratch scratch;
  const std::string folder = scratch.path() + "/a/b/driver";
  REQUIRE(Store::open(folder));
  struct stat info {};
  REQUIRE(::stat(folder.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0700U);
}

TEST_CASE("records are read back by kind and id, also by the next driver") {
  const test::Scratch scratch;
  {
    const auto store = Store::open(scratch.path());
    REQUIRE(store);
    CHECK(store->load(RecordKind::pool).value().empty());
    REQUIRE(store->put(RecordKind::network, "n1", "old"));
    REQUIRE(store->put(RecordKind::network, "n1", "new"));
    REQUIRE(store->put(RecordKind::endpoint, "n1", "an endpoint"));
    REQUIRE(store->put(RecordKind::pool, "p.1_2-3", ""));
  }
  const auto store = Store::open(scratch.path());
  REQUIRE(store);
  CHECK(store->load(RecordKind::network).value() == Texts{{"n1", "new"}});
  CHECK(store->load(RecordKind::endpoint).value() == Texts{{"n1", "an endpoint"}});
  CHECK(store->load(RecordKind::pool).value() == Texts{{"p.1_2-3", ""}});
  CHECK(text_in(scratch.path() + "/networks/n1.json") == "new");
  struct stat info {};
  REQUIRE(::stat((scratch.path() + "/networks/n1.json").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
}

TEST_CASE("a removed record is gone, and removing it again is no error") {
  const test::Scratch scratch;
  const auto store = Store::open(scratch.path());
  REQUIRE(store);
  REQUIRE(store->put(RecordKind::network, "n1", "text"));
  CHECK(store->remove(RecordKind::network, "n1").has_value());
  CHECK(store->remove(RecordKind::network, "n1").has_value());
  CHECK(store->load(RecordKind::network).value().empty());
}

TEST_CASE("two drivers do not share a folder") {
  const test::Scratch scratch;
  const auto store = Store::open(scratch.path());
  REQUIRE(store);
  const auto second = Store::open(scratch.path());
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == ErrorKind::exists);
}

TEST_CASE("an id that could be a path is refused") {
  const test::Scratch scratch;
  const auto store = Store::open(scratch.path());
  REQUIRE(store);
  for (const std::string& id : {std::string(), std::string("../x"), std::string(".x"), std::string("a/b"),
                                std::string("a\0b", 3), std::string(129, 'a')}) {
    CHECK_FALSE(is_record_id(id));
    CHECK_FALSE(store->put(RecordKind::pool, id, "text"));
    CHECK_FALSE(store->remove(RecordKind::pool, id));
    CHECK_FALSE(store->set_aside(RecordKind::pool, id));
    CHECK_FALSE(store->put_lease(id, "10.0.3.3", "text"));
  }
  CHECK(is_record_id(std::string(128, 'a')));
  CHECK(store->put(RecordKind::pool, std::string(128, 'a'), "text").has_value());
  for (const char* address : {"", "..", "10.0.3.3/24", "fe80::1%eth0"})
    CHECK_FALSE(store->put_lease("p1", address, "text"));
}

TEST_CASE("what a killed driver left half written is removed, and nothing else") {
  const test::Scratch scratch;
  { REQUIRE(Store::open(scratch.path()).value().put(RecordKind::pool, "p1", "text")); }
  scratch.write("pools/.p1.json.0.tmp", "te");
  scratch.write("pools/notes.txt", "of an administrator");
  scratch.write("leases/p1/.10.0.3.3.0.tmp", "b");
  const auto store = Store::open(scratch.path());
  REQUIRE(store);
  CHECK_FALSE(fs::exists(scratch.path() + "/pools/.p1.json.0.tmp"));
  CHECK_FALSE(fs::exists(scratch.path() + "/leases/p1/.10.0.3.3.0.tmp"));
  CHECK(fs::exists(scratch.path() + "/pools/notes.txt"));
  CHECK(store->load(RecordKind::pool).value() == Texts{{"p1", "text"}});
}

TEST_CASE("records set aside keep their texts, also when it happens again") {
  const test::Scratch scratch;
  const auto store = Store::open(scratch.path());
  REQUIRE(store);
  REQUIRE(store->put(RecordKind::pool, "p1", "first"));
  const auto first = store->set_aside(RecordKind::pool, "p1");
  REQUIRE(first);
  CHECK(*first == scratch.path() + "/pools/p1.json.broken-1");
  REQUIRE(store->put(RecordKind::pool, "p1", "second"));
  const auto second = store->set_aside(RecordKind::pool, "p1");
  REQUIRE(second);
  CHECK(*second == scratch.path() + "/pools/p1.json.broken-2");
  CHECK(text_in(*first) == "first");
  CHECK(text_in(*second) == "second");
  CHECK(store->load(RecordKind::pool).value().empty());
  const auto missing = store->set_aside(RecordKind::pool, "p1");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::not_found);
}

TEST_CASE("a record that is no readable file has an empty text, and no link is followed") {
  const test::Scratch scratch;
  const auto store = Store::open(scratch.path());
  REQUIRE(store);
  REQUIRE(store->put(RecordKind::pool, "good", "text"));
  const auto elsewhere = scratch.write("elsewhere", "secret");
  fs::create_symlink(elsewhere, scratch.path() + "/pools/link.json");
  fs::create_directory(scratch.path() + "/pools/folder.json");
  scratch.write("pools/large.json", std::string((1 << 20) + 1, 'x'));
  CHECK(store->load(RecordKind::pool).value() == Texts{{"good", "text"}, {"link", ""}, {"folder", ""}, {"large", ""}});
  CHECK(store->set_aside(RecordKind::pool, "link").has_value());
  CHECK(store->set_aside(RecordKind::pool, "folder").has_value());
  CHECK(text_in(elsewhere) == "secret");
}

TEST_CASE("a record that cannot be read now is an error, and no empty text: it may be good") {
  const test::Scratch scratch;
  const auto store = Store::open(scratch.path());
  REQUIRE(store);
  REQUIRE(store->put(RecordKind::pool, "good", "text"));
  REQUIRE(store->put_lease("good", "10.0.3.4", "boot 1"));
  {
    // As many descriptors as there are, and those of the folder that is listed: none for a file in it.
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const int next = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
    REQUIRE(::close(next) == 0);
    const rlimit few{static_cast<rlim_t>(next), limit.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    const auto records = store->load(RecordKind::pool);
    const auto leases = store->load_leases("good");
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_FALSE(records);
    CHECK_FALSE(leases);
  }
  CHECK(store->load(RecordKind::pool).value() == Texts{{"good", "text"}});
  CHECK(store->load_leases("good").value() == Texts{{"10.0.3.4", "boot 1"}});
}

TEST_CASE("leases are kept by pool and address, of both families") {
  const test::Scratch scratch;
  {
    const auto store = Store::open(scratch.path());
    REQUIRE(store);
    CHECK(store->load_leases("p1").value().empty());
    REQUIRE(store->put_lease("p1", "10.0.3.3", "boot"));
    REQUIRE(store->put_lease("p1", "fd00::3", "boot"));
    REQUIRE(store->put_lease("p1", "fd00::3", "later"));
    REQUIRE(store->put_lease("p2", "10.0.3.3", "boot"));
  }
  const auto store = Store::open(scratch.path());
  REQUIRE(store);
  CHECK(store->load_leases("p1").value() == Texts{{"10.0.3.3", "boot"}, {"fd00::3", "later"}});
  CHECK(store->remove_lease("p1", "10.0.3.3").has_value());
  CHECK(store->remove_lease("p1", "10.0.3.3").has_value());
  CHECK(store->load_leases("p1").value() == Texts{{"fd00::3", "later"}});
  CHECK(store->remove_leases("p1").has_value());
  CHECK(store->remove_leases("p1").has_value());
  CHECK_FALSE(fs::exists(scratch.path() + "/leases/p1"));
  CHECK(store->load_leases("p2").value().size() == 1);
}

TEST_CASE("a record written from many threads is one of theirs, whole") {
  const test::Scratch scratch;
  const auto store = Store::open(scratch.path());
  REQUIRE(store);
  {
    std::vector<std::jthread> threads;
    for (char c = 'a'; c < 'i'; ++c)
      threads.emplace_back([&store, c] {
        for (int i = 0; i < 10; ++i) CHECK(store->put(RecordKind::endpoint, "e1", std::string(5000, c)).has_value());
      });
  }
  const auto texts = store->load(RecordKind::endpoint).value();
  REQUIRE(texts.size() == 1);
  const auto& text = texts.at("e1");
  CHECK(text == std::string(5000, text.front()));
}
