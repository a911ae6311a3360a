#include "plugin/driver/record/record.h"

#include <array>
#include <charconv>
#include <utility>

#include "plugin/driver/record/json_fields.h"
#include "plugin/driver/record/store.h"
#include "plugin/driver/record/subnet.h"
#include "plugin/node/state_file.h"
#include "specs/service/link_value.h"
#include "specs/service/uplink.h"
#include "specs/value/scalar.h"
#include "specs/value/text.h"

namespace plumb::driver {

namespace {

using docker::Json;

constexpr int kVersion = 1;
constexpr std::string_view kLeaseHeading = "plumb-lease 1";
constexpr std::string_view kChosen = " chosen";

Err broken(const std::string& why) { return Err{ErrorKind::failed, "it is no record of this program: " + why}; }

Result<JsonFields> open_record(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return broken("not a JSON object");
  const Json& number = docker::member(json, "version");
  if (!number.is_number_unsigned() || number == 0U) return broken("it has no version");
  if (number > kVersion) return Err{unknown_version(number.dump(), std::to_string(kVersion))};
  return JsonFields(std::move(json), broken);
}

Result<std::string> id_in(const JsonFields& record, const char* name) {
  auto out = TRY(record.text(name));
  if (!is_record_id(out)) return broken(std::string(name) + " " + in_quotes(out) + " is not an id");
  return out;
}

Result<Cidr> parse_pool(std::string_view text) { return parse_subnet(text, "subnet"); }

Result<DedicatedMark> parse_mark(std::string_view text) {
  auto mark = DedicatedMark::parse(text);
  if (!mark) return Err{ErrorKind::failed, in_quotes(text) + " marks no device"};
  return *std::move(mark);
}

// "EPOCH NONCE ID HIGHEST".
std::string text_of(const claim::Kept& kept) {
  std::string out;
  for (const auto number : {kept.rank.epoch, kept.rank.nonce, kept.rank.id, kept.highest_epoch})
    out += (out.empty() ? "" : " ") + std::to_string(number);
  return out;
}

Result<claim::Kept> parse_kept(std::string_view text) {
  std::array<std::uint64_t, 4> numbers{};
  const auto* at = text.begin();
  for (auto& number : numbers) {
    if (&number != numbers.begin() && (at == text.end() || *at++ != ' ')) return broken("a claim has too few numbers");
    const auto [end, error] = std::from_chars(at, text.end(), number);
    if (error != std::errc{}) return broken("a claim has what is no number");
    at = end;
  }
  if (at != text.end()) return broken("a claim has too many numbers");
  return claim::Kept{{numbers[0], numbers[1], numbers[2]}, numbers[3]};
}

template <typename T>
Json texts(const std::vector<T>& values) {
  Json out = Json::array();
  for (const T& value : values) out.push_back(value.to_string());
  return out;
}

Result<Subnet> read_subnet(Json json) {
  if (!json.is_object()) return broken("subnets has an item that is not an object");
  const JsonFields reader(std::move(json), broken);
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
  return docker::dump({{"version", kVersion},
                       {"id", record.id},
                       {"options", record.options},
                       {"internal", record.internal},
                       {"subnets", std::move(subnets)}});
}

std::string encode(const EndpointRecord& record) {
  Json out{{"version", kVersion},
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
  if (record.mac_chosen) out["mac_chosen"] = true;
  if (record.was) out["was"] = record.was->to_string();
  for (const auto& [address, kept] : record.claims) out["claims"][address.to_string()] = text_of(kept);
  return docker::dump(out);
}

std::string encode(const PoolRecord& record) {
  Json out{{"version", kVersion},
           {"id", record.id},
           {"number", record.number},
           {"pool", record.pool.to_string()},
           {"auxiliaries", texts(record.auxiliaries)},
           {"network", record.network}};
  if (record.range) out["range"] = record.range->to_string();
  if (record.gateway) out["gateway"] = record.gateway->to_string();
  return docker::dump(out);
}

std::string encode(const LeaseRecord& record) {
  std::string out(kLeaseHeading);
  out.append("\n").append(record.boot).append(" ").append(std::to_string(record.since.count()));
  return record.chosen ? out.append(kChosen) : out;
}

Result<NetworkRecord> decode_network(const std::string& text) {
  const auto reader = TRY(open_record(text));
  NetworkRecord out;
  out.id = TRY(id_in(reader, "id"));
  out.options = TRY(reader.pairs("options"));
  auto parsed = parse_options(out.options);
  if (!parsed) return broken(parsed.error().what);
  out.parsed = std::move(*parsed);
  out.internal = TRY(reader.flag("internal"));
  for (Json& subnet : TRY(reader.items("subnets"))) out.subnets.push_back(TRY(read_subnet(std::move(subnet))));
  return out;
}

Result<EndpointRecord> decode_endpoint(const std::string& text) {
  const auto reader = TRY(open_record(text));
  EndpointRecord out;
  out.id = TRY(id_in(reader, "id"));
  out.network = TRY(id_in(reader, "network"));
  out.addresses = TRY(reader.list("addresses", Cidr::parse));
  out.mac = TRY(reader.optional("mac", Mac::parse));
  out.mac_chosen = TRY(reader.flag("mac_chosen"));
  out.mode = mode_of(TRY(reader.text("mode")));
  if (out.mode == IpMode::automatic) return broken("it has no mode");
  out.uplink = TRY(reader.text("uplink"));
  out.device = TRY(reader.text("device"));
  out.outer = TRY(reader.text("outer"));
  out.sandbox = TRY(reader.text("sandbox"));
  out.boot_id = TRY(reader.text("boot_id"));
  out.was = TRY(reader.optional("was", parse_mark));
  for (const auto& [address, kept] : TRY(reader.pairs("claims"))) {
    const auto whose = TRY(IpAddress::parse(address));
    out.claims.insert_or_assign(whose, TRY(parse_kept(kept)));
  }
  return out;
}

Result<PoolRecord> decode_pool(const std::string& text) {
  const auto reader = TRY(open_record(text));
  // Not within the braces: g++ 12 forgets the members that are made already where TRY returns from there.
  const auto id = TRY(id_in(reader, "id"));
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

Result<LeaseRecord> decode_lease(std::string_view text) {
  text = TRY(without_heading(text, kLeaseHeading));
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos) return broken("a lease has no time");
  std::string boot(text.substr(0, blank));
  text.remove_prefix(blank + 1);
  const bool chosen = text.ends_with(kChosen);
  if (chosen) text.remove_suffix(kChosen.size());
  const auto since = parse_integer(text, 0, 0xffffffffU);
  if (!since) return broken("a lease has what is no time");
  return LeaseRecord{std::move(boot), std::chrono::seconds(*since), chosen};
}

}  // namespace plumb::driver
