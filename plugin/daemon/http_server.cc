#include "plugin/daemon/http_server.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string_view>

#include "plugin/daemon/microhttpd.h"

namespace plumb {

namespace {

constexpr std::size_t kMaxBody = std::size_t{1} << 20;
// So much of a body that is too long is read, for the sake of a client that reads no answer before it has sent all.
constexpr std::size_t kMaxDrained = 16 * kMaxBody;
constexpr unsigned kMaxConnections = 512;
// How long the end waits for clients to take their answers, once no handler runs.
constexpr std::chrono::seconds kTakeTime{1};

// Sanitizers make frames several times as large.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PLUMB_LARGE_FRAMES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PLUMB_LARGE_FRAMES 1
#endif
#endif
#ifdef PLUMB_LARGE_FRAMES
constexpr std::size_t kThreadStack = std::size_t{2} << 20;
#else
constexpr std::size_t kThreadStack = std::size_t{256} << 10;
#endif

// One request, from its headers until its answer is sent.
struct Call {
  HttpRequest request;
  std::size_t received = 0;
  bool counted = false;  // among Daemon::unsent
};

// Threads inherit the mask: the program's signals go to the threads that wait for them, and a client that is gone is an
// error of write(2) and no SIGPIPE.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_{};
};

// One line to stderr, at once. The client may have chosen part of it: it must not look like several lines, or move the
// cursor.
void say(std::string_view prefix, std::string_view text) noexcept {
  std::array<char, 1024> line{};
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  prefix = prefix.substr(0, 100);
  text = text.substr(0, line.size() - prefix.size() - 1);
  char* end = std::copy(prefix.begin(), prefix.end(), line.data());
  end = std::replace_copy_if(
      text.begin(), text.end(), end, [](char c) { return (c >= 0 && c < ' ') || c == 127; }, '?');
  *end++ = '\n';
  [[maybe_unused]] const ssize_t written =
      ::write(STDERR_FILENO, line.data(), static_cast<std::size_t>(end - line.data()));
}

// What libmicrohttpd says of a client that closed, which is nobody's fault, and of a call that on_request has ended,
// which says why itself.
bool is_said_enough(std::string_view text) {
  constexpr std::array kKnown{"Socket has been disconnected", "Connection socket is closed",
                              "Connection was closed by remote", "Failed to send ",
                              "Application reported internal error"};
  return std::any_of(kKnown.begin(), kKnown.end(), [&](const char* begin) { return text.starts_with(begin); });
}

[[gnu::format(printf, 2, 0)]] void on_log(void* prefix, const char* format, va_list args) noexcept {
  std::array<char, 1024> text{};
  std::vsnprintf(text.data(), text.size(), format, args);
  if (!is_said_enough(text.data())) say(*static_cast<const std::string*>(prefix), text.data());
}

constexpr const char* kTooLong = "the request's body is longer than 1 MiB";

// Whether to answer before the body comes: its length is known to be too much, and the client waits to be asked for it,
// or would send for too long.
bool refuse_unread(MHD_Connection* connection) {
  const char* length =
      microhttpd().lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
  if (length == nullptr) return false;
  const auto bytes = std::strtoull(length, nullptr, 10);
  const bool waits =
      microhttpd().lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT) != nullptr;
  return bytes > (waits ? kMaxBody : kMaxDrained);
}

void take_body(Call& call, const char* data, std::size_t size) {
  call.received += size;
  if (call.received <= kMaxBody) {
    call.request.body.append(data, size);
  } else {
    call.request.body = {};
  }
}

struct Destroy {
  void operator()(MHD_Response* response) const { microhttpd().destroy_response(response); }
};

}  // namespace

HttpReply plain_refusal(unsigned status, const std::string& why) { return {.status = status, .body = why + "\n"}; }

struct HttpServer::Daemon {
  Daemon(UniqueFd socket, HttpOptions given) : listening(std::move(socket)), options(std::move(given)) {}
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  Result<void> start();

  // What libmicrohttpd calls, from a thread of the connection's.
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url, const char* method,
                               const char* version, const char* data, std::size_t* size, void** state) noexcept;
  static void on_completed(void* self, MHD_Connection* connection, void** state,
                           MHD_RequestTerminationCode code) noexcept;
  HttpReply answer(const Call& call) const noexcept;
  MHD_Result finish(MHD_Connection* connection, Call& call);
  MHD_Result send_reply(MHD_Connection* connection, HttpReply reply, bool last) const;
  [[nodiscard]] HttpReply too_large() const { return options.refusal(MHD_HTTP_CONTENT_TOO_LARGE, kTooLong); }

  struct Stop {
    void operator()(MHD_Daemon* daemon) const { microhttpd().stop_daemon(daemon); }
  };

  UniqueFd listening;  // ours while libmicrohttpd does not have it: before its start, and after it is quiesced
  HttpOptions options;
  std::mutex mutex;
  std::condition_variable changed;
  unsigned running = 0;  // calls in the handler
  unsigned unsent = 0;   // these, and those whose answer is on its way
  std::atomic<bool> ending = false;
  std::unique_ptr<MHD_Daemon, Stop> mhd;
};

Result<void> HttpServer::Daemon::start() {
  // Without one, libmicrohttpd would listen on a port of its own choice.
  if (!listening) return Err{ErrorKind::failed, "serve HTTP: there is no socket to listen on"};
  if (!load_microhttpd()) return Err{load_microhttpd().error()};
  const BlockedSignals blocked;
  // The wake-up channel (ITC), so that the end needs no shutdown(2) of a socket that systemd may hold as well.
  constexpr unsigned kFlags = unsigned{MHD_USE_INTERNAL_POLLING_THREAD} | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
                              MHD_USE_ITC | MHD_USE_ERROR_LOG;
  // No timeout of connections is the library's default.
  mhd.reset(microhttpd().start_daemon(kFlags, 0, nullptr, nullptr, on_request, this,            //
                                      MHD_OPTION_EXTERNAL_LOGGER, on_log, &options.log_prefix,  //
                                      MHD_OPTION_LISTEN_SOCKET, listening.get(),                //
                                      MHD_OPTION_CONNECTION_LIMIT, kMaxConnections,             //
                                      MHD_OPTION_THREAD_STACK_SIZE, kThreadStack,               //
                                      MHD_OPTION_NOTIFY_COMPLETED, on_completed, this, MHD_OPTION_END));
  const int reason = errno;
  // It may or may not have closed the socket when it fails: a leak does less harm than closing what is somebody else's.
  [[maybe_unused]] const int given = listening.release();
  if (mhd != nullptr) return {};
  Error error = errno_error(reason, "start the threads that serve HTTP");
  error.kind = ErrorKind::failed;
  error.next = "see the limits of open files and of threads (systemctl show -p LimitNOFILE -p TasksMax)";
  return Err(std::move(error));
}

// In this order: nobody new is let in; those that wait for an answer get it, since the engine repeats a cut call
// without its body; then the connections are closed.
HttpServer::Daemon::~Daemon() {
  if (mhd == nullptr) return;
  ending = true;
  listening.reset(microhttpd().quiesce_daemon(mhd.get()));
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return running == 0; });
    changed.wait_for(lock, kTakeTime, [this] { return unsent == 0; });
  }
  const BlockedSignals blocked;
  mhd.reset();
}

MHD_Result HttpServer::Daemon::on_request(void* self, MHD_Connection* connection, const char* url, const char* method,
                                          const char* /*version*/, const char* data, std::size_t* size,
                                          void** state) noexcept {
  auto& daemon = *static_cast<Daemon*>(self);
  if (*state == nullptr) {
    auto call = std::make_unique<Call>();
    call->request.method = method;
    call->request.path = url;
    *state = call.release();  // until on_completed
    return refuse_unread(connection) ? daemon.send_reply(connection, daemon.too_large(), true) : MHD_YES;
  }
  auto& call = *static_cast<Call*>(*state);
  if (*size == 0) return daemon.finish(connection, call);
  take_body(call, data, *size);
  *size = 0;
  if (call.received <= kMaxDrained) return MHD_YES;
  say(daemon.options.log_prefix, "cut off a request whose body is longer than 16 MiB");
  return MHD_NO;
}

void HttpServer::Daemon::on_completed(void* self, MHD_Connection* /*connection*/, void** state,
                                      MHD_RequestTerminationCode /*code*/) noexcept {
  const std::unique_ptr<Call> call(static_cast<Call*>(std::exchange(*state, nullptr)));
  if (call == nullptr || !call->counted) return;
  auto& daemon = *static_cast<Daemon*>(self);
  const std::lock_guard lock(daemon.mutex);
  --daemon.unsent;
  daemon.changed.notify_all();
}

HttpReply HttpServer::Daemon::answer(const Call& call) const noexcept {
  if (call.received > kMaxBody) return too_large();
  try {
    return options.handler(call.request);
  } catch (...) {
    // Nothing of ours throws on purpose; the library is C and could not pass it on.
    return options.refusal(MHD_HTTP_INTERNAL_SERVER_ERROR, "plumb: an unexpected exception ended the call");
  }
}

MHD_Result HttpServer::Daemon::send_reply(MHD_Connection* connection, HttpReply reply, bool last) const {
  const std::unique_ptr<MHD_Response, Destroy> response(
      microhttpd().create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY));
  if (response == nullptr) {
    say(options.log_prefix, "no memory for an answer: the connection is closed");
    return MHD_NO;
  }
  microhttpd().add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, reply.content_type.c_str());
  if (last) microhttpd().add_response_header(response.get(), MHD_HTTP_HEADER_CONNECTION, "close");
  const MHD_Result queued = microhttpd().queue_response(connection, reply.status, response.get());
  if (queued != MHD_YES)
    say(options.log_prefix, "an answer with the status " + std::to_string(reply.status) + " cannot be sent");
  return queued;
}

MHD_Result HttpServer::Daemon::finish(MHD_Connection* connection, Call& call) {
  {
    const std::lock_guard lock(mutex);
    ++running;
    ++unsent;
    call.counted = true;
  }
  HttpReply reply = answer(call);
  const MHD_Result queued = send_reply(connection, std::move(reply), ending);
  const std::lock_guard lock(mutex);
  --running;
  changed.notify_all();
  return queued;
}

HttpServer::HttpServer(std::unique_ptr<Daemon> daemon) : daemon_(std::move(daemon)) {}
HttpServer::HttpServer(HttpServer&&) noexcept = default;
HttpServer::~HttpServer() = default;

Result<HttpServer> HttpServer::start(UniqueFd listening, HttpOptions options) {
  auto daemon = std::make_unique<Daemon>(std::move(listening), std::move(options));
  TRY(daemon->start());
  return HttpServer(std::move(daemon));
}

}  // namespace plumb
