// Which of the calls a test of kills does: PLUMB_KILL_ALL=1 all; else each PLUMB_KILL_EVERY-th, from PLUMB_KILL_PART
// on, which is another one each day.
//
// Threads: reads the environment. Privilege: none.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace plumb::lab {

inline unsigned long number_from(const char* variable, unsigned long otherwise) {
  const char* given = std::getenv(variable);
  return given == nullptr ? otherwise : std::strtoul(given, nullptr, 10);
}

// Every so many calls are done; 1: all.
inline unsigned long stride() {
  if (std::getenv("PLUMB_KILL_ALL") != nullptr) return 1;
  return std::max(1UL, number_from("PLUMB_KILL_EVERY", 15));
}

inline unsigned long part_of_today(unsigned long every) {
  return number_from("PLUMB_KILL_PART", static_cast<unsigned long>(std::time(nullptr) / 86400)) % every;
}

}  // namespace plumb::lab
