#include "plugin/verb/started.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "docker_client/endpoint.h"
#include "plugin/claim/claim_book.h"
#include "plugin/engine/service_engine.h"
#include "plugin/node/service_lock.h"
#include "plugin/node/service_state.h"
#include "plugin/node/state_file.h"
#include "plugin/verb/traces.h"

namespace plumb {

namespace {

std::string started_of(const std::string& service) { return path_of(kStartedState, service); }
std::string stopping_of(const std::string& service) { return path_of(kStoppingState, service); }
std::string yielding_of(const std::string& service) { return "/run/plumb/" + service + ".yielding"; }

// The value of the line "KEY VALUE" that `text` begins with, which is taken off it.
std::optional<std::string> take_line(std::string_view& text, std::string_view key) {
  const auto end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  if (end == std::string_view::npos || !line.starts_with(key)) return std::nullopt;
  text.remove_prefix(end + 1);
  const std::string_view value = line.substr(key.size());
  return std::string(value.starts_with(' ') ? value.substr(1) : value);
}

}  // namespace

std::string encode_started(const Started& started) {
  std::string out(kStartedState.heading);
  for (const auto& [key, value] :
       {std::pair{"path", &started.file.path}, std::pair{"config-dir", &started.place.config_dir},
        std::pair{"node", &started.place.node}, std::pair{"engine", &started.engine}})
    out.append("\n").append(key).append(" ").append(*value);
  return out.append("\n").append(started.file.text);
}

std::optional<Started> decode_started(const std::string& service, std::string_view text) {
  Started out;
  const auto body = without_heading(text, kStartedState.heading);
  if (!body || body->size() == text.size()) return std::nullopt;
  text = *body;
  for (const auto& [key, value] : {std::pair{"path", &out.file.path}, std::pair{"config-dir", &out.place.config_dir},
                                   std::pair{"node", &out.place.node}, std::pair{"engine", &out.engine}}) {
    auto found = take_line(text, key);
    if (!found) return std::nullopt;
    *value = *std::move(found);
  }
  out.file.service = service;
  out.file.text = text;
  return out;
}

Result<void> record_started(const Service& service, const SpecFile& file, const SpecPlace& place) {
  Started started{file, place, {}};
  started.place.node = service.node;
  if (needs_engine(service) && service.docker_data_dir.empty())
    started.engine = docker::engine_socket(docker::Environment::of_process()).value_or({});
  for (const auto* line : {&file.path, &place.config_dir})
    if (line->find('\n') != std::string::npos) return Err{ErrorKind::usage, "a path with a line feed in it"};
  TRY(run_directory());
  TRY(write_state_file(started_of(service.name), encode_started(started)));
  ::unlink(stopping_of(service.name).c_str());
  ::unlink(yielding_of(service.name).c_str());
  return {};
}

void forget_started(const std::string& service) {
  ::unlink(started_of(service).c_str());
  ::unlink(stopping_of(service).c_str());
  ::unlink(yielding_of(service).c_str());
  forget_claim_book(service);
  // Of writers that were killed. What is left of them does no harm.
  for (const char* kind : {".started", ".yielding"})
    [[maybe_unused]] const auto removed = remove_drafts("/run/plumb", service + kind);
  forget_traces(service);
}

// At once: there is no instant at which neither of the two names has it.
void begin_stopping(const std::string& service) {
  ::unlink(yielding_of(service).c_str());
  ::rename(started_of(service).c_str(), stopping_of(service).c_str());
}

// A file of its own each time: who waits at an earlier one hears that it is gone.
Result<std::string> begin_yielding(const std::string& service) {
  TRY(run_directory());
  std::string path = yielding_of(service);
  ::unlink(path.c_str());
  TRY(write_state_file(path, {}));
  return path;
}

namespace {

std::optional<Started> read_from(const std::string& path, const std::string& service) {
  const auto text = read_state_file(path);
  if (!text) return std::nullopt;
  return decode_started(service, *text);
}

}  // namespace

std::optional<Started> read_started(const std::string& service) { return read_from(started_of(service), service); }
std::optional<Started> read_stopping(const std::string& service) { return read_from(stopping_of(service), service); }

std::optional<Started> read_started_or_stopping(const std::string& service) {
  auto started = read_started(service);
  return started ? started : read_stopping(service);
}

bool is_known_here(const std::string& service) {
  return ::access(started_of(service).c_str(), F_OK) == 0 || ::access(stopping_of(service).c_str(), F_OK) == 0;
}

std::optional<Service> load_started(const Started& started) {
  auto service = load_spec(started.file, started.place).service;
  if (service) service->engine_socket = started.engine;
  return service;
}

std::optional<AsStarted> as_started(const std::string& service) {
  auto started = read_started_or_stopping(service);
  if (!started) return std::nullopt;
  auto loaded = load_started(*started);
  if (!loaded) return std::nullopt;
  return AsStarted{*std::move(loaded), *std::move(started)};
}

bool stop_left_undone(const std::string& service, const SpecFile& file) {
  const auto left = read_stopping(service);
  return left && left->file.text != file.text && !read_started(service) && as_started(service).has_value();
}

bool loses_addresses(const AsStarted& before, const Service& now) {
  const auto& had = before.service.ips;
  return std::any_of(had.begin(), had.end(), [&](const IpResource& ip) {
    return ip.type != IpType::netns && std::none_of(now.ips.begin(), now.ips.end(), [&](const IpResource& other) {
             return ip.type == other.type && ip.names == other.names && ip.ipdev == other.ipdev &&
                    ip.vlan_tag == other.vlan_tag && ip.netns == other.netns;
           });
  });
}

std::vector<std::string> present_services(const SpecPlace& place) {
  auto out = service_names(place);
  for (const auto& name : started_services()) {
    const auto started = as_started(name);
    // Of one of a later plumb it cannot be told, and it is better refused than passed over.
    if (started ? started->started.place.config_dir == place.config_dir : !check_state(name)) out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::string> started_services() {
  std::vector<std::string> out;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator("/run/plumb", ec))
    if (auto name = service_of_started_file(entry.path().filename().string()); !name.empty())
      out.push_back(std::move(name));
  std::sort(out.begin(), out.end());
  return out;
}

std::string service_of_started_file(std::string_view file_name) {
  const auto suffix = kStartedState.suffix;
  if (!file_name.ends_with(suffix) || file_name.starts_with('.')) return {};
  return std::string(file_name.substr(0, file_name.size() - suffix.size()));
}

}  // namespace plumb
