#include "tests/sim/site.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "specs/service/loader.h"
#include "specs/status/status.h"
#include "tests/sim/site_node.h"

namespace plumb::sim {

namespace {

constexpr std::string_view kContainers = R"(
[DEFAULT]
nodes = n0 n1 n2 n3 n4
handover = HANDOVER

[ip#0]
type = netns
ipname = 10.0.3.3
netmask = 24
gateway = 10.0.3.1
ipdev = eth0
netns = container#0

[container#0]
image = pause
rm = true

[container#1]
image = web
netns = container#0
restart = 2
)";

constexpr std::string_view kOnNode = R"(
[DEFAULT]
nodes = n0 n1 n2 n3 n4
handover = HANDOVER

[ip#0]
ipname = 10.0.3.3
netmask = 24
ipdev = eth0
)";

Service service_of(const SiteSettings& settings, std::size_t node) {
  std::string text(settings.on_node ? kOnNode : kContainers);
  const std::string_view word = "HANDOVER";
  text.replace(text.find(word), word.size(), settings.handover ? "true" : "false");
  LoadOptions options;
  options.service = "svc1";
  options.node = "n" + std::to_string(node);
  auto loaded = load_service(text, options);
  return std::move(loaded.service).value();
}

}  // namespace

Site::Site(const SiteSettings& settings, std::uint64_t seed)
    : settings_(settings),
      random_(seed),
      lan_(time_, random_, settings.nodes, settings.loss, 0, [this](const Frame& frame, std::size_t to) {
        if (heard_) heard_(frame, to);
        if (to < nodes_.size()) nodes_[to]->hear(frame);
      }) {
  for (std::size_t i = 0; i < settings.nodes; ++i)
    nodes_.push_back(std::make_unique<SiteNode>(*this, i, service_of(settings, i)));
  lan_.begin_to_chat();
}

Site::~Site() = default;

Time Site::between(double low, double high) {
  return Time(static_cast<std::int64_t>(std::uniform_real_distribution<>(low, high)(random_) * 1e6));
}

void Site::say(std::size_t node, const std::string& what) {
  if (!traces_) return;
  std::array<char, 64> head{};
  std::snprintf(head.data(), head.size(), "%10.4f n%zu ", static_cast<double>(now().count()) / 1e6, node);
  story_ += head.data() + what + "\n";
}

void Site::unclaimed(std::size_t node, const char* why) {
  ++account_.unclaimed;
  say(node, std::string("UNCLAIMED: ") + why);
}

bool Site::answers(std::size_t node) const {
  const auto& its = *nodes_[node];
  return its.powered() && its.host().has_address() && lan_.carrier(node) && lan_.forwards(node);
}

void Site::claims(std::size_t node) {
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (i != node && answers(i) && lan_.hears(node, i) && lan_.hears(i, node)) {
      ++account_.early;
      return say(node, "EARLY: says that it has what n" + std::to_string(i) + " has");
    }
}

std::vector<std::size_t> Site::whole() const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const auto& its = *nodes_[i];
    if (!its.powered() || !answers(i)) continue;
    if (evaluate(its.host().service(), its.host().observe()).state == Availability::up) out.push_back(i);
  }
  return out;
}

void Site::run(Time until) {
  time_.run(until, [this] { check(); });
}

void Site::check() {
  std::size_t owners = 0;
  bool two = false;
  for (std::size_t a = 0; a < nodes_.size(); ++a) {
    if (!answers(a)) continue;
    ++owners;
    if (nodes_[a]->is_contradicted()) unclaimed(a, "on the link though its claim is not owned");
    for (std::size_t b = 0; b < a; ++b) two = two || (answers(b) && lan_.hears(a, b) && lan_.hears(b, a));
  }
  if (owners != 1) account_.one_since.reset();
  if (owners == 1 && !account_.one_since) account_.one_since = now();
  if (two && !double_since_) {
    double_since_ = now();
    if (traces_) story_ += "           --- two owners\n";
  }
  if (double_since_) account_.doubled = std::max(account_.doubled, now() - *double_since_);
  if (!two && double_since_) {
    double_since_.reset();
    if (traces_) story_ += "           --- no more than one\n";
  }
}

}  // namespace plumb::sim
