// LogOutputs and LogLines: what containers write, on the way to this program's own outputs.
//
// Threads: LogOutputs may be used from several; LogLines belong to one each. Privilege: none.
#pragma once

#include <array>
#include <mutex>
#include <string>
#include <string_view>

#include "docker_client/log.h"
#include "specs/value/result.h"

namespace plumb {

// Standard output and standard error, not buffered.
class LogOutputs {
 public:
  // Writes all of `text`, and nothing else between. Errors: that of write(2), with its errno.
  [[nodiscard]] Result<void> write(docker::LogOutput output, std::string_view text);

 private:
  std::mutex mutex_;
};

// One container's. Without a mark the bytes go out as they come; with one they are cut into lines, and each gets it.
class LogLines {
 public:
  using Marks = std::array<std::string, 2>;  // on standard output, on standard error: before each line

  LogLines(LogOutputs& outputs, Marks marks) : outputs_(outputs), marks_(std::move(marks)) {}

  // Errors: those of LogOutputs::write.
  [[nodiscard]] Result<void> take(docker::LogOutput output, std::string_view piece);
  // At the end: a line that was begun is a line.
  [[nodiscard]] Result<void> finish();

 private:
  [[nodiscard]] Result<void> flush(docker::LogOutput output, std::string_view lines);

  LogOutputs& outputs_;
  Marks marks_;
  std::array<std::string, 2> begun_;
};

}  // namespace plumb
