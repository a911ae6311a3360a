#include "tests/sim/contract.h"

#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>

#include "docker_client/container.h"
#include "docker_client/waiter.h"
#include "netns/lan/probe.h"
#include "netns/link/carrier.h"
#include "netns/namespace/enter.h"
#include "netns/socket/message.h"
#include "netns/wire/arp.h"
#include "tests/docker_client/engine.h"
#include "tests/docker_client/real.h"
#include "tests/netns/lan.h"
#include "tests/sim/site_node.h"

using namespace plumb;  // NOLINT(google-build-using-namespace)

namespace {

using netns::test::must;

const char* const kAddress = "10.0.3.3";

// --- the model

class Model {
 public:
  explicit Model(bool on_node = true) {
    sim::SiteSettings settings;
    settings.on_node = on_node;
    site_ = std::make_unique<sim::Site>(settings, 7);
    site_->on_frame([this](const sim::Frame& frame, std::size_t to) {
      if (to != 0 || frame.from != 1) return;
      if (frame.kind == sim::Frame::Kind::use) answered_ = true;
      if (frame.kind == sim::Frame::Kind::handover_request) numbers_.push_back(frame.number);
    });
  }
  bool hears_answer() { return ask(); }
  bool hears_none() { return !ask(); }
  void put() { holder().host().put_address(); }
  void take() { holder().host().take_address(); }
  void set_cable(bool in) { holder().set_carrier(in); }
  void set_forwarding(bool forwards) { site_->lan().set_forwarding(1, forwards); }
  std::vector<std::uint64_t> say_numbers(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i)
      site_->lan().broadcast({.kind = sim::Frame::Kind::handover_request, .from = 1, .number = i});
    pass(sim::Time(200'000));
    return numbers_;
  }
  // Its own watcher, which comes again a second after its end.
  void begin_process() { start(); }
  void stop_process() { holder().kill_watcher(); }
  void kill_process() {}
  void begin_two_in_namespace() {
    start();
    holder().kill_watcher();
  }
  void begin_two() { begin_two_in_namespace(); }
  void end_owner() { holder().end_container("container#0"); }
  void end_sibling() { holder().end_container("container#1"); }
  [[nodiscard]] bool has_owner() { return holder().host().observe().containers.contains("container#0"); }
  [[nodiscard]] bool sibling_runs() { return holder().host().observe().containers.at("container#1").running; }

 private:
  sim::SiteNode& holder() { return site_->node(1); }
  void pass(sim::Time time) { site_->run(site_->now() + time); }
  void start() {
    holder().run(Verb::start);
    pass(sim::Time(3'000'000));
  }
  bool ask() {
    answered_ = false;
    site_->lan().broadcast({.kind = sim::Frame::Kind::probe, .from = 0});
    pass(sim::Time(100'000));
    return answered_;
  }

  std::unique_ptr<sim::Site> site_;
  bool answered_ = false;
  std::vector<std::uint64_t> numbers_;
};

// --- namespaces

// Waits for its end in the namespace.
class Child {
 public:
  explicit Child(const netns::Namespace& ns) {
    pid_ = must(netns::run_in(ns, []() -> Result<pid_t> {
      const pid_t child = ::fork();
      if (child != 0) return child;
      for (;;) ::pause();
    }));
  }
  ~Child() { end(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  void stop() const {
    ::kill(pid_, SIGSTOP);
    int status = 0;
    ::waitpid(pid_, &status, WUNTRACED);
    REQUIRE(WIFSTOPPED(status));
  }
  void end() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

class Real {
 public:
  Real() : asker_(lan_.plug({"10.0.3.9/24"})), holder_(lan_.plug()) {}

  // At once when it comes; who says that none comes waits for as long as a question takes.
  bool hears_answer() { return ask({600, {}, milliseconds{100}, milliseconds{100}, milliseconds{0}}); }
  bool hears_none() { return !ask(netns::kFastProbe); }
  void put() {
    must(netns::add_address(holder_->socket, holder_->eth0.index, netns::test::cidr("10.0.3.3/24"), {.nodad = true}));
  }
  void take() { must(netns::remove_address(holder_->socket, holder_->eth0.index, netns::test::cidr("10.0.3.3/24"))); }
  void set_cable(bool in) {
    must(netns::set_up(lan_.bridge().socket, port(), in));
    must(netns::force_carrier(lan_.bridge().socket, netns::test::ifname(holder_->port)));
    must(netns::force_carrier(holder_->socket, netns::test::ifname("eth0")));
  }
  void set_forwarding(bool forwards) {
    ifinfomsg header{};
    header.ifi_family = PF_BRIDGE;
    header.ifi_index = port();
    netns::Message message(RTM_SETLINK, 0, header);
    const std::array<std::uint8_t, 1> state{forwards ? std::uint8_t{BR_STATE_FORWARDING}
                                                     : std::uint8_t{BR_STATE_LISTENING}};
    message.nest(IFLA_PROTINFO | NLA_F_NESTED, [&] { message.put(IFLA_BRPORT_STATE, state); });
    const auto answer = lan_.bridge().socket.exchange(message);
    if (!answer.ok()) netns::test::fail(netns::refusal(answer, "set the state of a port"));
  }
  std::vector<std::uint64_t> say_numbers(std::uint64_t count) {
    const auto ears = netns::test::listen(asker_);
    const auto mouth = must(netns::PacketSocket::open(holder_->ns, holder_->eth0.index, 0));
    std::vector<std::uint64_t> heard;
    for (std::uint64_t i = 0; i < count; ++i) {
      const IpAddress number = netns::test::ip("10.9.0." + std::to_string(i));
      REQUIRE(mouth.send(
                  netns::encode_arp(netns::broadcast_mac(), {netns::ArpOperation::request, *holder_->eth0.mac, number,
                                                             netns::zero_mac(), netns::test::ip("10.9.1.1")})) == 0);
    }
    const auto last = netns::test::capture(ears, [&](const netns::Frame& frame) {
      const auto arp = netns::decode_arp(frame);
      if (!arp || arp->target_ip != netns::test::ip("10.9.1.1")) return false;
      heard.push_back(arp->sender_ip.bytes()[3]);
      return heard.size() == count;
    });
    CHECK(last);
    return heard;
  }
  void begin_process() {
    put();
    first_.emplace(holder_->ns);
  }
  void stop_process() { first_->stop(); }
  void kill_process() { first_->end(); }
  // The namespace is held by these alone.
  void begin_two_in_namespace() {
    put();
    first_.emplace(holder_->ns);
    second_.emplace(holder_->ns);
    port_name_ = holder_->port;
    holder_.reset();
  }
  void end_owner() { first_->end(); }
  // A namespace is taken down by a work queue (cleanup_net, net/core/net_namespace.c): until then it answers.
  void end_sibling() {
    const auto its_port = netns::test::ifname(port_name_);
    second_->end();
    const auto deadline = netns::test::soon();
    while (must(netns::find_link(lan_.bridge().socket, its_port)) && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
  }

 private:
  bool ask(const netns::ProbeTiming& timing) {
    return must(netns::probe(asker_.ns, asker_.eth0.index, netns::test::ip(kAddress), timing)).rival.has_value();
  }
  int port() { return must(netns::find_link(lan_.bridge().socket, netns::test::ifname(holder_->port))).value().index; }

  netns::test::Lan lan_;
  netns::test::Station asker_;
  std::optional<netns::test::Station> holder_;
  std::string port_name_;
  std::optional<Child> first_, second_;
};

// --- an engine

const docker::Call kCall{std::chrono::seconds(60), {}};

class RealEngine {
 public:
  RealEngine() {
    test::good(engine_.start());
    client_.emplace(test::good(docker::Client::open(engine_.socket(), kCall)));
    test::import_busybox(*client_);
  }
  void begin_two() {
    docker::ContainerConfig config{.name = "owner", .image = test::kImage, .cmd = {"sleep", "1000"}};
    config.network_mode = "none";
    config.auto_remove = true;
    owner_ = run(config);
    config.name = "sibling";
    config.network_mode = "container:" + owner_;
    config.auto_remove = false;
    sibling_ = run(config);
  }
  void end_owner() {
    auto removed = test::good(docker::Waiter::open(*client_, owner_, docker::WaitCondition::removed, kCall));
    CHECK(test::good(docker::stop_container(*client_, owner_, std::chrono::seconds(0), kCall)));
    static_cast<void>(test::good(removed.wait(kCall)));
  }
  [[nodiscard]] bool has_owner() { return test::good(docker::inspect_container(*client_, "owner", kCall)).has_value(); }
  [[nodiscard]] bool sibling_runs() {
    return test::good(docker::inspect_container(*client_, sibling_, kCall))->running;
  }

 private:
  std::string run(const docker::ContainerConfig& config) {
    const auto created = test::good(docker::create_container(*client_, config, kCall));
    test::good(docker::start_container(*client_, created.id, kCall));
    return created.id;
  }
  test::Engine engine_;
  std::optional<docker::Client> client_;
  std::string owner_, sibling_;
};

}  // namespace

TEST_CASE("contract: the model of LAN, kernel and engine") {
  SUBCASE("address") {
    Model bench;
    sim::check_address(bench);
  }
  SUBCASE("ways") {
    Model bench;
    sim::check_ways(bench);
  }
  SUBCASE("order") {
    Model bench;
    sim::check_order(bench);
  }
  SUBCASE("processes") {
    Model bench(false);
    sim::check_processes(bench);
  }
  SUBCASE("namespace") {
    Model bench(false);
    sim::check_namespace(bench);
  }
  SUBCASE("removal") {
    Model bench(false);
    sim::check_removal(bench);
  }
}

TEST_CASE("contract: namespaces on a bridge") {
  Real bench;
  SUBCASE("address") { sim::check_address(bench); }
  SUBCASE("ways") { sim::check_ways(bench); }
  SUBCASE("order") { sim::check_order(bench); }
  SUBCASE("processes") { sim::check_processes(bench); }
  SUBCASE("namespace") { sim::check_namespace(bench); }
}

TEST_CASE("contract: Docker") {
  RealEngine bench;
  sim::check_removal(bench);
}
