#include "netns/namespace/capability.h"

#include <sys/capability.h>

#include <cerrno>
#include <memory>
#include <type_traits>
#include <utility>

namespace plumb::netns {

Result<std::vector<std::string>> missing_capabilities() {
  struct Free {
    void operator()(cap_t caps) const { cap_free(caps); }
  };
  const std::unique_ptr<std::remove_pointer_t<cap_t>, Free> caps(cap_get_proc());
  if (!caps) return Err{errno_error(errno, "read the capabilities of this process")};
  std::vector<std::string> missing;
  for (const auto& [value, name] : {std::pair<cap_value_t, const char*>{CAP_NET_ADMIN, "CAP_NET_ADMIN"},
                                    {CAP_NET_RAW, "CAP_NET_RAW"},
                                    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}}) {
    cap_flag_value_t set = CAP_CLEAR;
    if (cap_get_flag(caps.get(), value, CAP_EFFECTIVE, &set) != 0)
      return Err{errno_error(errno, std::string("read the capability ") + name)};
    if (set != CAP_SET) missing.emplace_back(name);
  }
  return missing;
}

}  // namespace plumb::netns
