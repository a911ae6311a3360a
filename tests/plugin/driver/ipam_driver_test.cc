#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "plugin/driver/ipam_driver.h"
#include "tests/docker_client/scratch.h"

using namespace plumb;
using namespace plumb::driver;
using Json = nlohmann::json;

namespace {

class Engine {
 public:
  Engine() : store_(Store::open(scratch_.path()).value()), pools_(Pools::open(store_, {}).value()), driver_(pools_) {}

  Json call(std::string_view method, const Json& body) {
    const auto answer = driver_.call(method, body.dump());
    if (!answer) MESSAGE(answer.error().what);
    REQUIRE(answer);
    REQUIRE(answer->has_value());
    return Json::parse(**answer);
  }
  Error refusal(std::string_view method, const std::string& body) {
    auto answer = driver_.call(method, body);
    REQUIRE_FALSE(answer);
    return answer.error();
  }
  std::string pool(const std::string& subnet) {
    return call("RequestPool", {{"AddressSpace", "plumb-local"}, {"Pool", subnet}, {"SubPool", ""}, {"V6", false}})
        .at("PoolID")
        .get<std::string>();
  }
  IpamDriver& driver() { return driver_; }

 private:
  test::Scratch scratch_;
  Store store_;
  Pools pools_;
  IpamDriver driver_;
};

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the engine is told what the driver can do, with or without a body") {
  Engine engine;
  for (const char* body : {"", "{}", "nonsense"}) {
    const auto capabilities = engine.driver().call("GetCapabilities", body);
    REQUIRE(capabilities);
    CHECK(Json::parse(**capabilities) == Json{{"RequiresMACAddress", false}, {"RequiresRequestReplay", false}});
    const auto spaces = engine.driver().call("GetDefaultAddressSpaces", body);
    REQUIRE(spaces);
    CHECK(Json::parse(**spaces) ==
          Json{{"LocalDefaultAddressSpace", "plumb-local"}, {"GlobalDefaultAddressSpace", "plumb-global"}});
  }
}

TEST_CASE("a method that is not there is told from one that failed") {
  Engine engine;
  for (const char* method : {"", "RequestPools", "requestpool", "Join"}) {
    const auto answer = engine.driver().call(method, "{}");
    REQUIRE(answer);
    CHECK_FALSE(answer->has_value());
  }
}

TEST_CASE("a network's life in calls, as the engine makes them") {
  Engine engine;
  const auto made = engine.call("RequestPool", {{"AddressSpace", "plumb-local"},
                                                {"Pool", "10.0.3.0/24"},
                                                {"SubPool", "10.0.3.64/26"},
                                                {"Options", nullptr},
                                                {"V6", false}});
  CHECK(made.at("Pool") == "10.0.3.0/24");
  CHECK(made.at("Data") == Json::object());
  const auto pool = made.at("PoolID").get<std::string>();
  const auto gateway =
      engine.call("RequestAddress", {{"PoolID", pool},
                                     {"Address", "10.0.3.64"},
                                     {"Options", {{"RequestAddressType", "com.docker.network.gateway"}}}});
  CHECK(gateway == Json{{"Address", "10.0.3.64/24"}, {"Data", Json::object()}});
  const Json any{{"PoolID", pool},
                 {"Address", ""},
                 {"Options", {{"com.docker.network.endpoint.macaddress", "02:00:00:00:00:01"}}}};
  CHECK(engine.call("RequestAddress", any).at("Address") == "10.0.3.65/24");
  CHECK(engine.call("RequestAddress", any).at("Address") == "10.0.3.66/24");
  CHECK(engine.call("ReleaseAddress", {{"PoolID", pool}, {"Address", "10.0.3.65"}}) == Json::object());
  CHECK(engine.call("ReleaseAddress", {{"PoolID", pool}, {"Address", "10.0.3.65"}}) == Json::object());
  CHECK(engine.call("ReleasePool", {{"PoolID", pool}}) == Json::object());
  CHECK(engine.call("ReleasePool", {{"PoolID", pool}}) == Json::object());
  CHECK(engine.refusal("RequestAddress", any.dump()).kind == ErrorKind::not_found);
}

TEST_CASE("addresses are understood with and without a prefix") {
  Engine engine;
  const auto pool = engine.pool("10.0.3.0/24");
  for (const char* written : {"10.0.3.9", "10.0.3.9/24"}) {
    CHECK(engine.call("RequestAddress", {{"PoolID", pool}, {"Address", written}}).at("Address") == "10.0.3.9/24");
    CHECK(engine.call("ReleaseAddress", {{"PoolID", pool}, {"Address", written}}) == Json::object());
  }
}

TEST_CASE("a network without a gateway is answered with the subnet's own address") {
  Engine engine;
  const auto pool = engine.pool("10.0.3.0/24");
  const Json none{
      {"PoolID", pool}, {"Address", ""}, {"Options", {{"RequestAddressType", "com.docker.network.gateway"}}}};
  CHECK(engine.call("RequestAddress", none).at("Address") == "10.0.3.0/24");
}

TEST_CASE("an IPv6 pool is one that the engine asks for as such") {
  Engine engine;
  const auto made = engine.call("RequestPool", {{"Pool", "fd00::/64"}, {"V6", true}});
  CHECK(made.at("Pool") == "fd00::/64");
  const auto pool = made.at("PoolID").get<std::string>();
  CHECK(engine.call("RequestAddress", {{"PoolID", pool}}).at("Address") == "fd00::1/64");
  CHECK(engine.refusal("RequestPool", R"({"Pool":"fd00::/64"})").kind == ErrorKind::spec);
}

TEST_CASE("a call that lost its body is refused, and changes nothing") {
  Engine engine;
  for (const char* method : {"RequestPool", "ReleasePool", "RequestAddress", "ReleaseAddress"}) {
    for (const char* body : {"", " \n"}) {
      const auto error = engine.refusal(method, body);
      CHECK(error.kind == ErrorKind::usage);
      CHECK(error.what == "IpamDriver." + std::string(method) + ": the request has no body");
    }
    for (const char* body : {"{", "[]", "null", "5", "\"text\"", "\xff"}) {
      const auto error = engine.refusal(method, body);
      CHECK(error.kind == ErrorKind::usage);
      CHECK(says(error.what, "not a JSON object"));
    }
  }
}

TEST_CASE("fields of another type are refused, and options of another type are none") {
  Engine engine;
  const auto pool = engine.pool("10.0.3.0/24");
  CHECK(says(engine.refusal("RequestPool", R"({"Pool":5})").what, "Pool is not a text"));
  CHECK(says(engine.refusal("RequestPool", R"({"Pool":"10.0.3.0/24","SubPool":{}})").what, "SubPool is not a text"));
  CHECK(says(engine.refusal("RequestPool", R"({"Pool":"10.0.3.0/24","V6":"yes"})").what, "V6 is neither"));
  CHECK(says(engine.refusal("ReleasePool", R"({"PoolID":[]})").what, "PoolID is not a text"));
  CHECK(says(engine.refusal("ReleasePool", "{}").what, "the request has no PoolID"));
  CHECK(says(engine.refusal("RequestAddress", "{}").what, "the request has no PoolID"));
  CHECK(says(engine.refusal("ReleaseAddress", Json{{"PoolID", pool}}.dump()).what, "the request has no Address"));
  const auto wrong = [&](const Json& address) {
    return engine.refusal("RequestAddress", Json{{"PoolID", pool}, {"Address", address}}.dump());
  };
  CHECK(wrong(7).kind == ErrorKind::usage);
  CHECK(wrong("10.0.3").kind == ErrorKind::spec);
  CHECK(wrong("10.0.3.3/33").kind == ErrorKind::spec);
  for (const Json& options : {Json(5), Json("x"), Json::array(), Json{{"RequestAddressType", 5}}}) {
    const auto answer = engine.call("RequestAddress", {{"PoolID", pool}, {"Options", options}});
    CHECK(answer.at("Address") != "10.0.3.0/24");
  }
}

TEST_CASE("an option of address management is refused by its name, as there is none, and the engine's own are not") {
  Engine engine;
  Json pool{{"AddressSpace", "plumb-local"}, {"Pool", "10.0.3.0/24"}, {"SubPool", ""}, {"V6", false}};
  pool["Options"] = {{"rnage", "10.0.3.64/28"}};
  CHECK(says(engine.refusal("RequestPool", pool.dump()).what, "--ipam-opt rnage: there is no such option"));
  for (const Json& options : {Json::object(), Json(nullptr), Json{{"com.docker.network.ipam.serial", "true"}}}) {
    pool["Options"] = options;
    CHECK(engine.call("RequestPool", pool).at("Pool") == "10.0.3.0/24");
  }
}

TEST_CASE("a gateway or a range that is nobody's address is refused, and any other taken") {
  Engine engine;
  const auto pool = engine.pool("10.0.3.0/24");
  const auto gateway = [&](const std::string& id, const std::string& address) {
    return Json{
        {"PoolID", id}, {"Address", address}, {"Options", {{"RequestAddressType", "com.docker.network.gateway"}}}}
        .dump();
  };
  for (const char* wrong : {"10.0.3.0", "10.0.3.255"})
    CHECK(says(engine.refusal("RequestAddress", gateway(pool, wrong)).what, "no machine's"));
  CHECK(engine.driver().call("RequestAddress", gateway(pool, "10.0.3.254")).has_value());
  const auto pair = engine.pool("10.0.3.40/31");
  CHECK(says(engine.refusal("RequestAddress", gateway(pair, "10.0.3.40")).what, "-o gateway=10.0.3.40"));
  CHECK(engine.driver().call("RequestAddress", gateway(pair, "10.0.3.41")).has_value());
  Json range{{"AddressSpace", "plumb-local"}, {"Pool", "10.0.3.0/24"}, {"SubPool", "10.0.3.255/32"}, {"V6", false}};
  CHECK(says(engine.refusal("RequestPool", range.dump()).what, "no machine's"));
  range["SubPool"] = "10.0.3.254/32";
  CHECK(engine.call("RequestPool", range).at("Pool") == "10.0.3.0/24");
}
