// Overloaded: one callable of several, each for an alternative of a variant, for std::visit.
//
// Threads: plain values. Privilege: none.
#pragma once

namespace plumb {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace plumb
