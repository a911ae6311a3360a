#include "plugin/output/console.h"

#include <cstdio>

#include "plugin/node/service_state.h"
#include "plugin/output/output.h"
#include "plugin/verb/started.h"

namespace plumb {

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }
void complain(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); }

int report(const Invocation& invocation, const std::string& operation, const Error& error, const std::string& step) {
  if (invocation.json) print(error_json(operation, error));
  complain(error_text(operation, error, step, colour_on(2)));
  return code(exit_code(error.kind));
}

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

Opened open_present(const Invocation& invocation, const std::string& operation) {
  if (auto known = check_state(service_name(invocation.service)); !known)
    return {std::nullopt, report(invocation, operation, known.error())};
  const auto file = read_spec(invocation.service, invocation.place);
  auto started = as_started(service_name(invocation.service));
  const bool gone = !file && file.error().kind == ErrorKind::not_found;
  if (!started || (!gone && !file) || (file && file->text == started->started.file.text))
    return open_service(invocation, operation);
  const std::string& name = started->service.name;
  complain("plumb: warning: " + started->started.file.path +
           (gone ? " is gone; this is by what it was started with, and `plumb stop " + name + "` ends it\n"
                 : " has changed since " + name +
                       " was started; this is by what it was started with, and `plumb restart " + name +
                       "` applies the file\n"));
  return {std::move(started->service), 0, std::move(started->started.file)};
}

Opened open_service(const Invocation& invocation, const std::string& operation) {
  auto file = read_spec(invocation.service, invocation.place);
  if (!file) {
    const int shell = report(invocation, operation, file.error());
    return {std::nullopt, file.error().kind == ErrorKind::not_found ? code(ExitCode::not_found) : shell};
  }
  auto loaded = load_spec(*file, invocation.place);
  complain(render(loaded.diagnostics, colour_on(2)));
  if (loaded.service) return {std::move(loaded.service), 0, *std::move(file)};
  return {std::nullopt,
          report(invocation, operation,
                 Error{ErrorKind::spec, 0, file->path + " has " + counted(error_count(loaded.diagnostics), "error"),
                       "correct it; `plumb keywords NAME` explains a keyword"})};
}

}  // namespace plumb
