#include "docker_client/container.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "docker_client/json.h"
#include "docker_client/query.h"
#include "docker_client/waiter.h"

namespace plumb::docker {

namespace {

// The path of a container's resource. An empty name would make another path of it, which the engine redirects.
Result<std::string> path_of(const std::string& id, std::string_view rest, std::string_view what) {
  if (id.empty() || id == "." || id == "..") {
    return Err{ErrorKind::usage, std::string(what) + ": \"" + id + "\" is not the name of a container"};
  }
  return "/containers/" + percent_encode(id) + std::string(rest);
}

std::string sentence(std::string_view verb, std::string_view id, const Client& client) {
  return std::string(verb) + " container " + std::string(id) + " at unix://" + client.socket_path();
}

Request request_of(Method method, std::string path, std::string_view verb, const std::string& id) {
  return {.method = method, .path = std::move(path), .what = std::string(verb) + " container " + id};
}

bool says(std::string_view message, std::string_view words) { return message.find(words) != std::string_view::npos; }

// A status of 400 and more that stands after a look at what is so now: engines answer 409 and 500 also where it is so
// already.
Err refusal(std::string_view verb, std::string_view id, const Client& client, const Response& response) {
  return {ErrorKind::refused,
          sentence(verb, id, client) + ": " + error_message(response.body, response.status),
          {},
          response.status};
}

// In the words of an engine that looks itself.
Result<void> check_sources(const Client& client, const ContainerConfig& config) {
  std::error_code error;
  for (const BindMount& mount : config.mounts) {
    if (std::filesystem::exists(mount.source, error) || error) continue;
    return Err{ErrorKind::refused,
               sentence("create", config.name, client) + ": bind source path does not exist: " + mount.source};
  }
  return {};
}

// Whether there is a container of that name, as far as the engine says.
bool has(Client& client, const std::string& name, const Call& call) {
  if (name.empty()) return false;
  const auto container = inspect_container(client, name, call);
  return container && *container;
}

}  // namespace

std::string name_holder(std::string_view message) {
  const std::size_t use = message.find("in use by ");
  if (use == std::string_view::npos) return {};
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  std::string_view rest = message.substr(use);
  while (!rest.empty()) {
    const auto begin = std::find_if(rest.begin(), rest.end(), is_hex);
    const auto end = std::find_if_not(begin, rest.end(), is_hex);
    if (end - begin == 64) return {begin, end};
    rest.remove_prefix(static_cast<std::size_t>(end - rest.begin()));
  }
  return {};
}

Result<Created> create_container(Client& client, const ContainerConfig& config, const Call& call) {
  Query query("/containers/create");
  if (!config.name.empty()) query.add("name", config.name);
  Request request = request_of(Method::post, std::move(query).str(), "create", config.name);
  const Call::TimePoint end = call.end();
  if (client.manners().makes_missing_sources) TRY(check_sources(client, config));
  ContainerConfig complete = config;
  if (client.manners().kills_where_no_grace_is_said && !complete.stop_timeout)
    complete.stop_timeout = std::chrono::seconds(10);
  request.body = encode_container(complete);
  request.idempotent = false;
  request.accept = {409, 500};
  const Response response = TRY(client.send(request, call));
  if (response.status >= 400) {
    const std::string message = error_message(response.body, response.status);
    const bool taken = says(message, "in use") || has(client, config.name, call.until(end));
    return Err{taken ? ErrorKind::exists : ErrorKind::refused, sentence("create", config.name, client) + ": " + message,
               taken ? "Remove or rename the container that has the name." : "", response.status};
  }
  const Json json = TRY(parse_object(response.body, sentence("create", config.name, client)));
  Created created{text_of(json, "Id"), texts_of(json, "Warnings")};
  if (created.id.empty()) {
    return Err{ErrorKind::failed, sentence("create", config.name, client) + ": the engine's answer has no Id"};
  }
  return created;
}

Result<bool> start_container(Client& client, const std::string& id, const Call& call) {
  std::string path = TRY(path_of(id, "/start", "start container"));
  const Call::TimePoint end = call.end();
  Request request = request_of(Method::post, std::move(path), "start", id);
  request.accept = {409, 500};
  const Response response = TRY(client.send(request, call));
  if (response.status < 400) return response.status != 304;
  const auto now = TRY(inspect_container(client, id, call.until(end)));
  if (now && now->running && !now->paused) return false;
  return refusal("start", id, client, response);
}

Result<bool> stop_container(Client& client, const std::string& id, std::optional<std::chrono::seconds> grace,
                            const Call& call) {
  const Call::TimePoint end = call.end();
  Query query(TRY(path_of(id, "/stop", "stop container")));
  if (grace && grace->count() < 0) {
    return Err{ErrorKind::usage, sentence("stop", id, client) + ": a grace below zero would wait for ever"};
  }
  std::chrono::seconds allowed{10};
  if (grace) {
    allowed = *grace;
    query.add("t", std::to_string(grace->count()));
  } else {
    const std::optional<Container> container = TRY(inspect_container(client, id, call));
    if (!container) return Err{ErrorKind::not_found, sentence("stop", id, client) + ": No such container", {}, 404};
    if (container->stop_timeout) allowed = std::max(*container->stop_timeout, std::chrono::seconds{0});
  }
  // Sums of years would overflow.
  allowed = std::min<std::chrono::seconds>(allowed, std::chrono::hours{24 * 365});
  const Call longer{call.until(end).deadline + allowed, call.stop};
  const Call::TimePoint longer_end = longer.end();
  Request request = request_of(Method::post, std::move(query).str(), "stop", id);
  request.accept = {409, 500};
  const Response response = TRY(client.send(request, longer));
  if (response.status < 400) return response.status != 304;
  // Podman (5.4, 5.8) has stopped it, and refuses to remove it as well, as `rm` wants, while others join its
  // namespaces.
  const auto now = TRY(inspect_container(client, id, longer.until(longer_end)));
  if (!now || !now->running) return true;
  return refusal("stop", id, client, response);
}

Result<bool> kill_container(Client& client, const std::string& id, std::string_view signal, const Call& call) {
  Query query(TRY(path_of(id, "/kill", "kill container")));
  query.add("signal", signal);
  Request request = request_of(Method::post, std::move(query).str(), "kill", id);
  request.idempotent = false;
  request.accept = {409, 500};
  const Call::TimePoint end = call.end();
  const Response response = TRY(client.send(request, call));
  if (response.status < 400) return true;
  const auto now = TRY(inspect_container(client, id, call.until(end)));
  if (!now) return Err{ErrorKind::not_found, sentence("kill", id, client) + ": No such container", {}, 404};
  if (!now->running) return false;
  return refusal("kill", id, client, response);
}

Result<bool> remove_container(Client& client, const std::string& id, const Removal& removal, const Call& call) {
  const Call::TimePoint end = call.end();
  Query query(TRY(path_of(id, "", "remove container")));
  if (removal.force) query.add("force", "1");
  if (removal.volumes) query.add("v", "1");
  Request request = request_of(Method::del, std::move(query).str(), "remove", id);
  request.accept = {404, 409, 500};
  const Response response = TRY(client.send(request, call));
  if (response.status == 404) return false;
  if (response.status < 400) return true;
  const auto now = TRY(inspect_container(client, id, call.until(end)));
  if (!now) return true;
  // Docker calls it running as long as it is being killed for its removal.
  const bool going = now->state == "removing" || now->state == "dead" ||
                     says(error_message(response.body, response.status), "already in progress");
  if (!going) return refusal("remove", id, client, response);
  Waiter removed = TRY(Waiter::open(client, id, WaitCondition::removed, call.until(end)));
  const Exit exit = TRY(removed.wait(call.until(end)));
  if (!exit.error.empty()) return Err{ErrorKind::refused, sentence("remove", id, client) + ": " + exit.error};
  return true;
}

Result<void> rename_container(Client& client, const std::string& id, std::string_view name, const Call& call) {
  Query query(TRY(path_of(id, "/rename", "rename container")));
  query.add("name", name);
  Request request = request_of(Method::post, std::move(query).str(), "rename", id);
  request.idempotent = false;
  request.accept = {409, 500};
  const Call::TimePoint end = call.end();
  const Response response = TRY(client.send(request, call));
  if (response.status < 400) return {};
  Err error = refusal("rename", id, client, response);
  if (says(error.error.what, "in use") || has(client, std::string(name), call.until(end)))
    error.error.kind = ErrorKind::exists;
  return error;
}

Result<std::optional<Container>> inspect_container(Client& client, const std::string& id, const Call& call) {
  Request request = request_of(Method::get, TRY(path_of(id, "/json", "inspect container")), "inspect", id);
  request.accept = {404, 500};
  const Call::TimePoint end = call.end();
  Response response = TRY(client.send(request, call));
  // Podman (5.4) answers 500 in the moment in which it removes the container: the next look knows.
  if (response.status == 500) response = TRY(client.send(request, call.until(end)));
  if (response.status == 404) return std::optional<Container>();
  if (response.status >= 400) return refusal("inspect", id, client, response);
  return std::optional<Container>(TRY(decode_container(response.body)));
}

Result<std::vector<Container>> list_containers(Client& client, const std::vector<std::string>& labels,
                                               const Call& call) {
  Query query("/containers/json");
  query.add("all", "1");
  if (!labels.empty()) query.add("filters", encode_filters({{"label", labels}}));
  const Response response = TRY(client.send({.path = std::move(query).str(), .what = "list containers"}, call));
  return decode_container_list(response.body);
}

}  // namespace plumb::docker
