// Any bytes where the engine's JSON is expected: every decoder must answer a value or an error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "docker_client/container.h"
#include "docker_client/events.h"
#include "docker_client/image.h"
#include "docker_client/info.h"
#include "docker_client/registry.h"
#include "docker_client/waiter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::docker;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(decode_container(text));
  static_cast<void>(decode_container_list(text));
  static_cast<void>(decode_exit(text));
  static_cast<void>(decode_image(text));
  static_cast<void>(decode_stream_message(text));
  static_cast<void>(decode_event(text));
  static_cast<void>(decode_info(text));
  static_cast<void>(decode_version(text));
  static_cast<void>(wanted_version(error_message(text, 500)));
  static_cast<void>(name_holder(text));
  static_cast<void>(parse_api_version(text));
  static_cast<void>(decode_credentials(text, "docker.io", "config.json"));
  if (const auto image = parse_reference(text); image && image->name.empty()) __builtin_trap();
  return 0;
}
