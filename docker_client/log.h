// Log: what a container has written, and writes.
//
// Threads: as Client. Privilege: that of the Client. Facts: Engine API 1.40, ContainerLogs; the framing is that of
// ContainerAttach.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "docker_client/client.h"

namespace plumb::docker {

// The last lines of both outputs, oldest first, without their ends; at most `lines`. `tty`: the container has a
// terminal, so its log has no frames. Errors: `refused` or `unsupported` where the log driver keeps nothing to read.
[[nodiscard]] Result<std::vector<std::string>> last_lines(Client& client, const std::string& id, unsigned lines,
                                                          bool tty, const Call& call);

enum class LogOutput { out, err };

// Takes a piece of what a container wrote on one of its outputs, of any size; an error ends the reading.
using LogSink = std::function<Result<void>(LogOutput, std::string_view)>;

// What of a log is read.
struct LogRange {
  std::optional<unsigned> tail{};                    // only so many of the last lines
  std::optional<std::chrono::milliseconds> since{};  // only what is not older
  bool timestamps = false;                           // the engine puts the time, in RFC 3339, before each line
  bool follow = false;                               // until the container ends
};

// Reads the log, piece by piece as it comes; the call's deadline is for its beginning and, without `follow`, for each
// piece of it; its stop ends all of it. Of a container with a terminal (`tty`) all is output. Errors: those of `sink`;
// `refused` or `unsupported` where the log driver keeps nothing to read; `failed` for a stream without frames, or one
// that ends inside of one.
[[nodiscard]] Result<void> read_log(Client& client, const std::string& id, bool tty, const LogRange& range,
                                    const LogSink& sink, const Call& call);

// Takes a stream out of its frames, however the bytes are chunked. Pure.
class LogFrames {
 public:
  // `what` opens every error sentence.
  explicit LogFrames(std::string what = "read a container's log") : what_(std::move(what)) {}

  // Gives every piece of text in `bytes` to `sink`. Errors: that of `sink`; `failed` for what is no frame. After an
  // error nothing more may be fed.
  [[nodiscard]] Result<void> feed(std::string_view bytes, const LogSink& sink);
  // At the end of the stream. Errors: `failed` when a frame was cut off.
  [[nodiscard]] Result<void> finish() const;

 private:
  [[nodiscard]] Result<void> read_head();

  std::string what_;
  std::string head_;      // the begun head of the next frame
  std::size_t left_ = 0;  // of the present frame's text
  LogOutput output_ = LogOutput::out;
};

// The text in the frames of a stream; what is cut short is given as far as it came. Pure.
[[nodiscard]] std::string unframed(std::string_view stream);

}  // namespace plumb::docker
