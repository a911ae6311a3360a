// Invocation: what every face of the program needs to know of how it was called: which service is meant, where its file
// is, and in which form the answer is wanted.
//
// Threads: a value. Privilege: none.
#pragma once

#include <string>

#include "plugin/verb/spec_file.h"

namespace plumb {

struct Invocation {
  std::string service;  // a name or a path; empty where none is meant
  SpecPlace place;
  bool json = false;  // --format json
};

}  // namespace plumb
