// ServiceEngine: the engine that a service's containers live in, be it the node's own or a private one.
//
// Threads: client() may be called from several threads at once, the rest by one. Privilege: write access to the socket;
// root for a private engine.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "docker_client/client.h"
#include "plugin/engine/private_engine.h"
#include "specs/plan/observed.h"
#include "specs/service/service.h"
#include "specs/value/result.h"

namespace plumb {

// What takes time is to wait for engines: so many services of one engine are worked at side by side, by who works at
// many. More at once would only make the engine queue them.
inline constexpr std::size_t kAtOnceOfOneEngine = 8;

// Whether a verb for the service has to ask an engine at all. Pure.
[[nodiscard]] bool needs_engine(const Service& service);

// As long as one lives, an engine that once has not answered in time is not waited for again by any ServiceEngine: of a
// verb for many services, which one engine may have, each hung engine takes its time limit once. Threads: any.
class OneVerdict {
 public:
  OneVerdict();
  ~OneVerdict();
  OneVerdict(const OneVerdict&) = delete;
  OneVerdict& operator=(const OneVerdict&) = delete;
};
// What was heard of the engine at `socket` by other means than its first word. Nothing, where no OneVerdict lives.
void take_as_hung(const std::string& socket, const Error& why);

class ServiceEngine {
 public:
  // Touches nothing; errors of a wrong DOCKER_HOST or context come from observe() and client().
  explicit ServiceEngine(const Service& service);

  [[nodiscard]] bool is_private() const { return private_.has_value(); }

  // Of the engine. Errors: those of a wrong DOCKER_HOST or context.
  [[nodiscard]] Result<std::string> socket() const;

  // `up` for the node's own engine, which only client() asks; else PrivateEngine::state().
  [[nodiscard]] Result<EngineState> state() const;

  // Asks whether it is there, and connects when it is. Never fails: what went wrong is in the answer.
  [[nodiscard]] ObservedEngine observe(const std::stop_token& stop);

  // The connected client; connects at the first call. An engine that was too slow then is not waited for again. Errors:
  // unreachable, permission, timeout, ...
  [[nodiscard]] Result<docker::Client*> client(const std::stop_token& stop);
  // It was asked, and has not answered in time.
  void take_as_hung(const Error& why);

  // Only for a private engine: PrivateEngine::start() and stop(), with the client made anew or dropped. start() gives a
  // warning, or empty.
  [[nodiscard]] Result<std::string> start(const std::stop_token& stop);
  [[nodiscard]] Result<void> stop();

 private:
  std::optional<PrivateEngine> private_;
  std::string node_socket_;  // empty: the environment's
  std::mutex mutex_;
  std::unique_ptr<docker::Client> client_;
  std::optional<Error> hung_;
};

}  // namespace plumb
