#include "specs/service/draft.h"

namespace plumb {

Position IpDraft::place(std::string_view keyword) const {
  const auto found = places.find(keyword);
  return found == places.end() ? ip.where : found->second;
}

Position ContainerDraft::place(std::string_view keyword) const {
  if (const auto found = places.find(keyword); found != places.end()) return found->second;
  const auto found = flags.find(keyword);
  return found == flags.end() ? container.where : found->second;
}

}  // namespace plumb
