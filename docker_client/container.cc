#include "docker_client/container.h"

#include <algorithm>
#include <filesystem>
#include <functional>
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
  return client.place(std::string(verb) + " container " + std::string(id));
}

Request request_of(Method method, std::string path, std::string_view verb, const std::string& id) {
  return {.method = method, .path = std::move(path), .what = std::string(verb) + " container " + id};
}

bool says(std::string_view message, std::string_view words) { return message.find(words) != std::string_view::npos; }

Err absent(std::string_view verb, std::string_view id, const Client& client) {
  return {ErrorKind::not_found, sentence(verb, id, client) + ": No such container", {}, 404};
}

// What a look at the container says about a request that was refused: the request's result, or an error of its own;
// nullopt: the refusal stands.
using Verdict = Result<std::optional<bool>>;
using Judge = std::function<Verdict(const std::optional<Container>& now, const Err& refusal)>;

// Sends a request that changes one container. Engines, and proxies before them, answer 409 and 500 to 504 also where it
// is so already and where it was done all the same, so neither the status nor the words decide but what is so then.
// False: 304, or a 404 that the request accepts.
Result<bool> change(Client& client, std::string_view verb, const std::string& id, Request request, const Call& call,
                    const Judge& judge) {
  request.accept.insert(request.accept.end(), {409, 500, 502, 503, 504});
  const Call::TimePoint end = call.end();
  const Response response = TRY(client.send(request, call));
  if (response.status < 400) return response.status != 304;
  if (response.status == 404) return false;
  Err refusal = refusal_of(sentence(verb, id, client), response.body, response.status);
  const auto now = inspect_container(client, id, call.until(end));
  // Who cannot look knows no more than the refusal says.
  if (!now) return refusal;
  const auto so = TRY(judge(*now, refusal));
  if (so) return *so;
  return refusal;
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
  const Json json = TRY(answered(parse_object(response.body, "read its id"), sentence("create", config.name, client)));
  Created created{text_of(json, "Id"), texts_of(json, "Warnings")};
  if (created.id.empty()) {
    return Err{ErrorKind::failed, sentence("create", config.name, client) + ": the engine's answer has no Id"};
  }
  return created;
}

Result<bool> start_container(Client& client, const std::string& id, const Call& call) {
  std::string path = TRY(path_of(id, "/start", "start container"));
  const auto runs = [](const std::optional<Container>& now, const Err& /*refusal*/) -> Verdict {
    return now && now->running && !now->paused ? std::optional(false) : std::nullopt;
  };
  return change(client, "start", id, request_of(Method::post, std::move(path), "start", id), call, runs);
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
    if (!container) return absent("stop", id, client);
    if (container->stop_timeout) allowed = std::max(*container->stop_timeout, std::chrono::seconds{0});
  }
  // Sums of years would overflow.
  allowed = std::min<std::chrono::seconds>(allowed, std::chrono::hours{24 * 365});
  const Call longer{call.until(end).deadline + allowed, call.stop};
  // Podman (5.4, 5.8) has stopped it, and refuses to remove it as well, as `rm` wants, while others join its
  // namespaces.
  const auto has_ended = [](const std::optional<Container>& now, const Err& /*refusal*/) -> Verdict {
    return !now || !now->running ? std::optional(true) : std::nullopt;
  };
  return change(client, "stop", id, request_of(Method::post, std::move(query).str(), "stop", id), longer, has_ended);
}

Result<bool> kill_container(Client& client, const std::string& id, std::string_view signal, const Call& call) {
  Query query(TRY(path_of(id, "/kill", "kill container")));
  query.add("signal", signal);
  Request request = request_of(Method::post, std::move(query).str(), "kill", id);
  request.idempotent = false;
  const auto has_ended = [&](const std::optional<Container>& now, const Err& /*refusal*/) -> Verdict {
    if (!now) return absent("kill", id, client);
    return !now->running ? std::optional(false) : std::nullopt;
  };
  return change(client, "kill", id, std::move(request), call, has_ended);
}

Result<bool> remove_container(Client& client, const std::string& id, const Removal& removal, const Call& call) {
  const Call::TimePoint end = call.end();
  Query query(TRY(path_of(id, "", "remove container")));
  if (removal.force) query.add("force", "1");
  if (removal.volumes) query.add("v", "1");
  Request request = request_of(Method::del, std::move(query).str(), "remove", id);
  request.accept = {404};
  const auto goes = [&](const std::optional<Container>& now, const Err& refusal) -> Verdict {
    if (!now) return std::optional(true);
    // Docker calls it running as long as it is being killed for its removal.
    const bool going =
        now->state == "removing" || now->state == "dead" || says(refusal.error.what, "already in progress");
    if (!going) return std::optional<bool>();
    Waiter removed = TRY(Waiter::open(client, id, WaitCondition::removed, call.until(end)));
    const Exit exit = TRY(removed.wait(call.until(end)));
    if (!exit.error.empty()) return Err{ErrorKind::refused, sentence("remove", id, client) + ": " + exit.error};
    return std::optional(true);
  };
  return change(client, "remove", id, std::move(request), call, goes);
}

Result<void> rename_container(Client& client, const std::string& id, std::string_view name, const Call& call) {
  const Call::TimePoint end = call.end();
  Query query(TRY(path_of(id, "/rename", "rename container")));
  query.add("name", name);
  Request request = request_of(Method::post, std::move(query).str(), "rename", id);
  request.idempotent = false;
  const auto is_named = [&](const std::optional<Container>& now, const Err& refusal) -> Verdict {
    if (now && now->name == name) return std::optional(true);
    Err error = refusal;
    if (says(error.error.what, "in use") || has(client, std::string(name), call.until(end)))
      error.error.kind = ErrorKind::exists;
    return error;
  };
  TRY(change(client, "rename", id, std::move(request), call, is_named));
  return {};
}

Result<std::optional<Container>> inspect_container(Client& client, const std::string& id, const Call& call) {
  Request request = request_of(Method::get, TRY(path_of(id, "/json", "inspect container")), "inspect", id);
  request.accept = {404, 500};
  const Call::TimePoint end = call.end();
  Response response = TRY(client.send(request, call));
  // Podman (5.4) answers 500 in the moment in which it removes the container: the next look knows.
  if (response.status == 500) response = TRY(client.send(request, call.until(end)));
  if (response.status == 404) return std::optional<Container>();
  if (response.status >= 400) return refusal_of(sentence("inspect", id, client), response.body, response.status);
  return std::optional<Container>(TRY(answered(decode_container(response.body), sentence("inspect", id, client))));
}

Result<std::vector<Container>> list_containers(Client& client, const std::vector<std::string>& labels,
                                               const Call& call) {
  Query query("/containers/json");
  query.add("all", "1");
  if (!labels.empty()) query.add("filters", encode_filters({{"label", labels}}));
  const Response response = TRY(client.send({.path = std::move(query).str(), .what = "list containers"}, call));
  return answered(decode_container_list(response.body), client.place("list containers"));
}

}  // namespace plumb::docker
