#include "tests/docker_client/archive.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

namespace plumb::test {

namespace {

struct Header {  // POSIX ustar
  std::array<char, 100> name{};
  std::array<char, 8> mode{};
  std::array<char, 8> uid{};
  std::array<char, 8> gid{};
  std::array<char, 12> size{};
  std::array<char, 12> mtime{};
  std::array<char, 8> sum{};
  char type = '0';
  std::array<char, 100> target{};
  std::array<char, 8> magic{'u', 's', 't', 'a', 'r', '\0', '0', '0'};
  std::array<char, 247> rest{};
};
static_assert(sizeof(Header) == 512);

template <std::size_t N>
void octal(std::array<char, N>& field, unsigned long value) {
  // From the last digit on; the end is a zero byte.
  for (std::size_t digit = N - 1; digit-- > 0; value >>= 3) field[digit] = static_cast<char>('0' + (value & 7));
}

}  // namespace

void Archive::add(const std::string& path, char type, std::string_view content, unsigned mode,
                  const std::string& target) {
  Header header;
  std::memcpy(header.name.data(), path.data(), path.size());
  octal(header.mode, mode);
  octal(header.uid, 0);
  octal(header.gid, 0);
  octal(header.size, content.size());
  octal(header.mtime, 0);
  header.type = type;
  std::memcpy(header.target.data(), target.data(), target.size());
  header.sum.fill(' ');
  unsigned long sum = 0;
  std::array<unsigned char, sizeof header> raw{};
  std::memcpy(raw.data(), &header, raw.size());
  for (const unsigned char byte : raw) sum += byte;
  std::snprintf(header.sum.data(), header.sum.size(), "%06lo", sum);
  bytes_.append(reinterpret_cast<const char*>(&header), sizeof header);
  bytes_.append(content);
  bytes_.append((512 - content.size() % 512) % 512, '\0');
}

Archive& Archive::folder(const std::string& path) {
  add(path + "/", '5', {}, 0755, {});
  return *this;
}

Archive& Archive::file(const std::string& path, std::string_view content, unsigned mode) {
  add(path, '0', content, mode, {});
  return *this;
}

Archive& Archive::link(const std::string& path, const std::string& target) {
  add(path, '2', {}, 0777, target);
  return *this;
}

std::string Archive::str() const { return bytes_ + std::string(1024, '\0'); }

std::string busybox_root() {
  std::ifstream file("/bin/busybox", std::ios::binary);
  std::ostringstream busybox;
  busybox << file.rdbuf();
  if (busybox.str().size() < 100'000) {
    std::fputs("tests: /bin/busybox is missing: install busybox-static\n", stderr);
    std::abort();
  }
  Archive archive;
  archive.folder("bin").folder("proc").folder("sys").folder("dev").folder("etc").folder("tmp");
  archive.file("bin/busybox", busybox.str(), 0755);
  for (const char* name : {"sh", "sleep", "true", "false", "cat", "ls"})
    archive.link(std::string("bin/") + name, "busybox");
  return archive.str();
}

}  // namespace plumb::test
