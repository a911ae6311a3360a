#include "plugin/node/state_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/docker_client/scratch.h"

using namespace plumb;

namespace {

std::string text_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> sorted_names(const std::string& folder) {
  auto out = names_in(folder).value();
  std::sort(out.begin(), out.end());
  return out;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a state file is replaced whole, with its mode, and no draft is left") {
  const test::Scratch scratch;
  const std::string path = scratch.path() + "/state";
  for (const Durable durable : {Durable::yes, Durable::no}) {
    REQUIRE(write_state_file(path, "a longer text", 0600, durable));
    REQUIRE(write_state_file(path, "text", 0600, durable));
    CHECK(text_in(path) == "text");
  }
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
  CHECK(sorted_names(scratch.path()) == Names{"state"});
}

TEST_CASE("a state file that cannot be replaced stays as it was, and no draft is left") {
  const test::Scratch scratch;
  const std::string path = scratch.path() + "/state";
  REQUIRE(::mkdir(path.c_str(), 0700) == 0);  // nothing is renamed to the name of a folder
  const auto written = write_state_file(path, "text");
  REQUIRE_FALSE(written);
  CHECK(written.error().what.starts_with("rename "));
  CHECK(sorted_names(scratch.path()) == Names{"state"});
  CHECK_FALSE(write_state_file(scratch.path() + "/missing/state", "text"));
}

TEST_CASE("a state file is read whole, and one whose reading fails is like one that is not there") {
  const test::Scratch scratch;
  const std::string path = scratch.path() + "/state";
  for (const unsigned size : {0U, 1U, 4096U, 10000U}) {
    REQUIRE(write_state_file(path, std::string(size, 'x'), 0600, Durable::no));
    CHECK(read_state_file(path) == std::string(size, 'x'));
  }
  CHECK_FALSE(read_state_file(scratch.path() + "/other"));
  CHECK_FALSE(read_state_file(scratch.path()));  // EISDIR, as /proc answers ESRCH of a process that has gone
}

TEST_CASE("a state file that is not there is removed, too") {
  const test::Scratch scratch;
  const std::string path = scratch.path() + "/state";
  REQUIRE(write_state_file(path, "text"));
  CHECK(remove_state_file(path).has_value());
  CHECK(remove_state_file(path).has_value());
  CHECK(sorted_names(scratch.path()).empty());
  CHECK(names_in(scratch.path() + "/missing").value().empty());
}

TEST_CASE("drafts of one file are removed, or all of them, and nothing else") {
  const test::Scratch scratch;
  for (const char* name : {".state.17.tmp", ".state.other.17.tmp", ".state.tmp", "state.17.tmp", ".state.17"})
    scratch.write(name, "te");
  REQUIRE(remove_drafts(scratch.path(), "state"));
  CHECK(sorted_names(scratch.path()) == Names{".state.17", ".state.other.17.tmp", ".state.tmp", "state.17.tmp"});
  REQUIRE(remove_drafts(scratch.path()));
  CHECK(sorted_names(scratch.path()) == Names{".state.17", "state.17.tmp"});
  CHECK(remove_drafts(scratch.path() + "/missing").has_value());
}

TEST_CASE("a text is of another version when its first line is the heading but for that") {
  for (const char* text : {"plumb-x 2\nbody\n", "plumb-x 10\n", "plumb-x 2", "plumb-x \n"}) {
    CAPTURE(text);
    const auto refused = without_heading(text, "plumb-x 1");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::unsupported);
  }
  CHECK(without_heading("plumb-x 1\nbody\n", "plumb-x 1").value() == "body\n");
  for (const char* text : {"plumb-x 1\n", "plumb-x 1"}) CHECK(without_heading(text, "plumb-x 1").value().empty());
  for (const char* text : {"", "10.0.3.3 2\n", "plumb-y 2\nbody\n"})
    CHECK(without_heading(text, "plumb-x 1").value() == text);
}
