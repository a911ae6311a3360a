// Engine: a real Docker Engine (or Podman's service) of a test's own, in its own network namespace with its own data,
// socket and containerd.
//
// Threads: one at a time. Privilege: root. It touches nothing of the machine's own engine, devices or namespaces.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"
#include "tests/docker_client/process.h"
#include "tests/docker_client/scratch.h"

namespace plumb::test {

enum class EngineKind { docker, podman };

class Engine {
 public:
  // Not started yet. `netns`: a namespace to run in; -1: one of its own.
  explicit Engine(EngineKind kind = EngineKind::docker, int netns = -1);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Returns when the engine answers: dockerd says READY=1 (sd_notify); Podman inherits a socket that queues.
  [[nodiscard]] Result<void> start(const std::vector<std::string>& more_arguments = {});
  void stop();  // SIGTERM
  void kill();  // SIGKILL: its containers live on until the next start or ~Engine

  [[nodiscard]] const std::string& socket() const { return socket_; }
  [[nodiscard]] const std::string& folder() const { return scratch_.path(); }
  [[nodiscard]] int netns() const { return netns_; }
  [[nodiscard]] pid_t pid() const { return process_ ? process_->pid() : 0; }
  [[nodiscard]] std::string log() const;

 private:
  [[nodiscard]] Result<void> start_docker(const std::vector<std::string>& more_arguments);
  [[nodiscard]] Result<void> start_podman(const std::vector<std::string>& more_arguments);
  void end_orphans() const;

  EngineKind kind_;
  Scratch scratch_;
  UniqueFd own_netns_;
  int netns_;
  std::string socket_;
  std::optional<Process> process_;
};

}  // namespace plumb::test
