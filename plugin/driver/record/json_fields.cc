#include "plugin/driver/record/json_fields.h"

namespace plumb::driver {

using docker::Json;

Result<std::string> JsonFields::text(const char* name) const {
  const Json& value = (*this)[name];
  if (value.is_null()) return std::string();
  if (!value.is_string()) return fault(std::string(name) + " is not a text");
  return value.get_ref<const std::string&>();
}

Result<bool> JsonFields::flag(const char* name) const {
  const Json& value = (*this)[name];
  if (!value.is_null() && !value.is_boolean()) return fault(std::string(name) + " is neither true nor false");
  return value.is_boolean() && value.get<bool>();
}

Result<std::uint64_t> JsonFields::number(const char* name) const {
  const Json& value = (*this)[name];
  if (!value.is_number_unsigned()) return fault(std::string(name) + " is not a number");
  return value.get<std::uint64_t>();
}

Result<std::vector<Json>> JsonFields::items(const char* name) const {
  const Json& value = (*this)[name];
  if (value.is_null()) return std::vector<Json>{};
  if (!value.is_array()) return fault(std::string(name) + " is not a list");
  return std::vector<Json>(value.begin(), value.end());
}

Result<std::map<std::string, std::string>> JsonFields::pairs(const char* name) const {
  const Json& value = (*this)[name];
  auto out = docker::pairs_of(object_, name);
  if (!value.is_null() && (!value.is_object() || out.size() != value.size()))
    return fault(std::string(name) + " are not names and texts");
  return out;
}

}  // namespace plumb::driver
