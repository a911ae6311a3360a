#include "plugin/engine/service_engine.h"

#include <algorithm>
#include <map>
#include <utility>

#include "docker_client/endpoint.h"
#include "plugin/engine/engine_time.h"

namespace plumb {

namespace {

struct Verdicts {
  std::mutex mutex;
  int holders = 0;
  std::map<std::string, Error> hung;  // by socket
};

Verdicts& verdicts() {
  static Verdicts all;
  return all;
}

std::optional<Error> verdict_on(const std::string& socket) {
  const std::lock_guard lock(verdicts().mutex);
  const auto found = verdicts().hung.find(socket);
  return found == verdicts().hung.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

bool needs_engine(const Service& service) {
  return std::any_of(service.containers.begin(), service.containers.end(),
                     [](const ContainerResource& c) { return !c.disable; });
}

void take_as_hung(const std::string& socket, const Error& why) {
  const std::lock_guard lock(verdicts().mutex);
  if (verdicts().holders > 0) verdicts().hung.insert_or_assign(socket, why);
}

OneVerdict::OneVerdict() {
  const std::lock_guard lock(verdicts().mutex);
  ++verdicts().holders;
}

OneVerdict::~OneVerdict() {
  const std::lock_guard lock(verdicts().mutex);
  if (--verdicts().holders == 0) verdicts().hung.clear();
}

ServiceEngine::ServiceEngine(const Service& service) : node_socket_(service.engine_socket) {
  if (!service.docker_data_dir.empty()) private_ = PrivateEngine::of(service);
}

Result<std::string> ServiceEngine::socket() const {
  if (private_) return private_->socket();
  if (!node_socket_.empty()) return node_socket_;
  return docker::engine_socket(docker::Environment::of_process());
}

Result<EngineState> ServiceEngine::state() const { return private_ ? private_->state() : EngineState::up; }

ObservedEngine ServiceEngine::observe(const std::stop_token& stop) {
  ObservedEngine out;
  out.is_private = is_private();
  const auto path = socket();
  out.socket = path ? "unix://" + *path : std::string{};
  if (private_) {
    auto state = private_->state();
    if (!state) {
      out.state = EngineState::unreachable;
      out.error = std::move(state).error();
      return out;
    }
    out.state = *state;
    if (out.state != EngineState::up) return out;
  }
  auto connected = client(stop);
  // Its process lives, its socket is not there yet: a start that was killed has begun it, and it goes on starting.
  if (!connected && private_ && connected.error().kind == ErrorKind::unreachable && private_->start(stop))
    connected = client(stop);
  if (!connected) {
    out.state = EngineState::unreachable;
    out.error = connected.error();
    return out;
  }
  out.state = EngineState::up;
  out.version = "API " + docker::to_string((*connected)->version());
  out.keeps_joined = (*connected)->manners().keeps_joined;
  return out;
}

Result<docker::Client*> ServiceEngine::client(const std::stop_token& stop) {
  const std::lock_guard lock(mutex_);
  if (!client_) {
    if (hung_) return Err{*hung_};
    const auto path = TRY(socket());
    if (auto hung = verdict_on(path)) return Err{*std::move(hung)};
    auto opened = EngineTime::count([&] {
      return docker::Client::open(path, docker::Call{std::chrono::seconds{30}, stop});
    });
    if (!opened && opened.error().kind == ErrorKind::timeout) {
      hung_ = opened.error();
      plumb::take_as_hung(path, opened.error());
    }
    client_ = std::make_unique<docker::Client>(TRY(std::move(opened)));
  }
  return client_.get();
}

void ServiceEngine::take_as_hung(const Error& why) {
  if (const auto path = socket()) plumb::take_as_hung(*path, why);
  const std::lock_guard lock(mutex_);
  client_.reset();
  hung_ = why;
}

Result<std::string> ServiceEngine::start(const std::stop_token& stop) {
  return EngineTime::count([&] { return private_->start(stop); });
}

Result<void> ServiceEngine::stop() {
  {
    const std::lock_guard lock(mutex_);
    client_.reset();
    hung_.reset();
  }
  return EngineTime::count([&] { return private_->stop(); });
}

}  // namespace plumb
