#include "plugin/driver/ipam_driver.h"

#include <array>
#include <utility>

#include "plugin/driver/record/json_fields.h"
#include "specs/value/text.h"

namespace plumb::driver {

namespace {

using docker::Json;
using Answer = Result<Json>;

constexpr std::string_view kEngineLabels = "com.docker.network.";  // the engine's own words
constexpr const char* kGatewayType = "com.docker.network.gateway";

Err wrong(std::string_view method, const std::string& why) {
  return Err{ErrorKind::usage, "IpamDriver." + std::string(method) + ": " + why};
}

// The body of one call.
Result<JsonFields> read_call(std::string_view method, const std::string& body) {
  if (body.find_first_not_of(" \t\r\n") == std::string::npos) return wrong(method, "the request has no body");
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return wrong(method, "the request's body is not a JSON object");
  return JsonFields(std::move(json), [own = std::string(method)](const std::string& why) { return wrong(own, why); });
}

Result<std::string> needed(const JsonFields& call, const char* name) {
  auto out = TRY(call.text(name));
  if (out.empty()) return call.fault("the request has no " + std::string(name));
  return out;
}

// With or without a prefix length, as engines of different age write it; nothing when it is empty.
Result<std::optional<IpAddress>> address_in(const JsonFields& call) {
  const auto written = TRY(call.text("Address"));
  if (written.empty()) return std::optional<IpAddress>{};
  if (written.find('/') == std::string::npos) return std::optional(TRY(IpAddress::parse(written)));
  return std::optional(TRY(Cidr::parse(written)).address());
}

Answer request_pool(Pools& pools, const JsonFields& call) {
  const auto subnet = TRY(call.text("Pool"));
  const auto range = TRY(call.text("SubPool"));
  const bool v6 = TRY(call.flag("V6"));
  for (const auto& [name, value] : TRY(call.pairs("Options")))
    if (!name.starts_with(kEngineLabels))
      return Err{ErrorKind::spec, "--ipam-opt " + printable(name.substr(0, 80)) +
                                      ": there is no such option; remove it (-o takes the options of the network)"};
  const auto pool = TRY(pools.request_pool(subnet, range, v6));
  return Json{{"PoolID", pool.id}, {"Pool", pool.pool.to_string()}, {"Data", Json::object()}};
}

Answer release_pool(Pools& pools, const JsonFields& call) {
  const auto pool = TRY(needed(call, "PoolID"));
  TRY(pools.release_pool(pool));
  return Json::object();
}

Answer request_address(Pools& pools, const JsonFields& call) {
  const auto pool = TRY(needed(call, "PoolID"));
  const auto wanted = TRY(address_in(call));
  const bool as_gateway = docker::text_of(call["Options"], "RequestAddressType") == kGatewayType;
  const auto address = TRY(pools.request_address(pool, wanted, as_gateway));
  return Json{{"Address", address.to_string()}, {"Data", Json::object()}};
}

Answer release_address(Pools& pools, const JsonFields& call) {
  const auto pool = TRY(needed(call, "PoolID"));
  const auto address = TRY(address_in(call));
  if (!address) return call.fault("the request has no Address");
  TRY(pools.release_address(pool, *address));
  return Json::object();
}

struct Method {
  std::string_view name;
  Answer (*run)(Pools& pools, const JsonFields& call);
};

constexpr std::array<Method, 4> kMethods{{{"RequestPool", request_pool},
                                          {"ReleasePool", release_pool},
                                          {"RequestAddress", request_address},
                                          {"ReleaseAddress", release_address}}};

}  // namespace

Result<std::optional<std::string>> IpamDriver::call(std::string_view method, const std::string& body) {
  // These two have no body.
  if (method == "GetCapabilities")
    return std::optional(docker::dump({{"RequiresMACAddress", false}, {"RequiresRequestReplay", false}}));
  if (method == "GetDefaultAddressSpaces")
    return std::optional(
        docker::dump({{"LocalDefaultAddressSpace", "plumb-local"}, {"GlobalDefaultAddressSpace", "plumb-global"}}));
  for (const auto& known : kMethods) {
    if (known.name != method) continue;
    const auto request = TRY(read_call(method, body));
    return std::optional(docker::dump(TRY(known.run(pools_, request))));
  }
  return std::optional<std::string>{};
}

}  // namespace plumb::driver
