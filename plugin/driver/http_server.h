// HttpServer: HTTP/1.1 on a unix socket, for the engine's calls and for the metrics.
//
// By libmicrohttpd, which has the parser; a thread for each connection, so a handler may take its time. Threads: the
// handler is called from several at once. Privilege: that of making the socket.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "specs/result.h"
#include "specs/unique_fd.h"

namespace plumb::driver {

struct Request {
  std::string method;  // "POST"
  std::string path;    // "/NetworkDriver.Join"
  std::string body;    // whole, at most 1 MiB
};

struct Reply {
  unsigned status = 200;
  std::string body;
  std::string content_type = "application/vnd.docker.plugins.v1.2+json";
};

using Handler = std::function<Reply(const Request& request)>;

// A socket that listens at `path`, which only root may connect to (0600). A file that a dead server left there is
// replaced, after nobody answered a connect(2). Errors: exists (somebody listens there, or it is no socket), permission.
[[nodiscard]] Result<UniqueFd> listen_on(const std::string& path);

class HttpServer {
 public:
  // Serves until it is destroyed, which waits for the calls that run. Connections stay open as long as the client wants:
  // the engine repeats a call on a closed one without its body. Errors: failed.
  [[nodiscard]] static Result<HttpServer> start(UniqueFd listening, Handler handler);
  HttpServer(HttpServer&&) noexcept;
  HttpServer& operator=(HttpServer&&) = delete;
  ~HttpServer();

 private:
  struct Daemon;
  explicit HttpServer(std::unique_ptr<Daemon> daemon);
  std::unique_ptr<Daemon> daemon_;
};

}  // namespace plumb::driver
