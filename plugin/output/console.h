// Console: what every command says to the person who called it, and how it opens the service that it is about.
//
// Threads: one at a time. Privilege: that of reading the service's file.
#pragma once

#include <optional>
#include <string>

#include "plugin/command/command_line.h"
#include "plugin/output/exit_code.h"
#include "plugin/verb/spec_file.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

void print(const std::string& text);     // on standard output
void complain(const std::string& text);  // on standard error

[[nodiscard]] inline int code(ExitCode value) { return static_cast<int>(value); }

// Says the error, as JSON too where that was asked for; returns its exit code.
int report(const CommandLine& command, const std::string& operation, const Error& error, const std::string& step = {});

// The service, or the exit code after everything that is wrong with it was said.
struct Opened {
  std::optional<Service> service;
  int exit_code = 0;
  SpecFile file{};  // that it was read from
};
[[nodiscard]] Opened open_service(const CommandLine& command, const std::string& operation);
// For who only looks: what runs is there to be looked at also when its file is gone.
[[nodiscard]] Opened open_present(const CommandLine& command, const std::string& operation);

// "1 error", "2 errors".
[[nodiscard]] std::string counted(std::size_t count, const std::string& noun);

}  // namespace plumb
