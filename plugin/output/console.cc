#include "plugin/output/console.h"

#include <cstdio>

#include "plugin/output/output.h"
#include "plugin/verb/started.h"

namespace plumb {

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }
void complain(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); }

int report(const CommandLine& command, const std::string& operation, const Error& error, const std::string& step) {
  if (command.json) print(error_json(operation, error));
  complain(error_text(operation, error, step, colour_on(2)));
  return code(exit_code(error.kind));
}

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

Opened open_present(const CommandLine& command, const std::string& operation) {
  const auto file = read_spec(command.service, command.place);
  if (!file && file.error().kind == ErrorKind::not_found)
    if (auto started = as_started(service_name(command.service))) {
      complain("plumb: warning: " + started->started.file.path +
               " is gone; this is by what it was started with, and `plumb stop " + started->service.name +
               "` ends it\n");
      return {std::move(started->service), 0, std::move(started->started.file)};
    }
  return open_service(command, operation);
}

Opened open_service(const CommandLine& command, const std::string& operation) {
  auto file = read_spec(command.service, command.place);
  if (!file) {
    const int shell = report(command, operation, file.error());
    return {std::nullopt, file.error().kind == ErrorKind::not_found ? code(ExitCode::not_found) : shell};
  }
  auto loaded = load_spec(*file, command.place);
  complain(render(loaded.diagnostics, colour_on(2)));
  if (loaded.service) return {std::move(loaded.service), 0, *std::move(file)};
  return {std::nullopt,
          report(command, operation,
                 Error{ErrorKind::spec, 0, file->path + " has " + counted(error_count(loaded.diagnostics), "error"),
                       "correct it; `plumb keywords NAME` explains a keyword"})};
}

}  // namespace plumb
