// Archive: tar files in memory, for images without a registry.
//
// Threads: plain values. Privilege: none.
#pragma once

#include <string>
#include <string_view>

namespace plumb::test {

class Archive {
 public:
  Archive& folder(const std::string& path);
  Archive& file(const std::string& path, std::string_view content, unsigned mode = 0644);
  Archive& link(const std::string& path, const std::string& target);
  [[nodiscard]] std::string str() const;  // with the two blocks that end a tar

 private:
  void add(const std::string& path, char type, std::string_view content, unsigned mode, const std::string& target);
  std::string bytes_;
};

// A root file system of /bin/busybox and links for `sh`, `sleep`, `true`, `false`, `cat`. Aborts when busybox-static is
// not installed.
[[nodiscard]] std::string busybox_root();

}  // namespace plumb::test
