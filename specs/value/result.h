// Errors as values: Error, Result<T> and the TRY macro that every layer of plumb uses.
//
// Threads: plain values, no shared state. Privilege: none.
// Result is modelled on C++23 std::expected (same member names), which neither g++ 12 in C++20 mode nor clang 14 has.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace plumb {

// What went wrong, in the terms a caller can act on. plugin/output/exit_code.h maps each kind to one exit code.
enum class ErrorKind {
  usage,        // the command line is wrong
  spec,         // the service's configuration is wrong
  not_found,    // the named object (container, image, device, service) does not exist
  exists,       // the object exists already and is not what was asked for
  conflict,     // somebody else answers for the address
  permission,   // EPERM, EACCES, a missing capability
  unsupported,  // this kernel or engine cannot do it
  unreachable,  // the engine (or a peer) does not answer at all
  refused,      // the engine or the kernel said no, with a reason
  timeout,      // a deadline passed
  cancelled,    // another step failed, or a signal came
  failed,       // anything else
};

// One word for each kind, as JSON output shows it.
[[nodiscard]] std::string_view to_string(ErrorKind kind);

// An error. `what` is the sentence "operation, object, place: reason" with the kernel's or the engine's own words.
struct Error {
  ErrorKind kind = ErrorKind::failed;
  int code = 0;      // errno of a system call, HTTP status of an engine request, else 0
  std::string what;  // one sentence, no newline at the end
  std::string next;  // what to do about it, a sentence; empty where nothing general can be said
};

// An Error from an errno value: "operation: strerror", kind chosen from the errno.
[[nodiscard]] Error errno_error(int err, std::string_view operation);

// Wraps an error for Result's constructor: `return Err{ErrorKind::timeout, "..."}`.
struct Err {
  Error error;
  explicit Err(Error e) : error(std::move(e)) {}
  Err(ErrorKind kind, std::string what, std::string next = {}, int code = 0)
      : error{kind, code, std::move(what), std::move(next)} {}
};

// Either a T or an Error. Dropping one is a compiler error.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Err err) : state_(std::in_place_index<1>, std::move(err.error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // Precondition: has_value(). Aborts otherwise: a wrong access is a bug, never input.
  [[nodiscard]] T& value() & {
    return has_value() ? *std::get_if<0>(&state_) : (std::abort(), *std::get_if<0>(&state_));
  }
  [[nodiscard]] const T& value() const& {
    return has_value() ? *std::get_if<0>(&state_) : (std::abort(), *std::get_if<0>(&state_));
  }
  [[nodiscard]] T&& value() && { return std::move(value()); }
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T&& operator*() && { return std::move(value()); }
  [[nodiscard]] T* operator->() { return &value(); }
  [[nodiscard]] const T* operator->() const { return &value(); }

  // Precondition: !has_value().
  [[nodiscard]] Error& error() & {
    return has_value() ? (std::abort(), *std::get_if<1>(&state_)) : *std::get_if<1>(&state_);
  }
  [[nodiscard]] const Error& error() const& {
    return has_value() ? (std::abort(), *std::get_if<1>(&state_)) : *std::get_if<1>(&state_);
  }
  [[nodiscard]] Error&& error() && { return std::move(error()); }

  [[nodiscard]] T value_or(T other) const& { return has_value() ? value() : std::move(other); }

 private:
  std::variant<T, Error> state_;
};

// Success or an Error. `return {};` is success.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Err err) : error_(std::move(err.error)), ok_(false) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const { return ok_; }
  explicit operator bool() const { return ok_; }
  void value() const {
    if (!ok_) std::abort();
  }
  [[nodiscard]] Error& error() & { return ok_ ? (std::abort(), error_) : error_; }
  [[nodiscard]] const Error& error() const& { return ok_ ? (std::abort(), error_) : error_; }
  [[nodiscard]] Error&& error() && { return std::move(error()); }

 private:
  Error error_;
  bool ok_ = true;
};

namespace detail {
template <typename T>
T take(Result<T>&& r) {
  return std::move(r).value();
}
inline void take(Result<void>&& /*r*/) {}
}  // namespace detail

}  // namespace plumb

// The value of `expr` (a Result<T>), or returns its error from the enclosing function. A statement expression, which
// both compilers of the project have. Not within another TRY (its variable would be shadowed), and not within the
// braces of an aggregate behind members that own memory: both compilers forget to destroy those when it returns.
#define TRY(expr)                                                                                \
  __extension__({                                                                                \
    auto plumb_try_result = (expr);                                                              \
    if (!plumb_try_result.has_value()) return ::plumb::Err{std::move(plumb_try_result).error()}; \
    ::plumb::detail::take(std::move(plumb_try_result));                                          \
  })
