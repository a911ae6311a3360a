#include "docker_client/json.h"

#include <algorithm>

namespace plumb::docker {

namespace {

Err not_json(std::string_view text, std::string_view what, std::string_view wanted) {
  std::string sentence(what);
  sentence += ": the engine's answer is not a JSON ";
  sentence += wanted;
  sentence += ": " + beginning_of(text);
  return Err{ErrorKind::failed, std::move(sentence)};
}

Json parse(std::string_view text) { return Json::parse(text.begin(), text.end(), nullptr, false); }

}  // namespace

std::string beginning_of(std::string_view text) {
  if (text.empty()) return "it is empty";
  std::string begin(text.substr(0, 80));
  std::replace_if(
      begin.begin(), begin.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return "\"" + begin + (text.size() > 80 ? "...\"" : "\"");
}

Result<Json> parse_object(std::string_view text, std::string_view what) {
  Json json = parse(text);
  if (!json.is_object()) return not_json(text, what, "object");
  return json;
}

Result<Json> parse_array(std::string_view text, std::string_view what) {
  Json json = parse(text);
  if (!json.is_array()) return not_json(text, what, "array");
  return json;
}

const Json& member(const Json& object, const char* name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::string text_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_string() ? value.get_ref<const std::string&>() : std::string();
}

std::int64_t number_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  // A floating number is not converted: out of range that would be undefined.
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

bool flag_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_boolean() && value.get<bool>();
}

std::vector<std::string> texts_of(const Json& object, const char* name) {
  std::vector<std::string> out;
  const Json& list = member(object, name);
  if (!list.is_array()) return out;
  for (const Json& value : list) {
    if (value.is_string()) out.push_back(value.get_ref<const std::string&>());
  }
  return out;
}

std::map<std::string, std::string> pairs_of(const Json& object, const char* name) {
  std::map<std::string, std::string> out;
  const Json& map = member(object, name);
  if (!map.is_object()) return out;
  for (const auto& [key, value] : map.items()) {
    if (value.is_string()) out.emplace(key, value.get_ref<const std::string&>());
  }
  return out;
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace plumb::docker
