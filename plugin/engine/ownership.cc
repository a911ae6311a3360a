#include "plugin/engine/ownership.h"

#include <array>
#include <cinttypes>
#include <cstdio>
#include <random>

#include "docker_client/image.h"

namespace plumb {

std::string new_creation() {
  std::random_device random;
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%08" PRIx32 "%08" PRIx32, std::uint32_t{random()},
                std::uint32_t{random()});
  return digits.data();
}

bool has_own_labels(const std::map<std::string, std::string>& container,
                    const std::map<std::string, std::string>& image) {
  if (!container.contains(kLabelService)) return false;
  const auto made = container.find(kLabelCreation);
  if (made == container.end()) return !image.contains(kLabelService);
  const auto inherited = image.find(kLabelCreation);
  return inherited == image.end() || inherited->second != made->second;
}

Result<bool> has_own_labels(docker::Client& client, const docker::Container& container, const docker::Call& call) {
  if (!container.labels.contains(kLabelService)) return false;
  const auto image = TRY(docker::inspect_image(client, container.image_id, call));
  return image && has_own_labels(container.labels, image->labels);
}

Result<std::vector<docker::Container>> containers_of(docker::Client& client, const std::string& service,
                                                     const docker::Call& call) {
  std::vector<docker::Container> out;
  for (auto& container : TRY(docker::list_containers(client, {std::string(kLabelService) + "=" + service}, call)))
    if (TRY(has_own_labels(client, container, call))) out.push_back(std::move(container));
  return out;
}

}  // namespace plumb
