// Whether a driver has looked at all that was there before its start: what it has said tells.
//
// Threads: any. Privilege: none.
#pragma once

#include <string>

namespace plumb::lab {

// `log`: what drivers have said, the last of them last. False as long as that one is not ready.
inline bool has_settled(const std::string& log) {
  const auto ready = log.rfind("plumb driver: ready, ");
  if (ready == std::string::npos) return false;
  const auto end = log.find(" endpoints", ready);
  if (end == std::string::npos) return false;
  return log.compare(end - 2, 2, " 0") == 0 || log.find("plumb driver: has looked at ", end) != std::string::npos;
}

}  // namespace plumb::lab
