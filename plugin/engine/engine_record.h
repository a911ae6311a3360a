// EngineRecord: which process is a service's private engine, as /run/plumb/SERVICE/engine.pid has it.
//
// One line: the pid, the process's start time (ticks since the boot, proc(5)), and the version of the record. Threads:
// plain values, pure functions. Privilege: none.
#pragma once

#include <optional>
#include <string>

#include "specs/value/result.h"

namespace plumb {

struct EngineRecord {
  int pid = 0;
  std::string start_time;  // empty when the process had ended before it could be read
};

[[nodiscard]] std::string encode(const EngineRecord& record);
// nullopt: empty or torn. One without a version is of before 0.2.0. Errors: unsupported for a version that is newer
// than this program: an engine that it does not know of must not get a second one beside it.
[[nodiscard]] Result<std::optional<EngineRecord>> decode_engine(const std::string& text);

}  // namespace plumb
