// What tests on a real engine share: the value of a result or the end of the test case, and an image.
//
// Threads: those of doctest. Privilege: that of the Client.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "docker_client/client.h"

namespace plumb::test {

// The tag is latest because Podman 4.3 gives an import no other.
inline constexpr const char* kImage = "localhost/plumb-test/busybox:latest";

// The value, or the end of the test case with the error's sentence.
template <typename T>
T good(Result<T> result) {
  if (!result) FAIL(result.error().what);
  return std::move(result).value();
}
inline void good(const Result<void>& result) {
  if (!result) FAIL(result.error().what);
}

// Imports busybox as `name` (the registry's name may be part of it).
void import_busybox(docker::Client& client, const std::string& repository = "localhost/plumb-test/busybox",
                    const std::string& tag = "latest");

}  // namespace plumb::test
