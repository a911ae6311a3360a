// A library that is loaded when it is first needed, and a table of its functions. To load libcurl takes as long as all
// else that most commands do: it brings some thirty libraries.
//
// A table is a struct with a pointer for each function. That of a library that plumb depends on is made of a list that
// is a macro: LIST(F) says F(name) for each of them. plugin/loaded.cc is linked with the same lists, so a function that
// such a library has not is an error of the build.
//
// Threads: any. Privilege: none.
#pragma once

#include <dlfcn.h>

#include <string>

#include "specs/value/result.h"

namespace plumb {

// Never unloaded: a thread of the library's may still run when the program ends. RTLD_NOW and RTLD_LOCAL of dlopen(3).
// Errors: failed, with what to install.
[[nodiscard]] inline Result<void*> load_library(const char* soname) {
  if (void* library = ::dlopen(soname, RTLD_NOW | RTLD_LOCAL)) return library;
  const char* why = ::dlerror();  // NOLINT(concurrency-mt-unsafe): glibc has one for each thread
  return Err{ErrorKind::failed, std::string("load ") + soname + ": " + (why != nullptr ? why : "it cannot be loaded"),
             "install the Debian package that has it: `apt-file search " + std::string(soname) + "`"};
}

// Errors: failed.
template <typename Function>
[[nodiscard]] Result<void> find_function(void* library, const char* name, Function*& out) {
  out = reinterpret_cast<Function*>(::dlsym(library, name));
  if (out != nullptr) return {};
  return Err{ErrorKind::failed, std::string("there is no ") + name + "() in a library that plumb has loaded",
             "install a newer version of it"};
}

}  // namespace plumb
