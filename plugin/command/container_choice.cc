#include "plugin/command/container_choice.h"

#include <algorithm>

#include "specs/value/text.h"

namespace plumb {

Result<const ContainerResource*> choose_container(const Service& service, const std::string& word) {
  std::string have;
  for (const auto& c : service.containers) {
    if (word == c.id || word == c.name || "container#" + word == c.id) return &c;
    have += (have.empty() ? "" : ", ") + c.id + " (" + c.name + ")";
  }
  return Err{ErrorKind::usage, "service " + service.name + " has no container " + in_quotes(word),
             have.empty() ? std::string("it has no containers") : "there are: " + have};
}

bool is_pause(const Service& service, const ContainerResource& container) {
  if (container.builtin_pause) return true;
  const bool owns = std::any_of(service.containers.begin(), service.containers.end(),
                                [&](const auto& other) { return other.netns == container.id; });
  const std::string& image = container.image;
  const auto name = image.substr(image.rfind('/') + 1);
  return owns && name.substr(0, name.find_first_of(":@")) == "pause";
}

}  // namespace plumb
