#include "docker_client/client.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>

#include "docker_client/connection.h"
#include "docker_client/endpoint.h"
#include "docker_client/json.h"

namespace plumb::docker {

namespace {

constexpr std::size_t kBodyLimit = std::size_t{16} << 20U;

bool is_refusal(int status) { return status >= 400 || (status >= 300 && status != 304); }

}  // namespace

std::string to_string(ApiVersion version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

Result<ApiVersion> parse_api_version(std::string_view text) {
  ApiVersion version;
  const char* end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.major);
  if (major.ec == std::errc() && major.ptr != end && *major.ptr == '.') {
    const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
    const bool in_range = version.major >= 0 && version.major < 1000 && version.minor >= 0 && version.minor < 1000;
    if (minor.ec == std::errc() && minor.ptr == end && in_range) return version;
  }
  return Err{ErrorKind::spec,
             "read API version \"" + std::string(text.substr(0, 40)) + "\": it is not of the form 1.41"};
}

ApiVersion wanted_version(std::string_view message) {
  if (message.find("client version") == std::string_view::npos) return {};
  for (const std::string_view lead : {"inimum supported API version is ", "aximum supported API version is "}) {
    const std::size_t at = message.find(lead);
    if (at == std::string_view::npos) continue;
    std::string_view rest = message.substr(at + lead.size());
    rest = rest.substr(0, rest.find_first_not_of("0123456789."));
    if (!rest.empty() && rest.back() == '.') rest.remove_suffix(1);
    return parse_api_version(rest).value_or({});
  }
  return {};
}

struct Client::State {
  std::shared_ptr<ConnectionPool> pool;
  // major * 1000 + minor, in one atomic: requests run in parallel and any answer may renew it.
  std::atomic<int> version{kNewestApi.major * 1000 + kNewestApi.minor};
  std::atomic<bool> podman{false};

  [[nodiscard]] ApiVersion spoken() const {
    const int packed = version.load();
    return {packed / 1000, packed % 1000};
  }
  void speak(ApiVersion wanted) { version = wanted.major * 1000 + wanted.minor; }

  // Learns from the head of any answer: the engine may have been replaced since the last one.
  void learn(const Head& head) {
    if (head.libpod) podman = true;
    const Result<ApiVersion> engines = parse_api_version(head.api_version);
    if (engines && *engines >= kOldestApi) speak(std::min(*engines, kNewestApi));
  }

  Result<std::unique_ptr<Connection>> exchange(const Request& request, const std::string& prefix, const Sink& sink,
                                               Call::TimePoint deadline, const std::stop_token& stop) {
    std::unique_ptr<Connection> connection = TRY(pool->take());
    TRY(connection->start(request, prefix + request.path, sink));
    // Whose time is over before it began has asked for nothing: the engine never sees it.
    if (std::chrono::steady_clock::now() >= deadline) {
      return Err{ErrorKind::timeout, connection->place() + ": the deadline had passed before it was sent"};
    }
    TRY(connection->drive([&] { return connection->head_done(); }, deadline, stop));
    if (is_refusal(connection->head().status)) TRY(connection->drive({}, deadline, stop));
    return connection;
  }

  // The version to try again with after this refusal; 0.0: it is not about the version. Errors: there is none in
  // common.
  Result<ApiVersion> other_version(Connection& connection, ApiVersion used) {
    if (connection.head().status != 400) return ApiVersion{};
    const ApiVersion wanted = wanted_version(error_message(connection.error_body(), 400));
    if (wanted == ApiVersion{} || wanted == used) return ApiVersion{};
    if (wanted < kOldestApi || wanted > kNewestApi) {
      return Err{ErrorKind::unsupported,
                 connection.place() + ": " + error_message(connection.error_body(), 400) + " (plumb speaks " +
                     to_string(kOldestApi) + " to " + to_string(kNewestApi) + ")",
                 wanted > kNewestApi ? "Install a newer plumb." : "Install a newer engine.", 400};
    }
    return wanted;
  }

  Result<void> negotiate(const Call& call);
};

Result<void> Client::State::negotiate(const Call& call) {
  const Call::TimePoint deadline = call.end();
  Request ping{.method = Method::head, .path = "/_ping", .what = "ask the engine for its API version"};
  std::string body;
  const Sink keep = [&](std::string_view bytes) -> Result<void> {
    if (body.size() + bytes.size() > kBodyLimit)
      return Err{ErrorKind::failed,
                 ping.what + " at unix://" + pool->socket_path() + ": the engine's answer is too big"};
    body += bytes;
    return {};
  };
  std::string named;
  // A ping that fails in the engine (500) still names the version; one that has no HEAD (404, 405) is asked again with
  // GET; a proxy that drops the header leaves GET /version.
  for (const auto& [method, path] :
       {std::pair{Method::head, "/_ping"}, {Method::get, "/_ping"}, {Method::get, "/version"}}) {
    ping.method = method;
    ping.path = path;
    body.clear();
    std::unique_ptr<Connection> connection = TRY(exchange(ping, "", keep, deadline, call.stop));
    TRY(connection->drive({}, deadline, call.stop));
    const Head head = connection->head();
    if (head.libpod) podman = true;
    named = head.api_version;
    if (named.empty() && path == std::string_view("/version") && head.status == 200) {
      named = text_of(TRY(parse_object(body, connection->place())), "ApiVersion");
    }
    if (named.empty() && is_refusal(head.status) && method == Method::get) {
      return refusal_of(connection->place(), connection->error_body(), head.status);
    }
    pool->give_back(std::move(connection));
    if (!named.empty()) break;
  }
  const std::string place = ping.what + " at unix://" + pool->socket_path();
  if (named.empty()) {
    return Err{ErrorKind::unsupported, place + ": it names none, so it is older than " + to_string(kOldestApi),
               "Install a newer engine."};
  }
  const Result<ApiVersion> engines = parse_api_version(named);
  if (!engines) return Err{ErrorKind::unsupported, place + ": " + engines.error().what};
  if (*engines < kOldestApi) {
    return Err{ErrorKind::unsupported,
               place + ": it speaks up to " + named + ", and plumb needs " + to_string(kOldestApi) + " (Docker 19.03)",
               "Install a newer engine."};
  }
  speak(std::min(*engines, kNewestApi));
  return {};
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::open(std::string socket_path, const Call& call) {
  if (socket_path.empty() || socket_path.front() != '/' || socket_path.size() > kSocketPathLimit) {
    return Err{ErrorKind::spec, "open the engine at unix://" + socket_path +
                                    ": the path is not an absolute one of at most " + std::to_string(kSocketPathLimit) +
                                    " bytes"};
  }
  auto state = std::make_unique<State>();
  state->pool = std::make_shared<ConnectionPool>(std::move(socket_path));
  TRY(state->negotiate(call));
  return Client(std::move(state));
}

const std::string& Client::socket_path() const { return state_->pool->socket_path(); }
std::string Client::place(std::string_view what) const { return std::string(what) + " at unix://" + socket_path(); }
ApiVersion Client::version() const { return state_->spoken(); }
Manners Client::manners() const { return manners_of(state_->podman); }

Result<Exchange> Client::begin(const Request& request, const Sink& sink, const Call& call) {
  const Call::TimePoint deadline = call.end();
  for (bool again = false;; again = true) {
    const ApiVersion used = state_->spoken();
    std::unique_ptr<Connection> connection =
        TRY(state_->exchange(request, "/v" + to_string(used), sink, deadline, call.stop));
    state_->learn(connection->head());
    const int status = connection->head().status;
    if (!is_refusal(status)) return Exchange(state_->pool, std::move(connection));
    const ApiVersion other = TRY(state_->other_version(*connection, used));
    // The engine looks at the version before it looks at the request, so sending once more repeats nothing.
    if (!again && other != ApiVersion{}) {
      if (state_->spoken() == used) state_->speak(other);
      state_->pool->give_back(std::move(connection));
      continue;
    }
    const bool accepted = std::find(request.accept.begin(), request.accept.end(), status) != request.accept.end();
    if (accepted && (status != 404 || says_absent(connection->error_body()))) {
      return Exchange(state_->pool, std::move(connection));
    }
    Err refusal = refusal_of(connection->place(), connection->error_body(), status);
    state_->pool->give_back(std::move(connection));
    return refusal;
  }
}

Result<Response> Client::send(const Request& request, const Call& call) {
  // One clock for the head and the body.
  const Call::TimePoint deadline = call.end();
  Response response;
  const Sink keep = [&](std::string_view bytes) -> Result<void> {
    if (response.body.size() + bytes.size() > kBodyLimit) {
      return Err{ErrorKind::failed, place(request.what) + ": the engine's answer is over 16 MiB"};
    }
    response.body += bytes;
    return {};
  };
  Exchange exchange = TRY(begin(request, keep, call));
  TRY(exchange.finish(call.until(deadline)));
  response.status = exchange.status();
  if (is_refusal(response.status)) response.body = exchange.error_body();
  return response;
}

Exchange::Exchange(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Connection> connection)
    : pool_(std::move(pool)), connection_(std::move(connection)) {}
Exchange::Exchange(Exchange&&) noexcept = default;
Exchange& Exchange::operator=(Exchange&& other) noexcept {
  if (this != &other) {
    if (pool_) pool_->give_back(std::move(connection_));
    pool_ = std::move(other.pool_);
    connection_ = std::move(other.connection_);
  }
  return *this;
}
Exchange::~Exchange() {
  if (pool_) pool_->give_back(std::move(connection_));
}

int Exchange::status() const { return connection_->head().status; }
const std::string& Exchange::error_body() const { return connection_->error_body(); }

Result<void> Exchange::finish(const Call& call) { return connection_->drive({}, call.end(), call.stop); }

Result<bool> Exchange::feed(const std::function<bool()>& enough, const Call& call) {
  TRY(connection_->drive(enough, call.end(), call.stop));
  return connection_->finished();
}

std::string Exchange::place() const { return connection_->place(); }

}  // namespace plumb::docker
