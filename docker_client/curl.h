// libcurl, the engine's transport, loaded when somebody asks for it: see docker_client/shared_library.h.
//
// Threads: any. Privilege: none. Source: libcurl 7.88, curl/curl.h.
#pragma once

#include <curl/curl.h>

#include "specs/value/result.h"

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): one list for the table, its loading and its check
#define PLUMB_CURL_FUNCTIONS(F) \
  F(easy_cleanup)               \
  F(easy_getinfo)               \
  F(easy_init)                  \
  F(easy_setopt)                \
  F(easy_strerror)              \
  F(global_init)                \
  F(multi_add_handle)           \
  F(multi_cleanup)              \
  F(multi_info_read)            \
  F(multi_init)                 \
  F(multi_perform)              \
  F(multi_poll)                 \
  F(multi_remove_handle)        \
  F(multi_setopt)               \
  F(multi_wakeup)               \
  F(slist_append)               \
  F(slist_free_all)

namespace plumb::docker {

struct Curl {
// NOLINTNEXTLINE(bugprone-macro-parentheses): the name of a member
#define PLUMB_MEMBER(name) decltype(&::curl_##name) name = nullptr;
  PLUMB_CURL_FUNCTIONS(PLUMB_MEMBER)
#undef PLUMB_MEMBER
};

// Loads it and sets it up, once in a process: the first call takes milliseconds. Errors: failed.
[[nodiscard]] const Result<Curl>& load_curl();

// What load_curl() has loaded: call it where that has been well.
[[nodiscard]] inline const Curl& curl() { return *load_curl(); }

}  // namespace plumb::docker
