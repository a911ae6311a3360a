// Position: a place in a spec.
//
// Threads: a plain value. Privilege: none.
#pragma once

#include <string>

namespace plumb {

// Lines and columns count from 1; columns count bytes.
struct Position {
  std::string file;
  int line = 0;
  int column = 0;
};

}  // namespace plumb
