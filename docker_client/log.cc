#include "docker_client/log.h"

#include <algorithm>
#include <cstdint>

#include "docker_client/query.h"

namespace plumb::docker {

namespace {

constexpr std::size_t kHead = 8;  // which output, three zeros, the size as big-endian
constexpr std::chrono::hours kAlways{24 * 365};

Result<Query> query_of(const std::string& id) {
  if (id.empty()) return Err{ErrorKind::usage, "read the log of a container: its name is empty"};
  Query query("/containers/" + percent_encode(id) + "/logs");
  query.add("stdout", "1").add("stderr", "1");
  return query;
}

// Seconds since 1970 with their fraction, as the engine reads `since`.
std::string time_before_now(std::chrono::milliseconds age) {
  const auto time = std::chrono::system_clock::now().time_since_epoch() - age;
  const auto ms = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
  const std::string fraction = std::to_string(ms % 1000);
  return std::to_string(ms / 1000) + "." + std::string(3 - fraction.size(), '0') + fraction;
}

}  // namespace

Result<std::vector<std::string>> last_lines(Client& client, const std::string& id, unsigned lines, bool tty,
                                            const Call& call) {
  Query query = TRY(query_of(id));
  query.add("tail", std::to_string(lines));
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

Result<void> read_log(Client& client, const std::string& id, bool tty, const LogRange& range, const LogSink& sink,
                      const Call& call) {
  Query query = TRY(query_of(id));
  if (range.tail) query.add("tail", std::to_string(*range.tail));
  if (range.since) query.add("since", time_before_now(*range.since));
  if (range.timestamps) query.add("timestamps", "1");
  if (range.follow) query.add("follow", "1");
  LogFrames frames(client.place("read the log of container " + id));
  bool taken = false;
  const Sink take = [&](std::string_view bytes) {
    taken = true;
    return tty ? sink(LogOutput::out, bytes) : frames.feed(bytes, sink);
  };
  Exchange exchange =
      TRY(client.begin({.path = std::move(query).str(), .what = "read the log of container " + id}, take, call));
  if (range.follow) {
    TRY(exchange.finish({kAlways, call.stop}));
    return frames.finish();
  }
  // A log may be long and its reader slow, so each piece has the call's time: an engine that hangs ends it.
  for (bool ended = false; !ended;) {
    taken = false;
    ended = TRY(exchange.feed([&taken] { return taken; }, call));
  }
  return frames.finish();
}

Result<void> LogFrames::read_head() {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(head_[i]); };
  if (byte(0) > 3 || byte(1) != 0 || byte(2) != 0 || byte(3) != 0)
    return Err{ErrorKind::failed, what_ + ": a frame was expected and is not there"};
  // 0 is the container's input, which no log has; 3 is an error of the engine's own.
  output_ = byte(0) < 2 ? LogOutput::out : LogOutput::err;
  left_ = 0;
  for (std::size_t i = 4; i < kHead; ++i) left_ = left_ << 8U | byte(i);
  head_.clear();
  return {};
}

Result<void> LogFrames::feed(std::string_view bytes, const LogSink& sink) {
  while (!bytes.empty()) {
    if (left_ > 0) {
      const auto piece = bytes.substr(0, left_);
      TRY(sink(output_, piece));
      left_ -= piece.size();
      bytes.remove_prefix(piece.size());
      continue;
    }
    const auto part = bytes.substr(0, kHead - head_.size());
    head_ += part;
    bytes.remove_prefix(part.size());
    if (head_.size() == kHead) TRY(read_head());
  }
  return {};
}

Result<void> LogFrames::finish() const {
  if (left_ > 0 || !head_.empty()) return Err{ErrorKind::failed, what_ + ": it ended inside a frame"};
  return {};
}

std::string unframed(std::string_view stream) {
  std::string out;
  LogFrames frames;
  // What is no frame ends the text.
  static_cast<void>(frames.feed(stream, [&](LogOutput /*output*/, std::string_view piece) -> Result<void> {
    out += piece;
    return {};
  }));
  return out;
}

}  // namespace plumb::docker
