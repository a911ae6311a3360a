#include "plugin/engine/engine_scope.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>

#include "docker_client/shared_library.h"

namespace plumb {

namespace {

using Deadline = std::chrono::steady_clock::time_point;

constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kObject = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr const char* kUnitExists = "org.freedesktop.systemd1.UnitExists";

// What is used of sd-bus(3), as libsystemd 240 has it and all that came later.
struct SdBus {
  decltype(&::sd_bus_new) make = nullptr;
  decltype(&::sd_bus_set_address) set_address = nullptr;
  decltype(&::sd_bus_start) start = nullptr;
  decltype(&::sd_bus_close) close = nullptr;
  decltype(&::sd_bus_unref) unref = nullptr;
  decltype(&::sd_bus_get_fd) get_fd = nullptr;
  decltype(&::sd_bus_process) process = nullptr;
  decltype(&::sd_bus_wait) wait = nullptr;
  decltype(&::sd_bus_match_signal) match_signal = nullptr;
  decltype(&::sd_bus_call_async) call_async = nullptr;
  decltype(&::sd_bus_message_new_method_call) new_call = nullptr;
  decltype(&::sd_bus_message_append) append = nullptr;
  decltype(&::sd_bus_message_read) read = nullptr;
  decltype(&::sd_bus_message_get_error) get_error = nullptr;
  decltype(&::sd_bus_message_unref) unref_message = nullptr;
};

Result<SdBus> open_library() {
  void* library = TRY(load_library("libsystemd.so.0"));
  SdBus out;
  TRY(find_function(library, "sd_bus_new", out.make));
  TRY(find_function(library, "sd_bus_set_address", out.set_address));
  TRY(find_function(library, "sd_bus_start", out.start));
  TRY(find_function(library, "sd_bus_close", out.close));
  TRY(find_function(library, "sd_bus_unref", out.unref));
  TRY(find_function(library, "sd_bus_get_fd", out.get_fd));
  TRY(find_function(library, "sd_bus_process", out.process));
  TRY(find_function(library, "sd_bus_wait", out.wait));
  TRY(find_function(library, "sd_bus_match_signal", out.match_signal));
  TRY(find_function(library, "sd_bus_call_async", out.call_async));
  TRY(find_function(library, "sd_bus_message_new_method_call", out.new_call));
  TRY(find_function(library, "sd_bus_message_append", out.append));
  TRY(find_function(library, "sd_bus_message_read", out.read));
  TRY(find_function(library, "sd_bus_message_get_error", out.get_error));
  TRY(find_function(library, "sd_bus_message_unref", out.unref_message));
  return out;
}

// A conversation with systemd. No call of sd-bus that waits by itself is used: not all of them have a time limit.
class Manager {
 public:
  static Result<std::unique_ptr<Manager>> open(const ManagerSocket& socket) {
    static const Result<SdBus> library = open_library();
    if (!library) return Err{library.error()};
    std::unique_ptr<Manager> out(new Manager(*library, socket.limit));
    TRY(out->connect(socket));
    return out;
  }
  ~Manager() {
    if (bus_ == nullptr) return;
    sd_.close(bus_);  // what has not been sent is not sent any more
    sd_.unref(bus_);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // Makes the unit with the process in it. `false`: there is one of that name.
  Result<bool> make(const std::string& unit, const std::string& service, int pid) {
    auto call = TRY(new_call("StartTransientUnit"));
    // Ordered, for a shutdown: whoever ends the service in order comes first, this is the rest. Not for the start,
    // which may be a part of a start, or even of a stop, of plumb@SERVICE.service that would be waited for for ever.
    const std::string instance = "plumb@" + service + ".service";
    TRY(checked(sd_.append(call.get(), "ssa(sv)a(sa(sv))", unit.c_str(), "ignore-dependencies", 7,  //
                           "Description", "s", ("plumb: the engine of " + service).c_str(),         //
                           "PIDs", "au", 1, static_cast<std::uint32_t>(pid),                        //
                           "Delegate", "b", 1,                                                      // as docker.service
                           "TasksMax", "t", UINT64_MAX,                                             // as docker.service
                           "CollectMode", "s", "inactive-or-failed",  // its name is free when its processes are gone
                           "Before", "as", 4, instance.c_str(), "plumb-boot.service", "plumb-watch.service",
                           "pacemaker.service",  //
                           "After", "as", 3, "network-online.target", "docker.service", "containerd.service", 0)));
    unit_ = unit;
    job_.reset();
    if (!listens_) {
      TRY(checked(sd_.match_signal(bus_, nullptr, nullptr, kObject, kManager, "JobRemoved", &on_job_removed, this)));
      listens_ = true;
    }
    if (const auto answer = TRY(send(*call)); !answer.empty()) {
      if (answer_name_ == kUnitExists) return false;
      return Err{ErrorKind::failed, answer};
    }
    // The answer says that it will be done.
    TRY(until([this] { return job_.has_value(); }));
    if (*job_ != "done") return Err{ErrorKind::failed, "systemd ended its job with \"" + *job_ + '"'};
    return true;
  }

  Result<void> join(const std::string& unit, int pid) {
    auto call = TRY(new_call("AttachProcessesToUnit"));
    TRY(checked(sd_.append(call.get(), "ssau", unit.c_str(), "", 1, static_cast<std::uint32_t>(pid))));
    if (const auto answer = TRY(send(*call)); !answer.empty()) return Err{ErrorKind::failed, answer};
    return {};
  }

 private:
  using Message = std::unique_ptr<sd_bus_message, decltype(&::sd_bus_message_unref)>;

  Manager(const SdBus& library, std::chrono::milliseconds limit)
      : sd_(library), limit_(limit), deadline_(std::chrono::steady_clock::now() + limit) {}

  static Result<int> checked(int result) {
    if (result < 0) return Err{errno_error(-result, "speak to systemd")};
    return result;
  }

  Result<void> connect(const ManagerSocket& socket) {
    TRY(checked(sd_.make(&bus_)));
    TRY(checked(sd_.set_address(bus_, ("unix:path=" + socket.path).c_str())));
    TRY(checked(sd_.start(bus_)));
    // The numbers of processes that we know are only those of a systemd that we see as process 1.
    ucred peer{};
    socklen_t size = sizeof peer;
    const int fd = TRY(checked(sd_.get_fd(bus_)));
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid != socket.listener)
      return Err{ErrorKind::unsupported,
                 socket.path + " is not that of this node's process " + std::to_string(socket.listener)};
    return {};
  }

  Result<Message> new_call(const char* method) {
    sd_bus_message* out = nullptr;
    TRY(checked(sd_.new_call(bus_, &out, kService, kObject, kManager, method)));
    return Message(out, sd_.unref_message);
  }

  // Empty, or the error that was answered.
  Result<std::string> send(sd_bus_message& call) {
    answer_.reset();
    TRY(checked(sd_.call_async(bus_, nullptr, &call, &on_answer, this, UINT64_MAX)));
    TRY(until([this] { return answer_.has_value(); }));
    return *answer_;
  }

  template <typename Condition>
  Result<void> until(const Condition& holds) {
    while (!holds()) {
      if (TRY(checked(sd_.process(bus_, nullptr))) > 0) continue;
      const auto left =
          std::chrono::duration_cast<std::chrono::microseconds>(deadline_ - std::chrono::steady_clock::now());
      if (left.count() <= 0)
        return Err{ErrorKind::timeout, "systemd has not answered within " + std::to_string(limit_.count()) + " ms"};
      if (const int waited = sd_.wait(bus_, static_cast<std::uint64_t>(left.count())); waited != -EINTR)
        TRY(checked(waited));
    }
    return {};
  }

  static int on_answer(sd_bus_message* message, void* self, sd_bus_error* /*unused*/) {
    auto& manager = *static_cast<Manager*>(self);
    const sd_bus_error* error = manager.sd_.get_error(message);
    manager.answer_name_ = error == nullptr ? "" : error->name;
    manager.answer_ = error == nullptr            ? std::string()
                      : error->message != nullptr ? std::string(error->message)
                                                  : manager.answer_name_;
    return 0;
  }

  static int on_job_removed(sd_bus_message* message, void* self, sd_bus_error* /*unused*/) {
    auto& manager = *static_cast<Manager*>(self);
    std::uint32_t id = 0;
    const char* job = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    if (manager.sd_.read(message, "uoss", &id, &job, &unit, &result) >= 0 && unit == manager.unit_)
      manager.job_ = result;
    return 0;
  }

  const SdBus& sd_;
  std::chrono::milliseconds limit_;
  Deadline deadline_;
  sd_bus* bus_ = nullptr;
  bool listens_ = false;
  std::string unit_;
  std::optional<std::string> answer_;
  std::string answer_name_;
  std::optional<std::string> job_;
};

}  // namespace

bool has_systemd() {
  struct stat seen {};
  return ::lstat("/run/systemd/system", &seen) == 0 && S_ISDIR(seen.st_mode);
}

std::string scope_of(const std::string& service) { return "plumb-engine-" + service + ".scope"; }

Result<void> enter_scope(const std::string& service, int pid, const ManagerSocket& manager) {
  const std::string unit = scope_of(service);
  const auto enter = [&]() -> Result<void> {
    const auto systemd = TRY(Manager::open(manager));
    if (TRY(systemd->make(unit, service, pid))) return {};
    if (systemd->join(unit, pid)) return {};
    // It went just now, with the last process that had kept it.
    if (TRY(systemd->make(unit, service, pid))) return {};
    return Err{ErrorKind::exists, "it is there, and takes no process"};
  };
  auto out = enter();
  if (!out) out.error().what = "put the engine of " + service + " into " + unit + ": " + out.error().what;
  return out;
}

}  // namespace plumb
