#include "plugin/daemon/metrics_server.h"

#include "plugin/daemon/metrics_text.h"

namespace plumb {

namespace {

HttpReply scrape(const HttpRequest& request, const std::function<std::string()>& text) {
  if (request.path != "/metrics") return {404, "there is only /metrics\n"};
  if (request.method != "GET" && request.method != "HEAD") return {405, "only GET\n"};
  return {200, text(), std::string(kMetricsContentType)};
}

}  // namespace

Result<MetricsServer> MetricsServer::start(ListeningSocket socket, const std::string& daemon,
                                           std::function<std::string()> text) {
  HttpOptions options;
  options.handler = [own = std::move(text)](const HttpRequest& request) { return scrape(request, own); };
  options.log_prefix = daemon + ": http: ";
  auto server = TRY(HttpServer::start(socket.take(), std::move(options)));
  return MetricsServer(std::move(socket), std::move(server));
}

}  // namespace plumb
