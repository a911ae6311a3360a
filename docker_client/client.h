// Client: one engine behind one Unix socket. Negotiates the API version, keeps connections alive, and turns every
// failure into a sentence with the engine's own words.
//
// Threads: every member function may be called from several threads at once; each request in flight has a connection of
// its own. Privilege: write access to the engine's socket (root, or its group).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "docker_client/call.h"
#include "docker_client/manners.h"
#include "specs/value/result.h"

namespace plumb::docker {

// A version of the Engine API, as 1.41.
struct ApiVersion {
  int major = 0;
  int minor = 0;
  friend auto operator<=>(const ApiVersion&, const ApiVersion&) = default;
};
[[nodiscard]] std::string to_string(ApiVersion version);
// "1.41". Errors: `spec`.
[[nodiscard]] Result<ApiVersion> parse_api_version(std::string_view text);

// What this client speaks: engine 19.03 up to 29.7.
inline constexpr ApiVersion kOldestApi{1, 40};
inline constexpr ApiVersion kNewestApi{1, 55};

enum class Method { get, head, post, del };

// One request, written with designated initialisers: that is what the empty braces are for. `path` starts with '/' and
// comes after the version prefix that the client adds; its query is encoded already (query.h).
struct Request {
  Method method = Method::get;
  std::string path{};
  std::string what{};                  // "create container web": opens every error sentence
  std::string body{};                  // application/json when not empty
  std::string_view archive{};          // instead of body: application/x-tar, sent without a copy; outlives the request
  std::vector<std::string> headers{};  // "Name: value"
  std::vector<int> accept{};           // statuses of 400 and more that the caller handles itself
  // A second sending does no harm. Others are never sent twice: they get a connection of their own, because a
  // kept-alive connection can drop with nobody knowing whether the engine has acted.
  bool idempotent = true;
};

struct Response {
  int status = 0;
  std::string body;
};

// Takes a piece of a body as it arrives; an error ends the transfer and is its result.
using Sink = std::function<Result<void>(std::string_view)>;

class Connection;
class ConnectionPool;

// An answer whose head is here and whose body is still coming. Dropping it closes its connection.
// Threads: one at a time. It may outlive the Client.
class Exchange {
 public:
  Exchange(Exchange&&) noexcept;
  Exchange& operator=(Exchange&&) noexcept;
  ~Exchange();

  [[nodiscard]] int status() const;
  [[nodiscard]] const std::string& error_body() const;  // of an accepted status of 400 and more; at most 64 KiB
  [[nodiscard]] std::string place() const;              // "pull image nginx at unix:///run/docker.sock"
  // Feeds the sink until the body ends. Errors: the sink's own, `timeout`, `cancelled`, `unreachable` (connection
  // lost).
  [[nodiscard]] Result<void> finish(const Call& call);
  // Feeds the sink until `enough` says so, or the body ends; true: the body has ended.
  [[nodiscard]] Result<bool> feed(const std::function<bool()>& enough, const Call& call);

 private:
  friend class Client;
  Exchange(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Connection> connection);
  std::shared_ptr<ConnectionPool> pool_;
  std::unique_ptr<Connection> connection_;
};

class Client {
 public:
  // Connects and negotiates: HEAD /_ping (GET where that is refused), then the lower of kNewestApi and the engine's
  // Api-Version (GET /version where the header is missing). `socket_path`: absolute, at most 107 bytes. Errors:
  // `unreachable` (nobody listens; says which socket and why), `permission`, `timeout`, `cancelled`, `unsupported` (the
  // engine's highest version is below kOldestApi, or its lowest above kNewestApi).
  [[nodiscard]] static Result<Client> open(std::string socket_path, const Call& call = {});

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  [[nodiscard]] const std::string& socket_path() const;
  // What is asked of which engine, to begin an error with: "create container web at unix:///run/x.sock".
  [[nodiscard]] std::string place(std::string_view what) const;
  // The version now spoken. It changes when an engine is replaced while the client lives: every answer names the
  // engine's version (daemon middleware; Api-Version), and a refused version is negotiated anew.
  [[nodiscard]] ApiVersion version() const;
  [[nodiscard]] Manners manners() const;

  // Sends and reads the whole answer, at most 16 MiB. Errors: transport (`unreachable`, `permission`, `timeout`,
  // `cancelled`) and every status of 400 and more that the request does not accept: 401, 403 `permission`; 404
  // `not_found`; 501 `unsupported`; 502 to 504 `unreachable`; the others `refused`. Error::code is the status. A
  // redirection, and a 404 that is no engine's (says_absent()), are `unsupported` and never accepted.
  [[nodiscard]] Result<Response> send(const Request& request, const Call& call);

  // Sends and returns as soon as the head of the answer is here; the body goes to `sink`, of which the first pieces may
  // come before this returns. Errors as send(). An accepted status of 400 and more has had its body read already, and
  // the sink has not seen it.
  [[nodiscard]] Result<Exchange> begin(const Request& request, const Sink& sink, const Call& call);

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The engine's own words in an error body: `message` of its JSON, with Podman's `cause` where it adds something; else
// the text of an HTML or plain answer, cut to one line; else the name of the status. Pure.
[[nodiscard]] std::string error_message(std::string_view body, int status);

// Whether a 404 with this body is an engine's word that there is no such thing. A proxy's page, an empty body and the
// engine's own "page not found" prove nothing. Pure.
[[nodiscard]] bool says_absent(std::string_view body);

// The error that a status of 300 and more stands for, 304 excepted: its kind as send() says, the engine's words, and
// what to do. `place`: "create container web at unix:///run/x.sock". Pure.
[[nodiscard]] Err refusal_of(const std::string& place, std::string_view body, int status);

// Y of "client version X is too old. Minimum supported API version is Y" and of "... too new. Maximum ... is Y" (moby,
// daemon/server/middleware/version.go); 0.0 when `message` is not that. Pure.
[[nodiscard]] ApiVersion wanted_version(std::string_view message);

}  // namespace plumb::docker
