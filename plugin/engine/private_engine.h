// PrivateEngine: a Docker Engine of one service's own (`docker_data_dir`): started before the service's first
// container, stopped after its last, found again after a crash, and never taken for another one.
//
// The engine's process is recorded in /run/plumb/SERVICE/engine.pid, with the kernel's start time of that process,
// before the engine's program is even executed: so whoever is killed at whatever instant, the record tells whether that
// very process lives. A socket or pid file that merely exists proves nothing and is never believed.
//
// Threads: one at a time. Privilege: root.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "netns/namespace/process.h"
#include "plugin/engine/engine_record.h"
#include "plugin/node/notify.h"
#include "specs/plan/observed.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

class PrivateEngine {
 public:
  // Precondition: service.docker_data_dir is not empty. Touches nothing.
  [[nodiscard]] static PrivateEngine of(const Service& service);

  [[nodiscard]] const std::string& socket() const { return socket_; }

  // up: its process lives (its API may still be starting); down: there is none; crashed: it ended without stop().
  // Errors, here and below: unsupported, when a newer plumb has recorded it.
  [[nodiscard]] Result<EngineState> state() const;

  // Starts it, or adopts one that is starting, and returns when its API answers: with a warning, or empty. Where
  // systemd is it lives in a unit of its own (engine_scope.h), else in the control group of this process, with a
  // warning if systemd is there and that failed. Errors: not_found (no dockerd), failed with the end of its log,
  // timeout, cancelled (it was ended again).
  [[nodiscard]] Result<std::string> start(const std::stop_token& stop);

  // Ends it and removes what it keeps in /run; its data directory stays. None running: success.
  [[nodiscard]] Result<void> stop();

 private:
  explicit PrivateEngine(const Service& service);
  [[nodiscard]] Result<std::optional<EngineRecord>> read_record() const;
  [[nodiscard]] Result<std::optional<netns::Process>> process() const;
  [[nodiscard]] Result<void> write_record(int pid) const;
  [[nodiscard]] Result<void> prepare_directories() const;
  [[nodiscard]] Result<std::vector<std::string>> arguments() const;
  struct Spawned {
    netns::Process process;
    std::string warning;
  };
  [[nodiscard]] Result<Spawned> spawn(const std::string& notify_path) const;
  [[nodiscard]] Result<void> await_ready(const netns::Process& process, const NotifySocket& notify,
                                         const std::stop_token& stop) const;
  [[nodiscard]] Result<void> await_adopted(const netns::Process& process, const std::stop_token& stop) const;
  void withdraw_leftovers() const;
  void remove_run_files() const;

  std::string service_;
  std::string data_dir_;
  std::vector<std::string> daemon_args_;
  std::string run_dir_;
  std::string socket_;
  std::string pid_file_;
  std::string record_;
  std::string log_;
};

}  // namespace plumb
