// Runs a program and kills it, or makes it fail, at the N-th system call that has an effect on the world outside of it.
//
// usage: kill_at [--told] LIST|N[:ERRNO] PROGRAM [ARGUMENT...]
// LIST counts and lists those calls on stderr. N kills the whole process at the entry of its N-th, which then has no
// effect: between the effects of N-1 and N there is nothing that anybody else could tell apart, so that all N together
// are every instant that matters. N:ERRNO lets that call alone fail with this number instead. Ends with the program's
// exit code, with 128 + its signal, or with 125 when it cannot do what it is asked. --told: calls count from the moment
// that kill_at itself is sent SIGUSR1, which is for a daemon that is asked something then.
//
// Calls are counted over all threads and forked children, in the order in which they come; strace's own injection
// counts for each thread alone. A child is followed until it executes another program, and outlives the kill as it
// would without us. The order of calls of parallel threads differs from run to run.
//
// Threads: one. Privilege: to trace the program (ptrace(2)).
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

// glibc's and the kernel's <ptrace.h> exclude each other.
struct SyscallEntry {
  std::uint8_t op;
  std::uint8_t padding[3];
  std::uint32_t arch;
  std::uint64_t instruction_pointer;
  std::uint64_t stack_pointer;
  std::uint64_t number;
  std::uint64_t args[6];
};

namespace {

constexpr int kCannot = 125;

// Whether calls count.
volatile std::sig_atomic_t counting = 1;

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "kill_at: %s: %s\n", what, std::strerror(errno));
  std::exit(kCannot);
}

enum class Counts {
  always,
  on_fd,         // unless the descriptor is of the program alone, or its standard output
  on_socket,     // ioctl
  when_created,  // open with O_CREAT or O_TRUNC
  when_process,  // not a thread
};

struct Call {
  const char* name;
  Counts counts;
};

const std::map<std::uint64_t, Call>& calls() {
  static const std::map<std::uint64_t, Call> kAll{
      {SYS_sendto, {"sendto", Counts::on_fd}},        {SYS_sendmsg, {"sendmsg", Counts::on_fd}},
      {SYS_sendmmsg, {"sendmmsg", Counts::on_fd}},    {SYS_write, {"write", Counts::on_fd}},
      {SYS_writev, {"writev", Counts::on_fd}},        {SYS_pwrite64, {"pwrite64", Counts::on_fd}},
      {SYS_pwritev, {"pwritev", Counts::on_fd}},      {SYS_connect, {"connect", Counts::always}},
      {SYS_bind, {"bind", Counts::always}},           {SYS_listen, {"listen", Counts::always}},
      {SYS_ioctl, {"ioctl", Counts::on_socket}},      {SYS_openat, {"openat", Counts::when_created}},
      {SYS_mkdirat, {"mkdirat", Counts::always}},     {SYS_unlinkat, {"unlinkat", Counts::always}},
      {SYS_renameat2, {"renameat2", Counts::always}}, {SYS_ftruncate, {"ftruncate", Counts::always}},
      {SYS_flock, {"flock", Counts::always}},         {SYS_mount, {"mount", Counts::always}},
      {SYS_umount2, {"umount2", Counts::always}},     {SYS_setns, {"setns", Counts::always}},
      {SYS_unshare, {"unshare", Counts::always}},     {SYS_setsid, {"setsid", Counts::always}},
      {SYS_kill, {"kill", Counts::always}},           {SYS_pidfd_send_signal, {"pidfd_send_signal", Counts::always}},
      {SYS_clone, {"clone", Counts::when_process}},   {SYS_clone3, {"clone3", Counts::when_process}},
      {SYS_execve, {"execve", Counts::always}},
#ifdef SYS_open  // not on machines that came after openat
      {SYS_open, {"open", Counts::when_created}},     {SYS_mkdir, {"mkdir", Counts::always}},
      {SYS_rmdir, {"rmdir", Counts::always}},         {SYS_unlink, {"unlink", Counts::always}},
      {SYS_rename, {"rename", Counts::always}},       {SYS_fork, {"fork", Counts::always}},
      {SYS_vfork, {"vfork", Counts::always}},
#endif
  };
  return kAll;
}

std::string file_of(pid_t thread, std::uint64_t fd) {
  char target[PATH_MAX];
  const std::string link = "/proc/" + std::to_string(thread) + "/fd/" + std::to_string(static_cast<int>(fd));
  const ssize_t size = readlink(link.c_str(), target, sizeof target);
  return size < 0 ? std::string() : std::string(target, static_cast<std::size_t>(size));
}

bool makes_process(pid_t thread, const SyscallEntry& call) {
  std::uint64_t flags = call.args[0];
  if (call.number == SYS_clone3) {
    iovec here{&flags, sizeof flags};
    iovec there{reinterpret_cast<void*>(call.args[0]), sizeof flags};
    if (process_vm_readv(thread, &here, 1, &there, 1, 0) != sizeof flags) give_up("read the flags of clone3");
  }
  return (flags & CLONE_THREAD) == 0;
}

// The call in words when it has an effect, else empty.
std::string effect(pid_t thread, const SyscallEntry& call) {
  const auto found = calls().find(call.number);
  if (found == calls().end()) return {};
  std::string name = found->second.name;
  switch (found->second.counts) {
    case Counts::always: return name;
    case Counts::on_fd: {
      const std::string file = file_of(thread, call.args[0]);
      const bool own = call.args[0] == STDOUT_FILENO || call.args[0] == STDERR_FILENO || file.empty() ||
                       file.find("[eventfd]") != std::string::npos;
      return own ? std::string() : name + " " + file;
    }
    case Counts::on_socket: return file_of(thread, call.args[0]).starts_with("socket:") ? name : std::string();
    case Counts::when_created: {
      const std::uint64_t flags = call.args[name == "open" ? 1 : 2];
      return (flags & (O_CREAT | O_TRUNC)) != 0 ? name : std::string();
    }
    case Counts::when_process: return makes_process(thread, call) ? name : std::string();
  }
  return {};
}

pid_t process_of(pid_t thread) {
  const std::string path = "/proc/" + std::to_string(thread) + "/status";
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return -1;
  char line[256];
  int process = -1;
  while (std::fgets(line, sizeof line, file) != nullptr)
    if (const std::string_view text(line); text.starts_with("Tgid:")) {
      process = static_cast<int>(std::strtol(line + 5, nullptr, 10));
      break;
    }
  std::fclose(file);
  return process;
}

class Tracer {
 public:
  Tracer(pid_t program, unsigned long last, int error) : program_(program), last_(last), error_(error) {}

  int run() {
    for (;;) {
      int status = 0;
      const pid_t thread = waitpid(-1, &status, __WALL);
      if (thread < 0) {
        if (errno == EINTR) continue;
        give_up("wait for the program");
      }
      if (WIFSTOPPED(status)) {
        stopped(thread, status);
      } else if (thread == program_) {
        // What it forked goes on: the kernel lets go of what a tracer that ends has traced.
        if (last_ == 0) std::fprintf(stderr, "kill_at: %lu effects\n", count_);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
    }
  }

 private:
  void stopped(pid_t thread, int status) {
    const int event = status >> 16;
    int signal = 0;
    if (event == PTRACE_EVENT_EXEC) {
      if (thread != program_) {
        ptrace(PTRACE_DETACH, thread, 0, 0);
        return;
      }
      begun_ = true;
    } else if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
      at_call(thread);
    } else if (event == 0) {
      signal = WSTOPSIG(status);
    }
    // It may have been killed meanwhile.
    if (ptrace(PTRACE_SYSCALL, thread, 0, signal) != 0 && errno != ESRCH) give_up("go on");
  }

  void at_call(pid_t thread) {
    SyscallEntry call{};
    const auto size = static_cast<long>(sizeof call);
    if (ptrace(static_cast<__ptrace_request>(PTRACE_GET_SYSCALL_INFO), thread, size, &call) <= 0) return;
    if (call.op == PTRACE_SYSCALL_INFO_EXIT && thread == failing_) {
      set_result(thread);
      failing_ = -1;
    }
    if (call.op != PTRACE_SYSCALL_INFO_ENTRY || !begun_ || counting == 0) return;
    const std::string what = effect(thread, call);
    if (what.empty()) return;
    ++count_;
    const bool child = process_of(thread) != program_;
    if (last_ == 0 || count_ == last_)
      std::fprintf(stderr, "kill_at: %lu: %s%s\n", count_, what.c_str(), child ? " (child)" : "");
    if (count_ != last_) return;
    if (error_ == 0) {
      kill(program_, SIGKILL);
    } else {
      skip(thread);
      failing_ = thread;
    }
  }

  // A call with the number -1 does nothing (ptrace(2), "syscall-enter-stop"); its result is put in place when it ends.
  static void skip([[maybe_unused]] pid_t thread) {
#ifdef __x86_64__
    if (ptrace(PTRACE_POKEUSER, thread, offsetof(user_regs_struct, orig_rax), -1L) != 0) give_up("skip the call");
#else
    errno = ENOSYS;
    give_up("let a call fail on this kind of machine");
#endif
  }

  void set_result([[maybe_unused]] pid_t thread) const {
#ifdef __x86_64__
    if (ptrace(PTRACE_POKEUSER, thread, offsetof(user_regs_struct, rax), -static_cast<long>(error_)) != 0)
      give_up("set the call's result");
#endif
  }

  pid_t program_;
  unsigned long last_;  // 0: none
  int error_;           // 0: kill
  unsigned long count_ = 0;
  pid_t failing_ = -1;
  bool begun_ = false;
};

int usage() {
  std::fputs("usage: kill_at [--told] LIST|N[:ERRNO] PROGRAM [ARGUMENT...]\n", stderr);
  return kCannot;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--told") {
    counting = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { counting = 1; };
    sigaction(SIGUSR1, &action, nullptr);
    --argc, ++argv;
  }
  if (argc < 3) return usage();
  unsigned long last = 0;
  long error = 0;
  if (std::string_view(argv[1]) != "LIST") {
    char* rest = argv[1];
    last = std::strtoul(argv[1], &rest, 10);
    if (last > 0 && *rest == ':') error = std::strtol(rest + 1, &rest, 10);
    if (last == 0 || error < 0 || *rest != '\0') return usage();
  }
  int gate[2];
  if (pipe2(gate, O_CLOEXEC) != 0) give_up("pipe2");
  const pid_t program = fork();
  if (program < 0) give_up("fork");
  if (program == 0) {
    char byte = 0;
    close(gate[1]);
    if (read(gate[0], &byte, 1) == 1) execvp(argv[2], argv + 2);
    _exit(kCannot);
  }
  close(gate[0]);
  const long options =
      PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
  if (ptrace(PTRACE_SEIZE, program, 0, options) != 0) give_up("trace the program");
  // It is in the call that reads the gate, and untraced until its next stop.
  if (ptrace(PTRACE_INTERRUPT, program, 0, 0) != 0) give_up("interrupt the program");
  if (write(gate[1], "", 1) != 1) give_up("write");
  return Tracer(program, last, static_cast<int>(error)).run();
}
