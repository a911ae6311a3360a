// The flags of `docker run` that plumb knows and does not take.
//
// Threads: pure functions. Privilege: none. Fact: docker/cli, cli/command/container/opts.go.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumb {

struct Refusal {
  std::string why;        // to follow the flag in a sentence
  std::string_view next;  // what to do instead
  bool alone = false;     // the flag takes no value
};

// By the flag's name, or by its letter when the name is empty. Nothing for a flag that nobody knows.
[[nodiscard]] std::optional<Refusal> refusal_of(std::string_view name, char letter);

// The names of those that have a reason of their own.
[[nodiscard]] std::vector<std::string> refused_flags();

}  // namespace plumb
