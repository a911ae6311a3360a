#include "specs/plan/leftover.h"

#include <algorithm>
#include <string_view>

namespace plumb {

namespace {

constexpr std::string_view kRetired = ".retired";

}  // namespace

std::string retired_name(const std::string& name) { return name + std::string(kRetired); }

bool is_retired(const ObservedContainer& have) { return !have.running && have.name.ends_with(kRetired); }

bool is_rubbish(const ObservedContainer& have) {
  return !have.running &&
         (have.auto_remove || have.state == "created" || have.state == "removing" || have.state == "dead");
}

bool removes_volumes(const ObservedContainer& have, bool rm) {
  return (rm || have.state == "created") && !is_retired(have);
}

std::vector<AnonymousVolume> volumes_of(const ObservedContainer* before, const ContainerResource& next) {
  if (before == nullptr || before->auto_remove) return {};
  auto out = before->volumes;
  std::erase_if(out, [&](const AnonymousVolume& volume) {
    return next.options.tmpfs.contains(volume.target) ||
           std::any_of(next.volume_mounts.begin(), next.volume_mounts.end(),
                       [&](const VolumeMount& mount) { return mount.target == volume.target; });
  });
  return out;
}

}  // namespace plumb
