#include "plugin/node/names.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <span>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>

#include "plugin/node/state_file.h"

namespace plumb {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

const std::string kCacheFolder = "/var/cache/plumb/names";
// A resolver that is well answers within milliseconds; glibc gives a dead one 5 s and asks again.
constexpr std::chrono::seconds kPatienceWithCache{1};
constexpr std::chrono::seconds kPatience{20};
constexpr std::chrono::milliseconds kAgain{250};

std::vector<IpAddress> without_loopback(const addrinfo* list) {
  std::vector<IpAddress> out;
  for (const addrinfo* i = list; i != nullptr; i = i->ai_next) {
    // sockaddr_in and sockaddr_in6 have their address at offsets 4 and 8.
    const auto* base = reinterpret_cast<const std::uint8_t*>(i->ai_addr);
    const auto address =
        IpAddress::from_bytes(i->ai_family == AF_INET6 ? std::span(base + 8, 16) : std::span(base + 4, 4));
    if (address && !address->is_loopback() && std::find(out.begin(), out.end(), *address) == out.end())
      out.push_back(*address);
  }
  return out;
}

constexpr std::string_view kHeading = "plumb-names 1";

// The file's time is that of the answer.
struct Remembered {
  std::vector<IpAddress> addresses;
  std::chrono::minutes age{0};
};

Remembered recall(const std::string& name) {
  Remembered out;
  out.addresses = decode_names(read_state_file(kCacheFolder + "/" + name).value_or(std::string()));
  std::error_code ec;
  const auto when = fs::last_write_time(kCacheFolder + "/" + name, ec);
  if (!ec) out.age = std::chrono::duration_cast<std::chrono::minutes>(fs::file_time_type::clock::now() - when);
  return out;
}

// The same answer as before is only made younger: a start need not wait for the disk.
void remember(const std::string& name, const std::vector<IpAddress>& addresses) {
  std::error_code ec;
  fs::create_directories(kCacheFolder, ec);
  const std::string path = kCacheFolder + "/" + name;
  if (recall(name).addresses == addresses && ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0) return;
  [[maybe_unused]] const auto written = write_state_file(path, encode_names(addresses), 0644);
}

}  // namespace

std::string encode_names(const std::vector<IpAddress>& addresses) {
  std::string out(kHeading);
  out += "\n";
  for (const auto& address : addresses) out += address.to_string() + "\n";
  return out;
}

std::vector<IpAddress> decode_names(const std::string& text) {
  // They can be asked for again: those of a later plumb are passed over.
  std::istringstream lines(std::string(without_heading(text, kHeading).value_or(std::string_view())));
  std::vector<IpAddress> out;
  for (std::string line; std::getline(lines, line);)
    if (const auto address = IpAddress::parse(line)) out.push_back(*address);
  return out;
}

struct Names::Question {
  std::string name;
  std::chrono::milliseconds wait{0};  // for a name that does not resolve yet
  std::mutex mutex;
  std::condition_variable_any answered;
  bool done = false;
  int code = 0;  // EAI_*
  std::vector<IpAddress> addresses;

  void ask() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;  // one entry for each address
    addrinfo* list = nullptr;
    int result = ::getaddrinfo(name.c_str(), nullptr, &hints, &list);
    // Nothing tells when a name comes to be.
    for (const auto until = Clock::now() + wait; result != 0 && Clock::now() < until;) {
      std::this_thread::sleep_for(kAgain);
      result = ::getaddrinfo(name.c_str(), nullptr, &hints, &list);
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
    const std::lock_guard lock(mutex);
    code = result;
    addresses = without_loopback(list);
    done = true;
    answered.notify_one();
  }
};

Names::Names(const Service& service, bool starting) {
  for (const auto& ip : service.ips) {
    if (ip.disable) continue;
    for (const auto& name : ip.names) {
      const auto* host = name.host();
      if (host == nullptr) continue;
      const auto asked = [&](const auto& question) { return question->name == *host; };
      if (std::any_of(questions_.begin(), questions_.end(), asked)) continue;
      auto question = std::make_shared<Question>();
      question->name = *host;
      if (starting) question->wait = ip.wait_dns;
      // getaddrinfo cannot be interrupted: who has waited long enough leaves it behind.
      std::thread([question] { question->ask(); }).detach();
      questions_.push_back(std::move(question));
    }
  }
}

bool Names::collect(Observed& seen, const std::stop_token& stop) {
  for (const auto& question : questions_) {
    const auto& name = question->name;
    const auto known = recall(name);
    if (!known.addresses.empty()) seen.former_names[name] = known.addresses;
    std::unique_lock lock(question->mutex);
    const auto limit = question->wait + (known.addresses.empty() ? kPatience : kPatienceWithCache);
    const bool done = question->answered.wait_for(lock, stop, limit, [&] { return question->done; });
    if (!done && stop.stop_requested()) return false;
    if (done && question->code == 0 && !question->addresses.empty()) {
      seen.names[name] = question->addresses;
      if (known.addresses.empty()) remember(name, question->addresses);
      continue;
    }
    const bool denied = done && (question->code == 0 || question->code == EAI_NONAME || question->code == EAI_NODATA);
    if (!denied && !known.addresses.empty()) {
      seen.names[name] = known.addresses;
      seen.old_names[name] = known.age;
      continue;
    }
    const std::string why = !done                 ? "no answer within " + std::to_string(limit.count()) + " ms"
                            : question->code == 0 ? std::string("only loopback addresses")
                                                  : std::string(::gai_strerror(question->code));
    seen.name_errors[name] = Error{ErrorKind::not_found, 0, "resolve " + name + ": " + why, {}};
  }
  return true;
}

NameAddresses answered_names(const Observed& seen) {
  NameAddresses out = seen.names;
  for (const auto& [name, age] : seen.old_names) out.erase(name);
  for (const auto& [name, today] : seen.new_names) out.erase(name);
  return out;
}

void remember_names(const NameAddresses& names) {
  for (const auto& [name, addresses] : names) remember(name, addresses);
}

}  // namespace plumb
