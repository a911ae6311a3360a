#include "tests/lab/driver/faults.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "tests/lab/driver/settled.h"

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgets that C++ may read it
}

namespace plumb::lab {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

const std::string kLog = "/srv/plumb-driver.log";  // the node's own, as /var/log is not
constexpr auto kReadyLimit = 20s;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error(path + " is too long");
  std::memcpy(static_cast<char*>(address.sun_path), path.c_str(), path.size());
  return address;
}

// Paths of sockets are the file system's, and those of a node can be reached from here.
UniqueFd bound(const Node& node, const std::string& path, int type) {
  std::filesystem::create_directories(std::filesystem::path(node.outside(path)).parent_path());
  node.remove(path);
  const auto address = address_of(node.outside(path));
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    give_up_errno("bind " + path);
  return fd;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// One that ends may still have to say so while the next one starts.
std::string next_notify_path() {
  static unsigned number = 0;
  return "/run/driver-faults." + std::to_string(number++);
}

// The kernel says who writes to it.
UniqueFd notify_socket(const Node& node, const std::string& path) {
  UniqueFd fd = bound(node, path, SOCK_DGRAM);
  const int yes = 1;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0) give_up_errno("setsockopt SO_PASSCRED");
  return fd;
}

// Waits for READY=1, and returns who said it, by its pid here; -1: nobody.
pid_t await_ready(const UniqueFd& notify, pid_t starter) {
  const UniqueFd process(::pidfd_open(starter, 0));
  const auto until = Clock::now() + kReadyLimit;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    std::array<pollfd, 2> fds{{{notify.get(), POLLIN, 0}, {process.get(), POLLIN, 0}}};
    if (left <= 0 || ::poll(fds.data(), fds.size(), static_cast<int>(left)) == 0) return -1;
    if (fds[0].revents == 0) {
      if (fds[1].revents != 0) return -1;
      continue;
    }
    std::array<char, 256> text{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
    iovec part{text.data(), text.size()};
    msghdr message{nullptr, 0, &part, 1, control.data(), control.size(), 0};
    const auto size = ::recvmsg(notify.get(), &message, 0);
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (size <= 0 || header == nullptr || header->cmsg_type != SCM_CREDENTIALS) continue;
    if (std::string_view(text.data(), static_cast<std::size_t>(size)) != "READY=1") continue;
    ucred who{};
    std::memcpy(&who, CMSG_DATA(header), sizeof who);
    return who.pid;
  }
}

// The shell hands the socket over and becomes the driver. The log is a file: nobody has to read it meanwhile.
Running start_driver(const Node& node, const DriverHow& how, const std::string& notify) {
  Words words;
  // The sanitizer that looks for leaks is a tracer itself, and a program has only one (ptrace(2)).
  if (!how.kill_at.empty()) words = {"env", "ASAN_OPTIONS=detect_leaks=0", PLUMB_KILL_AT, "--told", how.kill_at};
  std::string script = "exec 2>>" + kLog + "; ";
  if (how.socket != nullptr) {
    const auto fd = std::to_string(how.socket->fd());
    script += "[ " + fd + " = 3 ] || exec 3<&" + fd + " " + fd + "<&-; export LISTEN_PID=$$ LISTEN_FDS=1; ";
  }
  if (how.descriptors > 0) script += "ulimit -n " + std::to_string(how.descriptors) + "; ";
  words.insert(words.end(), {"bash", "-c", script + "exec \"$@\"", "driver", PLUMB_PROGRAM, "driver"});
  if (how.state != kDriverState) words.insert(words.end(), {"--state", how.state});
  if (how.socket != nullptr) ::fcntl(how.socket->fd(), F_SETFD, 0);
  Running running = node.start(words, {"NOTIFY_SOCKET=" + notify});
  if (how.socket != nullptr) ::fcntl(how.socket->fd(), F_SETFD, FD_CLOEXEC);
  return running;
}

}  // namespace

LastingSocket::LastingSocket(const Node& node) : node_(node), fd_(bound(node, kDriverSocket, SOCK_STREAM)) {
  if (::listen(fd_.get(), SOMAXCONN) != 0) give_up_errno("listen");
}

LastingSocket::~LastingSocket() { node_.remove(kDriverSocket); }

Driver::Driver(const Node& node, const DriverHow& how)
    : node_(node),
      notify_path_(next_notify_path()),
      notify_(notify_socket(node, notify_path_)),
      said_before_(text_of(node.outside(kLog)).size()),
      running_(start_driver(node, how, notify_path_)),
      pid_(await_ready(notify_, running_.pid())) {
  if (pid_ >= 0 && (!how.settled || becomes([&] { return has_settled(log()); }, kReadyLimit))) return;
  node_.remove(notify_path_);
  throw std::runtime_error("the driver did not become ready:\n" + text_of(node.outside(kLog)));
}

Driver::~Driver() {
  if (!ended_) end(SIGTERM);
  node_.remove(notify_path_);
}

Outcome Driver::end(int signal) {
  ended_ = true;
  const UniqueFd process(::pidfd_open(pid_, 0));
  if (signal != 0 && process) ::pidfd_send_signal(process.get(), signal, nullptr, 0);
  return running_.wait(20s);
}

long Driver::status(const std::string& entry) const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(entry + ":")) return std::stol(line.substr(entry.size() + 1));
  return -1;
}

std::size_t Driver::descriptors() const {
  const std::filesystem::directory_iterator folder("/proc/" + std::to_string(pid_) + "/fd");
  return static_cast<std::size_t>(std::distance(folder, std::filesystem::directory_iterator()));
}

std::string Driver::log() const { return text_of(node_.outside(kLog)).substr(said_before_); }

bool ends_first(const Running& first, const Running& second) {
  const UniqueFd one(::pidfd_open(first.pid(), 0));
  const UniqueFd other(::pidfd_open(second.pid(), 0));
  std::array<pollfd, 2> fds{{{one.get(), POLLIN, 0}, {other.get(), POLLIN, 0}}};
  while (::poll(fds.data(), fds.size(), 60'000) < 0 && errno == EINTR) {
  }
  return fds[0].revents != 0;
}

std::string Answer::error() const {
  const Json json = Json::parse(body, nullptr, false);
  return json.is_object() ? json.value("Err", std::string()) : std::string();
}

UniqueFd connect_to_driver(const Node& node) {
  const auto address = address_of(node.outside(kDriverSocket));
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{30, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

// With "Connection: close" the answer ends with the connection.
Answer call(const Node& node, const std::string& method, const std::string& body) {
  const auto begin = Clock::now();
  const UniqueFd fd = connect_to_driver(node);
  Answer answer;
  if (!fd) return answer;
  const std::string request =
      "POST /" + method + " HTTP/1.1\r\nHost:\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    return answer;
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t got = 0; (got = ::recv(fd.get(), part.data(), part.size(), 0)) > 0;)
    text.append(part.data(), static_cast<std::size_t>(got));
  answer.took = Clock::now() - begin;
  const auto end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos) return answer;
  answer.status = std::stoi(text.substr(9));
  answer.body = text.substr(end + 4);
  return answer;
}

}  // namespace plumb::lab
