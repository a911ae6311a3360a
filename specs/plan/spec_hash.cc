#include "specs/plan/spec_hash.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string_view>
#include <vector>

#include "specs/service/run_options.h"
#include "specs/value/fnv.h"

namespace plumb {

namespace {

class Fingerprint {
 public:
  void add(std::string_view text) {
    state_ = fnv1a(state_, text);
    mix(0xff);  // no UTF-8 text has this byte: fields cannot run into each other
  }
  void add(bool value) { add(value ? std::string_view("1") : std::string_view("0")); }
  void add(const std::vector<std::string>& list) {
    for (const auto& item : list) add(item);
    mix(0xfe);
  }
  void add(const std::map<std::string, std::string>& map) {
    for (const auto& [key, value] : map) {
      add(key);
      add(value);
    }
    mix(0xfe);
  }
  [[nodiscard]] std::string hex() const {
    std::array<char, 17> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%016llx", static_cast<unsigned long long>(state_));
    return buffer.data();
  }

 private:
  void mix(std::uint8_t byte) { state_ = fnv1a(state_, byte); }
  std::uint64_t state_ = kFnv64;
};

}  // namespace

std::string spec_hash(const ContainerResource& c) {
  Fingerprint f;
  for (const auto* text :
       {&c.name, &c.image, &c.netns, &c.userns, &c.pidns, &c.ipcns, &c.utsns, &c.hostname, &c.user, &c.cwd})
    f.add(*text);
  for (const bool flag : {c.builtin_pause, c.rm, c.privileged, c.read_only, c.init, c.interactive, c.tty, c.detach})
    f.add(flag);
  for (const auto* list : {&c.entrypoint, &c.command, &c.devices, &c.dns, &c.dns_search}) f.add(*list);
  f.add(canonical(c.options));
  f.add(c.environment);
  f.add(c.sysctl);
  for (const auto& m : c.volume_mounts) {
    f.add(m.source);
    f.add(m.target);
    f.add(m.options);
    f.add(m.read_only);
    if (m.must_exist) f.add(std::string_view("mount"));
  }
  f.add(c.stop_timeout ? std::to_string(c.stop_timeout->count()) : std::string("-"));
  return f.hex();
}

}  // namespace plumb
