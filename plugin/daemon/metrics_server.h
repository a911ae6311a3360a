// MetricsServer: serves a daemon's metrics to Prometheus, at /metrics of a unix socket.
//
// Threads: `text` is called from several at once. Privilege: none beyond the socket.
#pragma once

#include <functional>
#include <string>

#include "plugin/daemon/http_server.h"
#include "plugin/daemon/listening_socket.h"
#include "specs/value/result.h"

namespace plumb {

class MetricsServer {
 public:
  // `daemon`: "plumb watch", for the lines on standard error. `text`: the metrics as they are now. Serves until it is
  // destroyed. Errors: failed.
  [[nodiscard]] static Result<MetricsServer> start(ListeningSocket socket, const std::string& daemon,
                                                   std::function<std::string()> text);

 private:
  MetricsServer(ListeningSocket socket, HttpServer server) : socket_(std::move(socket)), server_(std::move(server)) {}
  ListeningSocket socket_;
  HttpServer server_;
};

}  // namespace plumb
