// Connection: one HTTP/1.1 connection to the engine, and the pool of those that are idle. Only this pair of files uses
// libcurl, which docker_client/curl.h loads.
//
// Threads: a Connection belongs to one thread at a time; ConnectionPool may be used from several. Privilege: that of
// the socket.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "docker_client/client.h"
#include "docker_client/curl.h"

namespace plumb::docker {

// libcurl's types are void to the compiler, so each has a deleter of its own name.
struct EasyDeleter {
  void operator()(CURL* easy) const { curl().easy_cleanup(easy); }
};
struct MultiDeleter {
  void operator()(CURLM* multi) const { curl().multi_cleanup(multi); }
};
struct HeadersDeleter {
  void operator()(curl_slist* list) const { curl().slist_free_all(list); }
};

// The head of an answer, as far as plumb reads it.
struct Head {
  int status = 0;
  std::string api_version;
  bool libpod = false;
};

class Connection {
 public:
  // `socket_path` is short enough for sockaddr_un.
  [[nodiscard]] static Result<std::unique_ptr<Connection>> make(std::string socket_path);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Makes the request ready; drive() sends it. `target` is the path with its version prefix.
  [[nodiscard]] Result<void> start(const Request& request, const std::string& target, Sink sink);

  // Sends and receives until `enough` says so or the answer is whole. After `timeout` it may be called again; after any
  // other error the connection is of no use.
  [[nodiscard]] Result<void> drive(const std::function<bool()>& enough, Call::TimePoint deadline,
                                   const std::stop_token& stop);

  // Forgets the request and its sink, and keeps the connection open.
  void rest();

  [[nodiscard]] bool head_done() const { return head_done_; }
  [[nodiscard]] bool finished() const { return finished_; }
  [[nodiscard]] const Head& head() const { return head_; }
  [[nodiscard]] std::string& error_body() { return error_body_; }  // of a status of 300 and more, at most 64 KiB
  // "create container web at unix:///run/x.sock"
  [[nodiscard]] std::string place() const;
  // True when the answer was read to its end: the connection can serve again.
  [[nodiscard]] bool reusable() const { return finished_ && result_ == CURLE_OK; }

 private:
  Connection() = default;
  static std::size_t on_head(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  void read_head_line(std::string_view line);
  void harvest();
  void configure();
  void set_method();
  [[nodiscard]] Err failure();

  // The multi handle outlives the easy one: it holds the connection and can be woken from another thread.
  std::unique_ptr<CURLM, MultiDeleter> multi_;
  std::unique_ptr<CURL, EasyDeleter> easy_;
  std::unique_ptr<curl_slist, HeadersDeleter> headers_;
  std::string socket_path_;
  Request request_;
  Sink sink_;
  bool added_ = false;
  bool head_done_ = false;
  bool finished_ = false;
  CURLcode result_ = CURLE_OK;
  std::string detail_;  // CURLOPT_ERRORBUFFER
  Head head_;
  std::string error_body_;
  std::optional<Error> sink_error_;
};

// Idle connections, handed out and taken back.
class ConnectionPool {
 public:
  explicit ConnectionPool(std::string socket_path) : socket_path_(std::move(socket_path)) {}
  [[nodiscard]] Result<std::unique_ptr<Connection>> take();
  void give_back(std::unique_ptr<Connection> connection);  // keeps it when it is reusable
  [[nodiscard]] const std::string& socket_path() const { return socket_path_; }

 private:
  const std::string socket_path_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace plumb::docker
