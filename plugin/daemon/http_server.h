// HttpServer: HTTP/1.1 on a unix socket, for the engine's calls and for the metrics.
//
// By libmicrohttpd, which has the parser; a thread for each connection, so a handler may take its time. Threads: the
// handler is called from several at once, with a stack of 256 KiB and every signal blocked. Privilege: that of making
// the socket.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb::driver {

struct Request {
  std::string method;  // "POST"
  std::string path;    // "/NetworkDriver.Join"; without a query
  std::string body;    // whole, at most 1 MiB: a longer one is answered with 413 before it gets here
};

struct Reply {
  unsigned status = 200;
  std::string body;
  std::string content_type = "application/vnd.docker.plugins.v1.2+json";
};

using Handler = std::function<Reply(const Request& request)>;

// A socket that listens at `path`, which only its owner may ever connect to (0600). Folders that are missing are made
// (0755). A socket that a dead server left there is replaced, after connect(2) found nobody. Errors: exists (somebody
// listens there, or it is no socket), usage (the path is too long), permission.
[[nodiscard]] Result<UniqueFd> listen_on(const std::string& path);

class HttpServer {
 public:
  // Serves until it is destroyed, which lets nobody new in, and waits for the calls that run and for their answers to
  // be taken (the latter for a second). Connections stay open as long as the client wants: the engine repeats a call on
  // a closed one without its body. Errors: failed.
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
