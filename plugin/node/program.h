// Running another program, for the cases where there is no other way: dockerd for a private engine, ovs-vsctl, and the
// docker command on behalf of the user.
//
// Threads: safe from any. Privilege: none of its own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb {

// The absolute path of `name` in PATH, or in the system's sbin directories, which a user's PATH may lack. Errors:
// not_found, with `next`.
[[nodiscard]] Result<std::string> find_program(const std::string& name, const std::string& next);

// A child that waits, before it executes its program, for go(); it ends by itself when its parent dies before that. So
// the parent can record its pid first, and no program ever runs that no record knows.
class GatedProgram {
 public:
  // The child: a session of its own, no signals blocked, standard input from /dev/null, output to `output_fd`, the
  // environment of this process with `extra_environment` ("NAME=value") added. `arguments[0]` is an absolute path.
  [[nodiscard]] static Result<GatedProgram> fork(const std::vector<std::string>& arguments,
                                                 const std::vector<std::string>& extra_environment, int output_fd);
  [[nodiscard]] pid_t pid() const { return pid_; }
  // Lets it execute. Errors: the child is gone.
  [[nodiscard]] Result<void> go();

 private:
  GatedProgram(pid_t pid, UniqueFd gate) : pid_(pid), gate_(std::move(gate)) {}
  pid_t pid_;
  UniqueFd gate_;
};

// What a program that was waited for has left.
struct Ran {
  int status = 0;  // exit code, when no signal ended it
  int signal = 0;
  std::string output;
  std::string errors;
};

// Runs the program and waits for it, however long it takes. `arguments[0]` is an absolute path; standard input is
// /dev/null. Errors: it could not be started.
[[nodiscard]] Result<Ran> run_program(const std::vector<std::string>& arguments);

// Replaces this process by the program, for which SIGPIPE has its default action. Returns only on an error.
[[nodiscard]] Error exec_program(const std::vector<std::string>& arguments);

}  // namespace plumb
