// EngineLog: what a service's own engine writes, /var/log/plumb/SERVICE.dockerd.log. It is kept over the engine's runs;
// each begins with a line that says when it was, and who has started it.
//
// Threads: plain functions, one at a time for each file. Privilege: that of the file.
#pragma once

#include <string>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb {

// Opens the file to append to it, as a rotation by copy and truncation needs it, makes it where there is none, and
// begins a run. Errors: the kernel's.
[[nodiscard]] Result<UniqueFd> begin_engine_log(const std::string& path);

// Adds a line of plumb's own.
void note_in_engine_log(int log, const std::string& text);

// The last line that says something in the run that was begun last, for an error message; empty where there is none.
[[nodiscard]] std::string last_words_of_engine(const std::string& path);

}  // namespace plumb
