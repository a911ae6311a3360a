#include "docker_client/log.h"

#include <algorithm>

#include "docker_client/query.h"

namespace plumb::docker {

Result<std::vector<std::string>> last_lines(Client& client, const std::string& id, unsigned lines, bool tty,
                                            const Call& call) {
  if (id.empty()) return Err{ErrorKind::usage, "read the log of a container: its name is empty"};
  Query query("/containers/" + percent_encode(id) + "/logs");
  query.add("stdout", "1").add("stderr", "1").add("tail", std::to_string(lines));
  const Response response =
      TRY(client.send({.path = std::move(query).str(), .what = "read the log of container " + id}, call));
  const std::string text = tty ? response.body : unframed(response.body);
  std::vector<std::string> out;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) out.emplace_back(line);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  if (out.size() > lines) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(lines));
  return out;
}

std::string unframed(std::string_view stream) {
  constexpr std::size_t kHead = 8;  // which output, three zeros, the size as big-endian
  std::string out;
  while (stream.size() > kHead) {
    std::size_t size = 0;
    for (std::size_t i = 4; i < kHead; ++i) size = size << 8U | static_cast<unsigned char>(stream[i]);
    stream.remove_prefix(kHead);
    size = std::min(size, stream.size());
    out += stream.substr(0, size);
    stream.remove_prefix(size);
  }
  return out;
}

}  // namespace plumb::docker
