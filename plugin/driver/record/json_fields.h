// JsonFields: the members of a JSON object, read strictly: one that is missing is empty, one of another type than it
// should be is an error, in words of the caller's.
//
// For what only this program, or only a protocol, has any business to write; what an engine answers is read with
// indulgence (docker_client/json.h). Threads: a value. Privilege: none. Included by .cc files only: the library's
// header is slow to compile.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "docker_client/json.h"
#include "specs/value/result.h"

namespace plumb::driver {

class JsonFields {
 public:
  // The error whose reason is "NAME is not a text".
  using Fault = std::function<Err(const std::string& reason)>;
  JsonFields(docker::Json object, Fault fault) : object_(std::move(object)), fault_(std::move(fault)) {}

  [[nodiscard]] const docker::Json& operator[](const char* name) const { return docker::member(object_, name); }
  [[nodiscard]] Err fault(const std::string& reason) const { return fault_(reason); }

  // Empty when it is missing.
  [[nodiscard]] Result<std::string> text(const char* name) const;
  // False when it is missing.
  [[nodiscard]] Result<bool> flag(const char* name) const;
  // Has to be there.
  [[nodiscard]] Result<std::uint64_t> number(const char* name) const;
  // Empty when it is missing.
  [[nodiscard]] Result<std::vector<docker::Json>> items(const char* name) const;
  // The same.
  [[nodiscard]] Result<std::map<std::string, std::string>> pairs(const char* name) const;

  // Nothing when it is missing.
  template <typename Parse>
  [[nodiscard]] auto optional(const char* name, Parse parse) const
      -> Result<std::optional<typename decltype(parse(std::string_view()))::value_type>> {
    using T = typename decltype(parse(std::string_view()))::value_type;
    const auto written = TRY(text(name));
    if (written.empty()) return std::optional<T>{};
    auto parsed = parse(std::string_view(written));
    if (!parsed) return fault(std::string(name) + ": " + parsed.error().what);
    return std::optional<T>(std::move(parsed).value());
  }

  template <typename Parse>
  [[nodiscard]] auto required(const char* name, Parse parse) const
      -> Result<typename decltype(parse(std::string_view()))::value_type> {
    auto out = TRY(optional(name, parse));
    if (!out) return fault(std::string(name) + " is missing");
    return *std::move(out);
  }

  template <typename Parse>
  [[nodiscard]] auto list(const char* name, Parse parse) const
      -> Result<std::vector<typename decltype(parse(std::string_view()))::value_type>> {
    std::vector<typename decltype(parse(std::string_view()))::value_type> out;
    for (const docker::Json& item : TRY(items(name))) {
      if (!item.is_string()) return fault(std::string(name) + " has an item that is not a text");
      auto parsed = parse(std::string_view(item.get_ref<const std::string&>()));
      if (!parsed) return fault(std::string(name) + ": " + parsed.error().what);
      out.push_back(std::move(parsed).value());
    }
    return out;
  }

 private:
  docker::Json object_;
  Fault fault_;
};

}  // namespace plumb::driver
