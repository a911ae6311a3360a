// Scratch: a folder of a test's own, removed with everything that is still mounted in it.
//
// Threads: one at a time. Privilege: root where mounts are left.
#pragma once

#include <string>

namespace plumb::test {

class Scratch {
 public:
  Scratch();  // in /tmp, mode 0700
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  // Writes a file below the folder (its folders are made) and returns its path.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

}  // namespace plumb::test
