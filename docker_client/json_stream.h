// JsonSplitter: cuts a stream of JSON objects into objects, however the bytes are chunked.
//
// Takes concatenated JSON, JSON lines (application/x-ndjson, application/jsonl) and RFC 7464 JSON sequences
// (application/json-seq): between objects it skips white space and the record separator 0x1E. It finds ends, it does
// not validate. Threads: a plain value. Privilege: none. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "specs/value/result.h"

namespace plumb::docker {

class JsonSplitter {
 public:
  // `limit`: the most bytes of one object that are kept. `what` opens every error sentence.
  explicit JsonSplitter(std::size_t limit = std::size_t{1} << 20U, std::string what = "read the engine's stream")
      : limit_(limit), what_(std::move(what)) {}

  // Calls `on_object` for every object that ends in `bytes`, with its text. Errors: that of `on_object`, which stops
  // the splitting; `failed` for something that is not an object, or an object over the limit. After an error nothing
  // more may be fed.
  [[nodiscard]] Result<void> feed(std::string_view bytes,
                                  const std::function<Result<void>(std::string_view)>& on_object);

  // At the end of the stream. Errors: `failed` when an object was cut off.
  [[nodiscard]] Result<void> finish() const;

 private:
  std::size_t limit_;
  std::string what_;
  std::string kept_;  // the begun object
  int depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace plumb::docker
