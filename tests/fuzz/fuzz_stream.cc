// The splitter of JSON streams gives the same objects however the same bytes are chunked, and never keeps more than its
// limit.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "docker_client/json_stream.h"

namespace {

struct Outcome {
  std::vector<std::string> objects;
  bool whole = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

constexpr std::size_t kLimit = 64;

Outcome split(std::string_view text, std::size_t step) {
  plumb::docker::JsonSplitter splitter(kLimit);
  Outcome outcome;
  const auto keep = [&outcome](std::string_view object) -> plumb::Result<void> {
    if (object.size() > kLimit || object.front() != '{' || object.back() != '}') __builtin_trap();
    outcome.objects.emplace_back(object);
    return {};
  };
  for (std::size_t i = 0; i < text.size(); i += step) {
    if (!splitter.feed(text.substr(i, step), keep)) return outcome;
  }
  outcome.whole = splitter.finish().has_value();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = split(text, std::max<std::size_t>(text.size(), 1));
  if (split(text, 1) != whole || split(text, 1U + data[0]) != whole) __builtin_trap();
  return 0;
}
