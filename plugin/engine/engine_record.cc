#include "plugin/engine/engine_record.h"

#include <sstream>

#include "plugin/node/state_file.h"

namespace plumb {

namespace {

constexpr unsigned kVersion = 1;

}  // namespace

std::string encode(const EngineRecord& record) {
  // Without a start time it is as good as torn: it says of no process that it is the engine.
  const std::string rest =
      record.start_time.empty() ? std::string() : " " + record.start_time + " " + std::to_string(kVersion);
  return std::to_string(record.pid) + rest + "\n";
}

Result<std::optional<EngineRecord>> decode_engine(const std::string& text) {
  std::istringstream words(text);
  EngineRecord out;
  if (!(words >> out.pid >> out.start_time) || out.pid <= 0) return std::optional<EngineRecord>();
  unsigned version = kVersion;
  if (words >> version && version > kVersion)
    return Err{unknown_version(std::to_string(version), std::to_string(kVersion))};
  return std::optional(std::move(out));
}

}  // namespace plumb
