#include "docker_client/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace plumb::docker {

namespace {

constexpr std::size_t kErrorBodyLimit = std::size_t{64} << 10U;
constexpr std::size_t kIdleLimit = 8;

bool starts_with_name(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  return std::equal(name.begin(), name.end(), line.begin(),
                    [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b); });
}

std::string_view value_of(std::string_view line) {
  line.remove_prefix(line.find(':') + 1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  return line;
}

// What to do when the engine's socket cannot be connected to.
Err connect_failure(std::string place, const std::string& socket_path, int err) {
  place += ": connect: ";
  place += std::strerror(err);  // NOLINT(concurrency-mt-unsafe): glibc's is thread-safe for known errors
  switch (err) {
    case ENOENT:
    case ENOTDIR:
      return Err{ErrorKind::unreachable, std::move(place),
                 "There is no " + socket_path +
                     ": install and start an engine (systemctl start docker), or name its socket in DOCKER_HOST.",
                 err};
    case ECONNREFUSED:
      return Err{ErrorKind::unreachable, std::move(place),
                 socket_path + " is there but nobody listens on it: start the engine (systemctl start docker).", err};
    case EACCES:
    case EPERM:
      return Err{ErrorKind::permission, std::move(place),
                 "Run as root, or as a member of the group of " + socket_path + ".", err};
    default: return Err{ErrorKind::unreachable, std::move(place), {}, err};
  }
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::make(std::string socket_path) {
  if (const auto& loaded = load_curl(); !loaded)
    return Err{loaded.error().kind, "talk to the engine at unix://" + socket_path + ": " + loaded.error().what,
               loaded.error().next};
  std::unique_ptr<Connection> connection(new Connection);
  connection->socket_path_ = std::move(socket_path);
  connection->multi_.reset(curl().multi_init());
  connection->easy_.reset(curl().easy_init());
  if (!connection->multi_ || !connection->easy_) {
    return Err{ErrorKind::failed,
               "talk to the engine at unix://" + connection->socket_path_ + ": libcurl cannot be set up"};
  }
  connection->configure();
  return connection;
}

Connection::~Connection() { rest(); }

void Connection::rest() {
  if (added_) curl().multi_remove_handle(multi_.get(), easy_.get());
  added_ = false;
  request_ = {};
  sink_ = nullptr;
}

void Connection::configure() {
  CURL* easy = easy_.get();
  detail_.resize(CURL_ERROR_SIZE);
  curl().multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, 1L);
  curl().easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, socket_path_.c_str());
  curl().easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
  curl().easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl().easy_setopt(easy, CURLOPT_PROXY, "");  // http_proxy is for other machines
  curl().easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl().easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl().easy_setopt(easy, CURLOPT_ERRORBUFFER, detail_.data());
  curl().easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Connection::on_head);
  curl().easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl().easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Connection::on_body);
  curl().easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl().easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Connection::on_socket);
  curl().easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
}

void Connection::set_method() {
  CURL* easy = easy_.get();
  curl().easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
  switch (request_.method) {
    case Method::get: curl().easy_setopt(easy, CURLOPT_HTTPGET, 1L); break;
    case Method::head: curl().easy_setopt(easy, CURLOPT_NOBODY, 1L); break;
    case Method::del:
      curl().easy_setopt(easy, CURLOPT_HTTPGET, 1L);
      curl().easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
      break;
    case Method::post: {
      const std::string_view body = request_.archive.empty() ? std::string_view(request_.body) : request_.archive;
      curl().easy_setopt(easy, CURLOPT_POST, 1L);
      curl().easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
      curl().easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());  // not copied
      break;
    }
  }
}

Result<void> Connection::start(const Request& request, const std::string& target, Sink sink) {
  rest();
  request_ = request;
  sink_ = std::move(sink);
  head_ = {};
  error_body_.clear();
  sink_error_.reset();
  head_done_ = finished_ = false;
  result_ = CURLE_OK;
  detail_.front() = '\0';
  curl().easy_setopt(easy_.get(), CURLOPT_NOBODY, 0L);
  set_method();
  headers_.reset();
  const auto add = [this](const char* header) { headers_.reset(curl().slist_append(headers_.release(), header)); };
  add("Expect:");  // no 100-continue: the engine never needs it and it costs a round trip
  add("User-Agent: plumb");
  if (request_.method == Method::post) {
    add(!request_.archive.empty() ? "Content-Type: application/x-tar"
        : request_.body.empty()   ? "Content-Type:"
                                  : "Content-Type: application/json");
  }
  for (const std::string& header : request_.headers) add(header.c_str());
  curl().easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
  // A short body is sent to its end, whatever is answered meanwhile: libcurl 8.14 may close the connection otherwise.
  curl().easy_setopt(easy_.get(), CURLOPT_KEEP_SENDING_ON_ERROR, request_.archive.empty() ? 1L : 0L);
  curl().easy_setopt(easy_.get(), CURLOPT_FRESH_CONNECT, request_.idempotent ? 0L : 1L);
  curl().easy_setopt(easy_.get(), CURLOPT_URL, ("http://docker" + target).c_str());
  if (curl().multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK) {
    return Err{ErrorKind::failed, place() + ": libcurl refuses the request"};
  }
  added_ = true;
  return {};
}

Result<void> Connection::drive(const std::function<bool()>& enough, Call::TimePoint deadline,
                               const std::stop_token& stop) {
  const std::stop_callback wake(stop, [multi = multi_.get()] { curl().multi_wakeup(multi); });
  while (!finished_) {
    if (stop.stop_requested()) return Err{ErrorKind::cancelled, place() + ": cancelled"};
    int running = 0;
    if (curl().multi_perform(multi_.get(), &running) != CURLM_OK)
      return Err{ErrorKind::failed, place() + ": libcurl failed"};
    harvest();
    if (finished_ || (enough && enough())) break;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) {
      if (!head_done_) return Err{ErrorKind::timeout, place() + ": no answer when the deadline passes", {}, ETIMEDOUT};
      return Err{ErrorKind::timeout, place() + ": the answer is not complete when the deadline passes"};
    }
    const int wait = static_cast<int>(std::min<long long>(left, 3'600'000));
    if (curl().multi_poll(multi_.get(), nullptr, 0, wait, nullptr) != CURLM_OK) {
      return Err{ErrorKind::failed, place() + ": libcurl cannot wait"};
    }
  }
  if (sink_error_) return Err{*sink_error_};
  if (finished_ && result_ != CURLE_OK) return failure();
  return {};
}

void Connection::harvest() {
  int left = 0;
  while (const CURLMsg* message = curl().multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    finished_ = true;
    result_ = message->data.result;
  }
}

Err Connection::failure() {
  long err = 0;
  curl().easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &err);
  if (result_ == CURLE_COULDNT_CONNECT) return connect_failure(place(), socket_path_, static_cast<int>(err));
  std::string reason = place() + ": ";
  if (result_ == CURLE_GOT_NOTHING || result_ == CURLE_RECV_ERROR || result_ == CURLE_SEND_ERROR) {
    reason += head_done_ ? "the engine closed the connection in the middle of its answer"
                         : "the engine closed the connection without an answer";
    return Err{ErrorKind::unreachable, std::move(reason), "See the engine's log: it may have stopped or restarted."};
  }
  if (result_ == CURLE_PARTIAL_FILE) {
    return Err{ErrorKind::unreachable, reason + "the engine closed the connection in the middle of its answer",
               "See the engine's log: it may have stopped or restarted."};
  }
  const std::string_view detail(detail_.c_str());
  reason += detail.empty() ? std::string_view(curl().easy_strerror(result_)) : detail;
  if (result_ == CURLE_UNSUPPORTED_PROTOCOL || result_ == CURLE_WEIRD_SERVER_REPLY) {
    return Err{ErrorKind::unsupported, std::move(reason),
               "What listens on " + socket_path_ + " does not speak the Engine API."};
  }
  return Err{ErrorKind::unreachable, std::move(reason), {}, static_cast<int>(err)};
}

std::string Connection::place() const { return request_.what + " at unix://" + socket_path_; }

std::size_t Connection::on_head(char* data, std::size_t size, std::size_t count, void* self) {
  static_cast<Connection*>(self)->read_head_line(std::string_view(data, size * count));
  return size * count;
}

void Connection::read_head_line(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    head_ = {};
    return;
  }
  if (starts_with_name(line, "api-version")) head_.api_version = value_of(line);
  if (starts_with_name(line, "libpod-api-version")) head_.libpod = true;
  if (line != "\r\n" && line != "\n") return;
  long status = 0;
  curl().easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  head_.status = static_cast<int>(status);
  head_done_ = status >= 200;  // 1xx announces another head
}

std::size_t Connection::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& connection = *static_cast<Connection*>(self);
  const std::string_view bytes(data, size * count);
  if (connection.head_.status >= 300) {  // 304 has no body
    const std::size_t room = kErrorBodyLimit - connection.error_body_.size();
    connection.error_body_ += bytes.substr(0, room);
    return bytes.size();
  }
  if (!connection.sink_) return bytes.size();
  const Result<void> taken = connection.sink_(bytes);
  if (taken) return bytes.size();
  connection.sink_error_ = taken.error();
  return 0;  // any other number than the size ends the transfer with CURLE_WRITE_ERROR
}

curl_socket_t Connection::on_socket(void* /*self*/, curlsocktype /*purpose*/, curl_sockaddr* address) {
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

Result<std::unique_ptr<Connection>> ConnectionPool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return Connection::make(socket_path_);
}

void ConnectionPool::give_back(std::unique_ptr<Connection> connection) {
  if (!connection || !connection->reusable()) return;
  connection->rest();
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleLimit) idle_.push_back(std::move(connection));
}

}  // namespace plumb::docker
