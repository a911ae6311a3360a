#include "plugin/driver/ipam_driver.h"

#include <array>
#include <utility>

#include "docker_client/json.h"

namespace plumb::driver {

namespace {

using docker::Json;
using Answer = Result<Json>;

constexpr const char* gateway_type = "com.docker.network.gateway";

Err wrong(std::string_view method, const std::string& why) {
  return Err{ErrorKind::usage, "IpamDriver." + std::string(method) + ": " + why};
}

// The body of one call.
class Call {
 public:
  [[nodiscard]] static Result<Call> read(std::string_view method, const std::string& body) {
    if (body.find_first_not_of(" \t\r\n") == std::string::npos) return wrong(method, "the request has no body");
    Json json = Json::parse(body, nullptr, false);
    if (!json.is_object()) return wrong(method, "the request's body is not a JSON object");
    return Call(method, std::move(json));
  }

  // Empty when it is missing.
  [[nodiscard]] Result<std::string> text(const char* name) const {
    const Json& value = docker::member(json_, name);
    if (value.is_null()) return std::string();
    if (!value.is_string()) return wrong(method_, std::string(name) + " is not a text");
    return value.get_ref<const std::string&>();
  }

  [[nodiscard]] Result<std::string> needed(const char* name) const {
    auto out = TRY(text(name));
    if (out.empty()) return wrong(method_, "the request has no " + std::string(name));
    return out;
  }

  [[nodiscard]] Result<bool> flag(const char* name) const {
    const Json& value = docker::member(json_, name);
    if (!value.is_null() && !value.is_boolean())
      return wrong(method_, std::string(name) + " is neither true nor false");
    return docker::flag_of(json_, name);
  }

  // With or without a prefix length, as engines of different age write it; nothing when it is empty.
  [[nodiscard]] Result<std::optional<IpAddress>> address() const {
    const auto written = TRY(text("Address"));
    if (written.empty()) return std::optional<IpAddress>{};
    if (written.find('/') == std::string::npos) return std::optional(TRY(IpAddress::parse(written)));
    return std::optional(TRY(Cidr::parse(written)).address());
  }

  [[nodiscard]] std::string option(const char* name) const {
    return docker::text_of(docker::member(json_, "Options"), name);
  }

  [[nodiscard]] Err fault(const std::string& why) const { return wrong(method_, why); }

 private:
  Call(std::string_view method, Json json) : method_(method), json_(std::move(json)) {}
  std::string method_;
  Json json_;
};

Answer request_pool(Pools& pools, const Call& call) {
  const auto subnet = TRY(call.text("Pool"));
  const auto range = TRY(call.text("SubPool"));
  const bool v6 = TRY(call.flag("V6"));
  const auto pool = TRY(pools.request_pool(subnet, range, v6));
  return Json{{"PoolID", pool.id}, {"Pool", pool.pool.to_string()}, {"Data", Json::object()}};
}

Answer release_pool(Pools& pools, const Call& call) {
  const auto pool = TRY(call.needed("PoolID"));
  TRY(pools.release_pool(pool));
  return Json::object();
}

Answer request_address(Pools& pools, const Call& call) {
  const auto pool = TRY(call.needed("PoolID"));
  const auto wanted = TRY(call.address());
  const bool as_gateway = call.option("RequestAddressType") == gateway_type;
  const auto address = TRY(pools.request_address(pool, wanted, as_gateway));
  return Json{{"Address", address.to_string()}, {"Data", Json::object()}};
}

Answer release_address(Pools& pools, const Call& call) {
  const auto pool = TRY(call.needed("PoolID"));
  const auto address = TRY(call.address());
  if (!address) return call.fault("the request has no Address");
  TRY(pools.release_address(pool, *address));
  return Json::object();
}

struct Method {
  std::string_view name;
  Answer (*run)(Pools& pools, const Call& call);
};

constexpr std::array<Method, 4> methods{{{"RequestPool", request_pool},
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
  for (const auto& known : methods) {
    if (known.name != method) continue;
    const auto request = TRY(Call::read(method, body));
    return std::optional(docker::dump(TRY(known.run(pools_, request))));
  }
  return std::optional<std::string>{};
}

}  // namespace plumb::driver
