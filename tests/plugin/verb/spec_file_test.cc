#include "plugin/verb/spec_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

using namespace plumb;

namespace {

// A spec in a folder of its own.
class File {
 public:
  File() {
    REQUIRE(::mkdtemp(folder_.data()) != nullptr);
    path_ = folder_ + "/svc1.conf";
    std::ofstream(path_) << "[ip#1]\nipname = 10.0.3.3\nipdev = eth0\nnetmask = 24\n";
    REQUIRE(::chmod(path_.c_str(), 0644) == 0);
  }
  ~File() {
    ::unlink(path_.c_str());
    ::rmdir(folder_.c_str());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] LoadedSpec load() const { return load_spec(read_spec(path_, {}).value(), {}); }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string folder_ = "/tmp/plumb-test-XXXXXX";
  std::string path_;
};

std::string said(const LoadedSpec& loaded) {
  return loaded.diagnostics.empty() ? "" : loaded.diagnostics.front().message;
}

}  // namespace

TEST_CASE("root does not run what everybody can write, and says who else can") {
  const File file;
  CHECK(file.load().service);
  CHECK(said(file.load()).empty());

  REQUIRE(::chmod(file.path().c_str(), 0646) == 0);
  CHECK_FALSE(file.load().service);
  CHECK(said(file.load()) == "it can be written by everybody, and root would run what it says");
  CHECK(file.load().diagnostics.front().hint == "chmod o-w " + file.path());
  REQUIRE(::chmod(file.path().c_str(), 0664) == 0);
  CHECK(said(file.load()).empty());  // the group is root's
  REQUIRE(::chown(file.path().c_str(), 0, 4711) == 0);
  CHECK(file.load().service);
  CHECK(said(file.load()) == "it can be written by group 4711, and root runs what it says");
  REQUIRE(::chown(file.path().c_str(), 4711, 0) == 0);
  CHECK(file.load().service);
  CHECK(said(file.load()) == "it belongs to user 4711, and root runs what it says");
}

TEST_CASE("who can replace the file can write it, but not in a folder such as /tmp") {
  const File file;
  REQUIRE(::chmod(file.folder().c_str(), 0777) == 0);
  CHECK_FALSE(file.load().service);
  CHECK(said(file.load()) == "its folder can be written by everybody, and root would run what it says");
  REQUIRE(::chmod(file.folder().c_str(), 01777) == 0);
  CHECK(file.load().service);
  CHECK(said(file.load()).empty());
}
