// Waiter: hears the end of a container, subscribed before the cause is set off, so that no exit is missed.
//
// Threads: one at a time; it may outlive its Client. Privilege: that of the Client.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "docker_client/client.h"

namespace plumb::docker {

enum class WaitCondition { not_running, next_exit, removed };

struct Exit {
  int status = 0;       // exit code of the container's first process; 0 when `gone`
  std::string error{};  // why the wait itself failed at the engine; mostly empty
  bool gone = false;    // the container did not exist (any more)
};

class Waiter {
 public:
  // Returns when the engine has the subscription: POST /containers/ID/wait sends its head at once (API 1.30). With
  // `removed` a container that does not exist is an answer (`gone`); with the others it is `not_found`.
  [[nodiscard]] static Result<Waiter> open(Client& client, const std::string& id, WaitCondition condition,
                                           const Call& call);

  Waiter(Waiter&&) noexcept;
  Waiter& operator=(Waiter&&) noexcept;
  ~Waiter();

  // Blocks until the condition holds. After a `timeout` it may be called again. Errors: `timeout`, `cancelled`,
  // `unreachable` (the engine went away: inspect when it is back).
  [[nodiscard]] Result<Exit> wait(const Call& call);

 private:
  struct State;
  explicit Waiter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The body of the answer. Pure. Errors: `failed`.
[[nodiscard]] Result<Exit> decode_exit(std::string_view json);

}  // namespace plumb::docker
