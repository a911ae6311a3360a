// dump(): asks the kernel for a list, and asks again when the list changed while it was being told.
//
// For this layer only. Threads: as RouteSocket. Privilege: none.
#pragma once

#include <cerrno>
#include <optional>
#include <string_view>
#include <vector>

#include "netns/socket/message.h"
#include "netns/socket/route_socket.h"

namespace plumb::netns {

// The values that `decode` (nlmsghdr -> optional<T>) makes of the answers to `request()`, a Message with NLM_F_DUMP. A
// refusal with an errno of `none` is an empty list. Errors: the kernel's; EINTR when the list never held still
// (NLM_F_DUMP_INTR, linux/netlink.h).
template <typename T, typename Request, typename Decode>
[[nodiscard]] Result<std::vector<T>> dump(RouteSocket& socket, Request request, Decode decode,
                                          std::string_view operation, std::initializer_list<int> none = {}) {
  constexpr int kAttempts = 8;  // a list that changes eight times within microseconds is not going to settle
  Answer answer;
  for (int i = 0; i < kAttempts; ++i) {
    std::vector<T> out;
    Message message = request();
    answer = socket.exchange(message, [&](const nlmsghdr& header) {
      if (std::optional<T> value = decode(header)) out.push_back(*std::move(value));
    });
    if (answer.ok()) return out;
    for (const int err : none)
      if (answer.err == err) return std::vector<T>{};
    if (answer.err != EINTR) break;
  }
  return Err{refusal(answer, operation)};
}

}  // namespace plumb::netns
