#include "plugin/command/logs.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <thread>
#include <vector>

#include "docker_client/container.h"
#include "docker_client/log.h"
#include "plugin/command/container_choice.h"
#include "plugin/command/log_writer.h"
#include "plugin/engine/ownership.h"
#include "plugin/engine/service_engine.h"
#include "plugin/output/console.h"
#include "plugin/output/output.h"

namespace plumb {

namespace {

constexpr std::chrono::seconds kQueryDeadline{30};

// A container whose log is read.
struct LogSource {
  std::string id;
  std::string name;
  bool tty = false;
};

// Nothing when it is not there, or has never run and was not asked for.
Result<std::optional<LogSource>> find_source(const Service& service, const ContainerResource& resource,
                                             docker::Client& client, bool asked_for) {
  const auto container = TRY(docker::inspect_container(client, resource.name, {kQueryDeadline, {}}));
  if (!container) {
    if (!asked_for) return std::optional<LogSource>();
    return Err{ErrorKind::not_found, resource.id + ": there is no container " + resource.name,
               "plumb start " + service.name};
  }
  const auto label = container->labels.find(kLabelService);
  if (!resource.existing && (label == container->labels.end() || label->second != service.name)) {
    if (!asked_for) return std::optional<LogSource>();
    return Err{ErrorKind::exists,
               resource.id + ": the name " + resource.name + " is taken by a container that is not this service's"};
  }
  if (container->state == "created" && !asked_for) return std::optional<LogSource>();
  return std::optional<LogSource>({container->id, container->name, container->tty});
}

Result<std::vector<LogSource>> find_sources(const Service& service, const std::vector<std::string>& words,
                                            docker::Client& client) {
  std::vector<const ContainerResource*> chosen;
  for (const auto& word : words) {
    const auto* one = TRY(choose_container(service, word));
    if (std::find(chosen.begin(), chosen.end(), one) == chosen.end()) chosen.push_back(one);
  }
  const bool asked_for = !words.empty();
  if (!asked_for)
    for (const auto& container : service.containers)
      if (!container.disable && !is_pause(service, container)) chosen.push_back(&container);
  std::vector<LogSource> out;
  for (const auto* resource : chosen)
    if (auto source = TRY(find_source(service, *resource, client, asked_for))) out.push_back(*std::move(source));
  if (out.empty())
    return Err{ErrorKind::not_found, "none of the containers of " + service.name + " has run on " + service.node,
               "plumb start " + service.name};
  return out;
}

// The name before each line, as wide as the widest, in a colour of its own.
LogLines::Marks marks_of(const std::vector<LogSource>& sources, std::size_t which) {
  constexpr std::array<const char*, 6> kColours{"\033[36m", "\033[33m", "\033[32m", "\033[35m", "\033[34m", "\033[31m"};
  if (sources.size() < 2) return {};
  std::size_t width = 0;
  for (const auto& source : sources) width = std::max(width, source.name.size());
  std::string name = sources[which].name;
  name.append(width - name.size(), ' ');
  const std::string coloured = kColours[which % kColours.size()] + name + " |\033[0m ";
  return {colour_on(1) ? coloured : name + " | ", colour_on(2) ? coloured : name + " | "};
}

class LogReader {
 public:
  LogReader(docker::Client& client, const std::vector<LogSource>& sources, docker::LogRange range)
      : client_(client), sources_(sources), range_(range) {}

  // The first error of all. What is followed comes from all containers as it is written, the rest from one after the
  // other.
  std::optional<Error> run() {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < sources_.size() && !stop_.stop_requested(); ++i)
      if (range_.follow)
        threads.emplace_back([this, i] { read(i); });
      else
        read(i);
    threads.clear();  // joins
    return first_;
  }

 private:
  void read(std::size_t which) {
    const auto& source = sources_[which];
    LogLines lines(outputs_, marks_of(sources_, which));
    bool written = true;
    const docker::LogSink sink = [&](docker::LogOutput output, std::string_view piece) {
      auto taken = lines.take(output, piece);
      written = taken.has_value();
      return taken;
    };
    auto done = docker::read_log(client_, source.id, source.tty, range_, sink, {kQueryDeadline, stop_.get_token()});
    if (done) {
      done = lines.finish();
      written = done.has_value();
    }
    if (done) return;
    const std::lock_guard lock(mutex_);
    if (!first_) first_ = std::move(done).error();
    if (!written) stop_.request_stop();  // what cannot be written for one can be written for none
  }

  docker::Client& client_;
  const std::vector<LogSource>& sources_;
  docker::LogRange range_;
  LogOutputs outputs_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::optional<Error> first_;
};

}  // namespace

int show_logs(const CommandLine& command) {
  const std::string operation = "logs " + command.service;
  const auto opened = open_present(command, operation);
  if (!opened.service) return opened.exit_code;
  ServiceEngine engine(*opened.service);
  const auto state = engine.state();
  if (!state) return report(command, operation, state.error());
  if (*state != EngineState::up)
    return report(command, operation,
                  Error{ErrorKind::unreachable, 0, "the service's engine is not running, and only it has the logs",
                        "plumb start " + opened.service->name});
  const auto client = engine.client({});
  if (!client) return report(command, operation, client.error());
  const auto sources = find_sources(*opened.service, command.arguments, **client);
  if (!sources) return report(command, operation, sources.error());
  const docker::LogRange range{command.tail, command.since, command.timestamps, command.follow};
  const auto error = LogReader(**client, *sources, range).run();
  if (!error) return code(ExitCode::ok);
  // Who reads has gone, as head(1) does: the end that every filter has then.
  if (error->code == EPIPE) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  return report(command, operation, *error);
}

}  // namespace plumb
