#include "docker_client/curl.h"

#include <cstdint>

#include "docker_client/shared_library.h"

namespace plumb::docker {

namespace {

// No TLS, no other protocol is ever used. libcurl sets OpenSSL up all the same, if that is what it was built with: it
// is told before to read no configuration file and to leave nothing to do at exit (OPENSSL_init_crypto(3)), which saves
// 0.3 ms.
void keep_openssl_short(void* library) {
  constexpr std::uint64_t kNoLoadConfig = 0x80;    // OPENSSL_INIT_NO_LOAD_CONFIG, openssl/crypto.h
  constexpr std::uint64_t kNoAtexit = 0x00080000;  // OPENSSL_INIT_NO_ATEXIT
  using Init = int (*)(std::uint64_t, const void*);
  if (const auto init = reinterpret_cast<Init>(::dlsym(library, "OPENSSL_init_crypto")))
    init(kNoLoadConfig | kNoAtexit, nullptr);
}

Result<Curl> load() {
  void* library = TRY(load_library(PLUMB_CURL_SONAME));
  Curl out;
#define PLUMB_FIND(name) TRY(find_function(library, "curl_" #name, out.name));
  PLUMB_CURL_FUNCTIONS(PLUMB_FIND)
#undef PLUMB_FIND
  keep_openssl_short(library);
  if (out.global_init(CURL_GLOBAL_NOTHING) != CURLE_OK) return Err{ErrorKind::failed, "libcurl cannot be set up"};
  return out;
}

}  // namespace

const Result<Curl>& load_curl() {
  static const Result<Curl> kLoaded = load();
  return kLoaded;
}

}  // namespace plumb::docker
