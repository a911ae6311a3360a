#include "specs/service/run_refusal.h"

#include <algorithm>
#include <array>

#include "specs/language/keywords.h"

namespace plumb {

namespace {

// Flags of docker run that plumb does not take, and what to do instead.
struct Row {
  std::string_view name;
  char letter;
  bool alone;  // it takes no value
  std::string_view why;
  std::string_view next;
};

constexpr std::string_view kOwnAddress = "the service has an address of its own, with all its ports";
constexpr std::string_view kOwnNetwork = "plumb does the network of a service";
constexpr std::string_view kRemove = "remove it";

constexpr Row kRefused[] = {
    {"attach", 'a', false, "plumb is never attached to a container",
     "see its output with `plumb docker SERVICE logs NAME`"},
    {"cidfile", 0, false, "containers are found by their names and labels", kRemove},
    {"cpu-quota", 0, false, "plumb has no option for it", "use --cpus"},
    {"dns-option", 0, false, "plumb has no option for it", "mount a resolv.conf with volume_mounts"},
    {"domainname", 0, false, "plumb has no option for it", "write the whole name as hostname"},
    {"env-file", 0, false, "plumb reads no file but the spec", "use the keyword environment"},
    {"expose", 0, false, kOwnAddress, kRemove},
    {"health-start-interval", 0, false, "the Engine API 1.41 does not have it", kRemove},
    {"ip", 0, false, kOwnNetwork, "write an [ip#N] section with ipname"},
    {"ip6", 0, false, kOwnNetwork, "write an [ip#N] section with ipname"},
    {"label-file", 0, false, "plumb reads no file but the spec", "use --label"},
    {"link", 0, false, "containers of a service reach each other on 127.0.0.1", kRemove},
    {"mac-address", 0, false, kOwnNetwork, "use the keyword macaddr of [ip#N]"},
    {"name", 0, false, "there is a keyword for it", "use the keyword name"},
    {"net-alias", 0, false, kOwnNetwork, kRemove},
    {"network-alias", 0, false, kOwnNetwork, kRemove},
    {"publish", 'p', false, kOwnAddress, kRemove},
    {"publish-all", 'P', true, kOwnAddress, kRemove},
    {"pull", 0, false, "there is a keyword for it", "use the keyword image_pull_policy"},
    {"volumes-from", 0, false, "plumb mounts what the section names", "use the keyword volume_mounts"},
};

// Flags of docker run that are known and not mapped; those without a value are marked with a !.
constexpr std::string_view kUnmapped =
    "annotation blkio-weight blkio-weight-device cgroupns cpu-count cpu-percent cpu-period cpu-rt-period "
    "cpu-rt-runtime cpuset-mems detach-keys device-cgroup-rule device-read-bps device-read-iops device-write-bps "
    "device-write-iops disable-content-trust! dns-opt gpus io-maxbandwidth io-maxiops isolation kernel-memory "
    "link-local-ip memory-reservation memory-swappiness oom-kill-disable! platform quiet! sig-proxy! storage-opt "
    "volume-driver";

}  // namespace

std::optional<Refusal> refusal_of(std::string_view name, char letter) {
  const auto* found = std::find_if(std::begin(kRefused), std::end(kRefused), [&](const Row& row) {
    return name.empty() ? row.letter == letter : row.name == name;
  });
  if (found != std::end(kRefused)) return Refusal{": " + std::string(found->why), found->next, found->alone};
  for (auto known : table_words(kUnmapped)) {
    const bool alone = known.ends_with('!');
    if (alone) known.pop_back();
    if (known == name)
      return Refusal{" is not supported by this version of plumb",
                     "`plumb keywords container.run_args` names those that are", alone};
  }
  return std::nullopt;
}

std::vector<std::string> refused_flags() {
  std::vector<std::string> out;
  for (const auto& row : kRefused) out.emplace_back(row.name);
  return out;
}

}  // namespace plumb
