// HttpServer: HTTP/1.1 on a unix socket.
//
// By libmicrohttpd, which has the parser; a thread for each connection, so a handler may take its time. Threads: the
// handler is called from several at once, with a stack of 256 KiB and every signal blocked. Privilege: none beyond the
// socket (plugin/daemon/listening_socket.h).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "specs/value/result.h"
#include "specs/value/unique_fd.h"

namespace plumb {

struct HttpRequest {
  std::string method;  // "POST"
  std::string path;    // "/metrics"; without a query
  std::string body;    // whole, at most 1 MiB: a longer one is answered with 413 before it gets here
};

struct HttpReply {
  unsigned status = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
};

using HttpHandler = std::function<HttpReply(const HttpRequest& request)>;

// A line of text, as a server says it that nobody has given other words.
[[nodiscard]] HttpReply plain_refusal(unsigned status, const std::string& why);

struct HttpOptions {
  HttpHandler handler;
  std::string log_prefix = "plumb: http: ";  // of each line on standard error
  // The answer to a request that the handler does not get, or fails over: 413, 500.
  HttpReply (*refusal)(unsigned status, const std::string& why) = plain_refusal;
};

class HttpServer {
 public:
  // Serves until it is destroyed, which lets nobody new in, and waits for the calls that run and for their answers to
  // be taken (the latter for a second). Connections stay open as long as the client wants: Docker Engine repeats a
  // call on a closed one without its body. Errors: failed.
  [[nodiscard]] static Result<HttpServer> start(UniqueFd listening, HttpOptions options);
  HttpServer(HttpServer&&) noexcept;
  HttpServer& operator=(HttpServer&&) = delete;
  ~HttpServer();

 private:
  struct Daemon;
  explicit HttpServer(std::unique_ptr<Daemon> daemon);
  std::unique_ptr<Daemon> daemon_;
};

}  // namespace plumb
