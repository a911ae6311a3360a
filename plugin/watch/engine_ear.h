// EngineEar: hears from one engine what happens to containers of services, for as long as it is wanted; when the engine
// goes, it waits for its return.
//
// The return is told by the folder of the engine's socket (inotify(7)), or by poke(). Threads: one of its own, which
// calls the hooks; the functions are safe from any. Privilege: write access to the socket.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::watch {

class EngineEar {
 public:
  struct Hooks {
    std::function<void(const std::string& service)> happened;
    std::function<void()> connected;  // what happened before was not heard: look at everything
    std::function<void(const Error& error)> lost;
  };

  // `pid_file`: of an engine of a service's own, which may be a child of this process that has to be waited for; or
  // empty. Errors: EMFILE.
  [[nodiscard]] static Result<std::unique_ptr<EngineEar>> open(std::string socket, std::string pid_file, Hooks hooks);
  ~EngineEar();
  EngineEar(const EngineEar&) = delete;
  EngineEar& operator=(const EngineEar&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  // The engine has just answered somebody. If it does not answer here, `lost` is called.
  void poke() const;

 private:
  EngineEar(std::string socket, std::string pid_file, Hooks hooks, UniqueFd wake);
  void run(const std::stop_token& stop);
  [[nodiscard]] Error listen(const std::stop_token& stop, UniqueFd& folder);
  void wait(int folder, int child) const;

  std::string socket_;
  std::string pid_file_;
  Hooks hooks_;
  UniqueFd wake_;
  std::atomic<bool> connected_ = false;
  std::jthread thread_;  // last: it uses the others until it is joined
};

}  // namespace plumb::watch
