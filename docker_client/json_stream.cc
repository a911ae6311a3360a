#include "docker_client/json_stream.h"

#include "docker_client/json.h"

namespace plumb::docker {

namespace {
bool is_between(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\x1e'; }
}  // namespace

Result<void> JsonSplitter::feed(std::string_view bytes,
                                const std::function<Result<void>(std::string_view)>& on_object) {
  std::size_t begin = 0;  // of the object's part in `bytes`
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (depth_ == 0) {
      if (is_between(c)) continue;
      if (c != '{') {
        return Err{ErrorKind::failed,
                   what_ + ": an object was expected and is not there, but " + beginning_of(bytes.substr(i))};
      }
      begin = i;
    }
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{') {
      ++depth_;
    } else if (c == '}' && --depth_ == 0) {
      const std::string_view part = bytes.substr(begin, i + 1 - begin);
      if (kept_.size() + part.size() > limit_) return Err{ErrorKind::failed, what_ + ": an object is too big"};
      if (kept_.empty()) {
        TRY(on_object(part));
      } else {
        kept_ += part;
        const std::string object = std::move(kept_);
        kept_.clear();
        TRY(on_object(object));
      }
      begin = i + 1;
    }
  }
  if (depth_ > 0) {
    const std::string_view part = bytes.substr(begin);
    if (kept_.size() + part.size() > limit_) return Err{ErrorKind::failed, what_ + ": an object is too big"};
    kept_ += part;
  }
  return {};
}

Result<void> JsonSplitter::finish() const {
  if (depth_ > 0) return Err{ErrorKind::failed, what_ + ": it ended inside an object"};
  return {};
}

}  // namespace plumb::docker
