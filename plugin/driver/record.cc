#include "plugin/driver/record.h"

#include <utility>

#include "docker_client/json.h"
#include "plugin/driver/store.h"
#include "plugin/driver/subnet.h"
#include "specs/service/link_value.h"
#include "specs/service/uplink.h"
#include "specs/value/text.h"

namespace plumb::driver {

namespace {

using docker::Json;

constexpr int version = 1;

Err broken(const std::string& why) { return Err{ErrorKind::failed, "it is no record of this program: " + why}; }

// A record's JSON, read strictly: what is of another type than it was written as is an error, since nobody but this
// program writes records.
class RecordReader {
 public:
  [[nodiscard]] static Result<RecordReader> open(const std::string& text) {
    Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return broken("not a JSON object");
    const Json& number = docker::member(json, "version");
    if (!number.is_number_unsigned() || number == 0U) return broken("it has no version");
    if (number > version)
      return Err{ErrorKind::unsupported, "it has version " + number.dump() + " and this program knows version " +
                                             std::to_string(version) + " only"};
    return RecordReader(std::move(json));
  }
  explicit RecordReader(Json json) : json_(std::move(json)) {}

  // Empty when it is missing.
  [[nodiscard]] Result<std::string> text(const char* name) const {
    const Json& value = docker::member(json_, name);
    if (value.is_null()) return std::string();
    if (!value.is_string()) return broken(std::string(name) + " is not a text");
    return value.get_ref<const std::string&>();
  }

  [[nodiscard]] Result<std::string> id(const char* name) const {
    auto out = TRY(text(name));
    if (!is_record_id(out)) return broken(std::string(name) + " " + in_quotes(out) + " is not an id");
    return out;
  }

  // Nothing when it is missing.
  template <typename Parse>
  [[nodiscard]] auto optional(const char* name, Parse parse) const
      -> Result<std::optional<typename decltype(parse(std::string_view()))::value_type>> {
    using T = typename decltype(parse(std::string_view()))::value_type;
    const auto written = TRY(text(name));
    if (written.empty()) return std::optional<T>{};
    auto parsed = parse(std::string_view(written));
    if (!parsed) return broken(std::string(name) + ": " + parsed.error().what);
    return std::optional<T>(std::move(parsed).value());
  }

  template <typename Parse>
  [[nodiscard]] auto required(const char* name, Parse parse) const
      -> Result<typename decltype(parse(std::string_view()))::value_type> {
    auto out = TRY(optional(name, parse));
    if (!out) return broken(std::string(name) + " is missing");
    return *std::move(out);
  }

  template <typename Parse>
  [[nodiscard]] auto list(const char* name, Parse parse) const
      -> Result<std::vector<typename decltype(parse(std::string_view()))::value_type>> {
    std::vector<typename decltype(parse(std::string_view()))::value_type> out;
    for (const Json& item : TRY(items(name))) {
      if (!item.is_string()) return broken(std::string(name) + " has an item that is not a text");
      auto parsed = parse(std::string_view(item.get_ref<const std::string&>()));
      if (!parsed) return broken(std::string(name) + ": " + parsed.error().what);
      out.push_back(std::move(parsed).value());
    }
    return out;
  }

  [[nodiscard]] Result<std::vector<Json>> items(const char* name) const {
    const Json& value = docker::member(json_, name);
    if (value.is_null()) return std::vector<Json>{};
    if (!value.is_array()) return broken(std::string(name) + " is not a list");
    return std::vector<Json>(value.begin(), value.end());
  }

  [[nodiscard]] Result<std::map<std::string, std::string>> pairs(const char* name) const {
    const Json& value = docker::member(json_, name);
    auto out = docker::pairs_of(json_, name);
    if (!value.is_null() && (!value.is_object() || out.size() != value.size()))
      return broken(std::string(name) + " are not names and texts");
    return out;
  }

  [[nodiscard]] Result<bool> flag(const char* name) const {
    const Json& value = docker::member(json_, name);
    if (!value.is_null() && !value.is_boolean()) return broken(std::string(name) + " is neither true nor false");
    return value.is_boolean() && value.get<bool>();
  }

  [[nodiscard]] Result<std::uint64_t> number(const char* name) const {
    const Json& value = docker::member(json_, name);
    if (!value.is_number_unsigned()) return broken(std::string(name) + " is not a number");
    return value.get<std::uint64_t>();
  }

 private:
  Json json_;
};

Result<Cidr> parse_pool(std::string_view text) { return parse_subnet(text, "subnet"); }

Result<DedicatedMark> parse_mark(std::string_view text) {
  auto mark = DedicatedMark::parse(text);
  if (!mark) return Err{ErrorKind::failed, in_quotes(text) + " marks no device"};
  return *std::move(mark);
}

template <typename T>
Json texts(const std::vector<T>& values) {
  Json out = Json::array();
  for (const T& value : values) out.push_back(value.to_string());
  return out;
}

Result<Subnet> read_subnet(Json json) {
  if (!json.is_object()) return broken("subnets has an item that is not an object");
  const RecordReader reader(std::move(json));
  const auto pool = TRY(reader.required("pool", parse_pool));
  Subnet out{pool, {}, {}};
  out.gateway = TRY(reader.optional("gateway", IpAddress::parse));
  out.auxiliaries = TRY(reader.list("auxiliaries", IpAddress::parse));
  return out;
}

}  // namespace

std::string encode(const NetworkRecord& record) {
  Json subnets = Json::array();
  for (const auto& subnet : record.subnets) {
    Json out{{"pool", subnet.pool.to_string()}, {"auxiliaries", texts(subnet.auxiliaries)}};
    if (subnet.gateway) out["gateway"] = subnet.gateway->to_string();
    subnets.push_back(std::move(out));
  }
  return docker::dump({{"version", version},
                       {"id", record.id},
                       {"options", record.options},
                       {"internal", record.internal},
                       {"subnets", std::move(subnets)}});
}

std::string encode(const EndpointRecord& record) {
  Json out{{"version", version},
           {"id", record.id},
           {"network", record.network},
           {"addresses", texts(record.addresses)},
           {"device", record.device},
           {"outer", record.outer},
           {"sandbox", record.sandbox},
           {"boot_id", record.boot_id},
           {"mode", std::string(mode_name(record.mode))},
           {"uplink", record.uplink}};
  if (record.mac) out["mac"] = record.mac->to_string();
  if (record.was) out["was"] = record.was->to_string();
  return docker::dump(out);
}

std::string encode(const PoolRecord& record) {
  Json out{{"version", version},
           {"id", record.id},
           {"number", record.number},
           {"pool", record.pool.to_string()},
           {"auxiliaries", texts(record.auxiliaries)},
           {"network", record.network}};
  if (record.range) out["range"] = record.range->to_string();
  if (record.gateway) out["gateway"] = record.gateway->to_string();
  return docker::dump(out);
}

Result<NetworkRecord> decode_network(const std::string& text) {
  const auto reader = TRY(RecordReader::open(text));
  NetworkRecord out;
  out.id = TRY(reader.id("id"));
  out.options = TRY(reader.pairs("options"));
  auto parsed = parse_options(out.options);
  if (!parsed) return broken(parsed.error().what);
  out.parsed = std::move(*parsed);
  out.internal = TRY(reader.flag("internal"));
  for (Json& subnet : TRY(reader.items("subnets"))) out.subnets.push_back(TRY(read_subnet(std::move(subnet))));
  return out;
}

Result<EndpointRecord> decode_endpoint(const std::string& text) {
  const auto reader = TRY(RecordReader::open(text));
  EndpointRecord out;
  out.id = TRY(reader.id("id"));
  out.network = TRY(reader.id("network"));
  out.addresses = TRY(reader.list("addresses", Cidr::parse));
  out.mac = TRY(reader.optional("mac", Mac::parse));
  out.mode = mode_of(TRY(reader.text("mode")));
  if (out.mode == IpMode::automatic) return broken("it has no mode");
  out.uplink = TRY(reader.text("uplink"));
  out.device = TRY(reader.text("device"));
  out.outer = TRY(reader.text("outer"));
  out.sandbox = TRY(reader.text("sandbox"));
  out.boot_id = TRY(reader.text("boot_id"));
  out.was = TRY(reader.optional("was", parse_mark));
  return out;
}

Result<PoolRecord> decode_pool(const std::string& text) {
  const auto reader = TRY(RecordReader::open(text));
  // Not within the braces: g++ 12 forgets the members that are made already where TRY returns from there.
  const auto id = TRY(reader.id("id"));
  const auto number = TRY(reader.number("number"));
  const auto pool = TRY(reader.required("pool", parse_pool));
  PoolRecord out{id, number, pool, {}, {}, {}, {}};
  out.range = TRY(reader.optional("range", parse_pool));
  if (out.range && !encloses(out.pool, *out.range))
    return broken("range " + out.range->to_string() + " is not part of " + out.pool.to_string());
  out.gateway = TRY(reader.optional("gateway", IpAddress::parse));
  out.auxiliaries = TRY(reader.list("auxiliaries", IpAddress::parse));
  out.network = TRY(reader.text("network"));
  if (!out.network.empty() && !is_record_id(out.network))
    return broken("network " + in_quotes(out.network) + " is not an id");
  return out;
}

}  // namespace plumb::driver
