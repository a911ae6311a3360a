// Any calls of the engine, in any order, against a real driver: each is answered as the engine can read it, and
// whatever happened, the driver knows every link that it has made, and can remove all of it.
//
// An input is text: one call in a line, the method's letter and the body. Capital letters are the same methods; their
// networks may probe (120 ms each), those of small letters do not. @pool in a body is the pool that was made last: its
// id is random. Seeds are in corpus/driver: calls of real engines.
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "driver_world.h"
#include "specs/value/ip.h"

namespace {

using plumb::test::broken;
using Json = nlohmann::json;

constexpr std::array<const char*, 21> kPaths{
    "/Plugin.Activate",                            // a
    "/NetworkDriver.GetCapabilities",              // b
    "/NetworkDriver.GwAllocCheck",                 // c
    "/NetworkDriver.CreateNetwork",                // d
    "/NetworkDriver.DeleteNetwork",                // e
    "/NetworkDriver.CreateEndpoint",               // f
    "/NetworkDriver.EndpointOperInfo",             // g
    "/NetworkDriver.DeleteEndpoint",               // h
    "/NetworkDriver.Join",                         // i
    "/NetworkDriver.Leave",                        // j
    "/NetworkDriver.DiscoverNew",                  // k
    "/NetworkDriver.DiscoverDelete",               // l
    "/NetworkDriver.ProgramExternalConnectivity",  // m
    "/NetworkDriver.RevokeExternalConnectivity",   // n
    "/IpamDriver.GetCapabilities",                 // o
    "/IpamDriver.GetDefaultAddressSpaces",         // p
    "/IpamDriver.RequestPool",                     // q
    "/IpamDriver.ReleasePool",                     // r
    "/IpamDriver.RequestAddress",                  // s
    "/IpamDriver.ReleaseAddress",                  // t
    "/NetworkDriver.AllocateNetwork",              // u: swarm's, which there is not
};
// v and w: the line itself is the path, by POST and by GET; x: the driver starts anew; y and z: the engine moves links.
constexpr std::size_t kMostCalls = 32;

plumb::test::DriverWorld& world() {
  static plumb::test::DriverWorld only;
  return only;
}

std::string& last_pool() {
  static std::string id = "none";
  return id;
}

std::string with_pool(std::string_view body) {
  constexpr std::string_view kToken = "@pool";
  std::string out;
  for (auto at = body.find(kToken); at != std::string_view::npos; at = body.find(kToken)) {
    out.append(body.substr(0, at)).append(last_pool());
    body.remove_prefix(at + kToken.size());
  }
  return out.append(body);
}

// A probe would cost as much as a hundred other calls.
std::string without_probe(const std::string& body) {
  constexpr const char* kGeneric = "com.docker.network.generic";
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("Options")) return body;
  Json& options = json["Options"];
  if (!options.is_object() || !options.contains(kGeneric) || !options[kGeneric].is_object()) return body;
  options[kGeneric]["probe"] = "off";
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void need(bool condition, const std::string& path, const plumb::HttpReply& reply) {
  if (!condition) broken(path + " was answered " + std::to_string(reply.status) + " " + reply.body);
}

std::string text_in(const Json& object, const char* name) {
  return object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : std::string();
}

// The keys that the engine reads of a success.
bool is_readable(const std::string& path, const Json& body) {
  if (path == "/Plugin.Activate") return body["Implements"].size() == 2;
  if (path == "/NetworkDriver.GetCapabilities") return text_in(body, "Scope") == "local";
  if (path == "/NetworkDriver.Join")
    return body["InterfaceName"].is_object() && !text_in(body["InterfaceName"], "SrcName").empty();
  if (path == "/NetworkDriver.CreateEndpoint" && body.contains("Interface"))
    return plumb::Mac::parse(text_in(body["Interface"], "MacAddress")).has_value();
  if (path == "/IpamDriver.RequestPool")
    return !text_in(body, "PoolID").empty() && plumb::Cidr::parse(text_in(body, "Pool")).has_value();
  if (path == "/IpamDriver.RequestAddress") return plumb::Cidr::parse(text_in(body, "Address")).has_value();
  if (path == "/IpamDriver.GetDefaultAddressSpaces") return !text_in(body, "LocalDefaultAddressSpace").empty();
  return true;
}

void call(const std::string& method, const std::string& path, const std::string& body) {
  const auto reply = world().answer({method, path, body});
  need(reply.status == 200 || reply.status == 400 || reply.status == 404 || reply.status == 405, path, reply);
  Json parsed = Json::parse(reply.body, nullptr, false);
  need(parsed.is_object(), path, reply);
  const bool failed = parsed.contains("Err") || parsed.contains("Error");
  need(failed || reply.status == 200, path, reply);
  if (failed) {
    need(!text_in(parsed, "Err").empty() && text_in(parsed, "Err") == text_in(parsed, "Error"), path, reply);
    return;
  }
  need(is_readable(path, parsed), path, reply);
  if (path == "/IpamDriver.RequestPool") last_pool() = text_in(parsed, "PoolID");
}

void act(std::string_view line) {
  if (line.empty()) return;
  const auto letter = static_cast<unsigned char>(line.front());
  const bool cheap = std::islower(letter) != 0;
  const auto index = static_cast<std::size_t>(std::tolower(letter)) - 'a';
  std::string body = with_pool(line.substr(1));
  switch (std::tolower(letter)) {
    case 'v': return call("POST", body, "{}");
    case 'w': return call("GET", body, "");
    case 'x': return world().restart();
    case 'y': return world().take_links();
    case 'z': return world().bring_links_back();
    default: break;
  }
  if (index >= kPaths.size()) return;
  const std::string path(kPaths.at(index));
  if (path == "/NetworkDriver.Join") world().bring_links_back();  // no engine joins what another sandbox has
  if (cheap && path == "/NetworkDriver.CreateNetwork") body = without_probe(body);
  call("POST", path, body);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  world();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  last_pool() = "none";
  for (std::size_t calls = 0; calls < kMostCalls && !text.empty(); ++calls) {
    const auto end = text.find('\n');
    act(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  world().check();
  world().clear();
  return 0;
}
