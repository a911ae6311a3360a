// libmicrohttpd, which only the daemons need, loaded when somebody asks for it: see docker_client/shared_library.h.
//
// Threads: any. Privilege: none. Source: libmicrohttpd 0.9.75, microhttpd.h.
#pragma once

#include <microhttpd.h>

#include "specs/value/result.h"

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): one list for the table, its loading and its check
#define PLUMB_MICROHTTPD_FUNCTIONS(F) \
  F(add_response_header)              \
  F(create_response_from_buffer)      \
  F(destroy_response)                 \
  F(lookup_connection_value)          \
  F(queue_response)                   \
  F(quiesce_daemon)                   \
  F(start_daemon)                     \
  F(stop_daemon)

namespace plumb {

struct Microhttpd {
// NOLINTNEXTLINE(bugprone-macro-parentheses): the name of a member
#define PLUMB_MEMBER(name) decltype(&::MHD_##name) name = nullptr;
  PLUMB_MICROHTTPD_FUNCTIONS(PLUMB_MEMBER)
#undef PLUMB_MEMBER
};

// Once in a process. Errors: failed.
[[nodiscard]] const Result<Microhttpd>& load_microhttpd();

// What load_microhttpd() has loaded: call it where that has been well.
[[nodiscard]] inline const Microhttpd& microhttpd() { return *load_microhttpd(); }

}  // namespace plumb
