// RegistryServer: a real registry (Debian's docker-registry) in a network namespace, on its loopback, without TLS.
//
// Engines take 127.0.0.0/8 for insecure registries without being told. Threads: one at a time. Privilege: root (setns).
#pragma once

#include <optional>
#include <string>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"
#include "tests/docker_client/process.h"
#include "tests/docker_client/scratch.h"

namespace plumb::test {

class RegistryServer {
 public:
  // `with_login`: user `plumb`, password `secret`.
  RegistryServer(int netns, int port, bool with_login = false) : netns_(netns), port_(port), with_login_(with_login) {}

  // Returns when it listens: it says so on its standard error.
  [[nodiscard]] Result<void> start();
  void kill();
  // Cuts every stored layer of more than a kilobyte to half: what a full disk or a bad proxy leaves.
  void truncate_blobs() const;

  [[nodiscard]] std::string name() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  Scratch scratch_;
  int netns_;
  int port_;
  bool with_login_;
  UniqueFd output_;
  std::optional<Process> process_;
};

}  // namespace plumb::test
