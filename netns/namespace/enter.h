// run_in(): runs a function inside a network namespace, on a short-lived thread that never comes back from it.
//
// A socket keeps the namespace it was made in (sock_net, include/net/sock.h), so a function that opens one and hands it
// out is all that anybody needs; no thread of the program ever has to return from a namespace, which could fail.
// Calls nest at no cost: where the caller is in the namespace already, the function runs at once, without a thread.
// So opening several sockets and writing sysctls in one run_in() costs one thread (about 0.14 ms).
//
// Threads: safe from any; the function runs on another thread while the caller waits. Privilege: CAP_SYS_ADMIN
// (setns(2)).
#pragma once

#include <functional>
#include <optional>
#include <type_traits>

#include "netns/namespace/namespace.h"
#include "specs/value/result.h"

namespace plumb::netns {

namespace detail {
Result<void> run_in(const Namespace& ns, const std::function<void()>& function);
}

// What `function` (which returns a Result) returned in `ns`. Errors: the function's own; permission from setns; failed
// when no thread can be made. The function must not throw.
template <typename F>
[[nodiscard]] std::invoke_result_t<F> run_in(const Namespace& ns, F&& function) {
  std::optional<std::invoke_result_t<F>> out;
  if (auto entered = detail::run_in(ns, [&] { out.emplace(function()); }); !entered)
    return Err{std::move(entered).error()};
  return *std::move(out);
}

// Moves the calling thread into the namespace for good: for a thread that goes on as another program (execve(2) ends
// all others). Errors: permission.
[[nodiscard]] Result<void> enter(const Namespace& ns);

}  // namespace plumb::netns
