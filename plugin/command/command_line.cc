#include "plugin/command/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iterator>
#include <memory>
#include <set>
#include <utility>

#include "plugin/output/exit_code.h"
#include "specs/language/spelling.h"
#include "specs/value/scalar.h"
#include "specs/value/text.h"

namespace plumb {

namespace {

constexpr const char* kExitStatusText =
    "Exit status: 0 done (status: up), 1 failed, 2 usage, 3 status: down, 4 status: degraded,\n"
    "5 somebody else answers for the address, 6 the configuration is wrong, 7 not permitted,\n"
    "8 the engine or a registry does not answer (status: unknown), 9 there is no such service,\n"
    "130 interrupted.";

struct Example {
  Action action;
  const char* name;
  const char* text;
  const char* examples;
};

constexpr Example kCommands[] = {
    {Action::validate, "validate", "Check a service's configuration; touches nothing",
     "plumb validate svc1\n  plumb validate ./svc1.conf --node n2"},
    {Action::plan, "plan", "Show what start (or stop) would do; touches nothing",
     "plumb plan svc1\n  plumb plan svc1 stop\n  plumb plan svc1 --format json"},
    {Action::start, "start", "Start a service: its containers, its address, in this order or not at all",
     "plumb start svc1\n  plumb start svc1 --timing"},
    {Action::stop, "stop", "Stop a service and withdraw its address", "plumb stop svc1"},
    {Action::restart, "restart", "Stop and start a service; applies a changed configuration", "plumb restart svc1"},
    {Action::prepare, "prepare",
     "Start everything but a service's addresses, on the node that it is to be handed over to",
     "plumb prepare svc1        # here, then\n  plumb activate svc1       # here, which waits for\n"
     "  plumb stop svc1           # on the node that has it"},
    {Action::activate, "activate", "Claim a service's addresses as soon as the node that has them withdraws them",
     "plumb activate svc1\n  plumb activate svc1 --force     # the node that had them is off"},
    {Action::boot, "boot", "Start what is on standby on this node, of one service or of all",
     "plumb boot          # every service in /etc/plumb\n  plumb boot svc1"},
    {Action::shutdown, "shutdown", "Stop everything on this node, what is on standby included",
     "plumb shutdown      # every service in /etc/plumb\n  plumb shutdown svc1"},
    {Action::status, "status", "Show whether a service is whole, as the kernel sees it",
     "plumb status svc1\n  plumb status svc1 --format json\n  plumb status          # every service in /etc/plumb"},
    {Action::doctor, "doctor", "Say why an address of a service does not answer, and what to do",
     "plumb doctor svc1\n  plumb doctor svc1 --format json"},
    {Action::ls, "ls", "List the services of this node, with their states and addresses",
     "plumb ls\n  plumb ls --format json"},
    {Action::logs, "logs", "Show what a service's containers write",
     "plumb logs svc1\n  plumb logs svc1 container#1 --tail 20\n  plumb logs svc1 -f --since 10m --timestamps"},
    {Action::enter, "enter",
     "Run the command after -- (or a shell) in a service's network namespace, or inside a container",
     "plumb enter svc1                     # a shell there, with the node's tools\n"
     "  plumb enter svc1 -- ss -ltn\n"
     "  plumb enter svc1 -- tcpdump -ni eth0\n"
     "  plumb enter svc1 db --container -- psql"},
    {Action::keywords, "keywords", "Explain the keywords of the configuration",
     "plumb keywords\n  plumb keywords ip.netmask"},
    {Action::docker, "docker", "Run the docker command against the service's engine",
     "plumb docker svc1 ps -a\n  plumb docker svc1 logs svc1.container.1"},
    {Action::driver, "driver", "Serve Docker as the network driver plumb, until a signal ends it",
     "plumb driver --check          # what is missing for it?\n"
     "  plumb driver      # by hand; for good: systemctl enable --now plumb-driver.socket plumb-driver.service\n"
     "  plumb driver --metrics /run/plumb/metrics.sock\n"
     "  docker network create -d plumb --ipam-driver plumb --subnet 10.0.3.0/24 -o parent=eth0 lan"},
    {Action::watch, "watch", "Keep the started services of this node true, until a signal ends it",
     "plumb watch                   # by hand; systemctl enable --now plumb-watch.service for good\n"
     "  plumb watch --metrics /run/plumb/watch.metrics.sock"},
    {Action::ocf, "ocf", "The resource agent ocf:plumb:service of Pacemaker, by its parameters in the environment",
     "plumb ocf meta-data\n"
     "  OCF_RESKEY_service=svc1 plumb ocf validate-all"},
    {Action::version, "version", "Print the version", "plumb version"},
};

void add_place(CLI::App& sub, CommandLine& out) {
  sub.add_option("--config-dir", out.place.config_dir, "Where the services' files are")
      ->type_name("DIR")
      ->capture_default_str();
  sub.add_option("--node", out.place.node, "Name of this node in the configuration (default: the host name)")
      ->type_name("NAME")
      ->envname("PLUMB_NODE");
}

CLI::Option* add_format(CLI::App& sub, std::string& format) {
  return sub.add_option("--format", format, "human or json")
      ->check(CLI::IsMember({"human", "json"}))
      ->type_name("FORMAT")
      ->capture_default_str();
}

void add_service(CLI::App& sub, CommandLine& out) {
  sub.add_option("service", out.service, "A service's name, or the path of its file")->required();
}

std::string is_duration(const std::string& text) {
  const auto duration = parse_duration(text);
  return duration ? std::string() : duration.error().what;
}

void add_logs(CLI::App& sub, CommandLine& out) {
  add_place(sub, out);
  add_service(sub, out);
  sub.add_option("container", out.arguments, "Containers, as container#1, 1 or by name (default: all)");
  sub.add_flag("-f,--follow", out.follow, "Go on until the containers end");
  sub.add_option("--tail", out.tail, "Only the last N lines of each")->type_name("N");
  sub.add_option("--since", "Only what is not older than that: 30s, 10m, 2h")
      ->type_name("DURATION")
      ->check(is_duration)
      ->each([&out](const std::string& text) { out.since = parse_duration(text).value_or({}); });
  sub.add_flag("-t,--timestamps", out.timestamps, "The time before each line");
}

void add_enter(CLI::App& sub, CommandLine& out) {
  add_place(sub, out);
  add_service(sub, out);
  // Positional words and flags share one space of names in CLI11: this is not `container`, as there is --container.
  sub.add_option("resource", out.container,
                 "A container, as container#1, 1 or by name (default: the one that has the address)");
  sub.add_flag("-c,--container", out.inside, "Inside the container itself, not only in its network namespace");
}

void add_driver(CLI::App& sub, CommandLine& out, std::string& format) {
  sub.add_option("--socket", out.driver.socket, "Where to listen; a socket that systemd passes on goes before it")
      ->type_name("PATH")
      ->capture_default_str();
  sub.add_option("--metrics", out.driver.metrics, "Serve metrics, for Prometheus, on this socket (default: none)")
      ->type_name("PATH");
  sub.add_option("--state", out.driver.state, "Where the driver keeps what it must not forget")
      ->type_name("DIR")
      ->capture_default_str();
  auto* check = sub.add_flag("--check", out.driver.check, "Only say what is missing for it; changes nothing");
  add_format(sub, format)->needs(check);
}

// What stands after `--` is a command with options of its own: the parser never sees it. Returns how much it does.
int own_words(int argc, char** argv, CommandLine& out) {
  if (argc < 2 || argv[1] != std::string_view("enter")) return argc;
  char** const end = argv + argc;
  char** const dashes = std::find(argv, end, std::string_view("--"));
  if (dashes != end) out.arguments.assign(dashes + 1, end);
  return static_cast<int>(dashes - argv);
}

void add_options(CLI::App& sub, const Example& command, CommandLine& out, std::string& format) {
  sub.footer(std::string("Examples:\n  ") + command.examples);
  switch (command.action) {
    case Action::version: return;
    case Action::keywords: sub.add_option("keyword", out.keyword, "A keyword, as netmask or ip.netmask"); return;
    case Action::logs: add_logs(sub, out); return;
    case Action::enter: add_enter(sub, out); return;
    case Action::driver: add_driver(sub, out, format); return;
    case Action::watch:
      sub.add_option("--metrics", out.watch_metrics, "Serve metrics, for Prometheus, on this socket (default: none)")
          ->type_name("PATH");
      sub.add_flag("--timing", out.timing, "Say the critical path of each heal, step by step");
      return;
    case Action::ocf:
      sub.add_option("action", out.ocf_action,
                     "start, stop, monitor, migrate_to, migrate_from, validate-all, reload-agent or "
                     "meta-data")
          ->required();
      return;
    case Action::docker:
      add_place(sub, out);
      add_service(sub, out);
      sub.prefix_command();
      return;
    default: break;
  }
  add_place(sub, out);
  add_format(sub, format);
  if (command.action == Action::ls) return;
  auto* service = sub.add_option("service", out.service, "A service's name, or the path of its file");
  const bool of_all =
      command.action == Action::status || command.action == Action::boot || command.action == Action::shutdown;
  if (!of_all) service->required();
  if (command.action == Action::plan)
    sub.add_option("verb", out.plan_verb, "start, stop, prepare, activate, boot or shutdown")
        ->check(CLI::IsMember({"start", "stop", "prepare", "activate", "boot", "shutdown"}))
        ->capture_default_str();
  if (command.action >= Action::start && command.action <= Action::shutdown) {
    sub.add_flag("--timing", out.timing, "Print the critical path, step by step");
    sub.add_flag("-q,--quiet", out.quiet, "Print errors only");
  }
  if (command.action == Action::status)
    sub.add_flag("--ask-engine", out.ask_engine, "Ask the engine about a service that is whole, too");
  if (command.action == Action::boot || command.action == Action::shutdown)
    sub.add_option("--time-limit", "Give up, and name, what is not done within that (default: 15m; 0: no limit)")
        ->type_name("DURATION")
        ->check(is_duration)
        ->each([&out](const std::string& text) { out.time_limit = parse_duration(text).value_or({}); });
  if (command.action == Action::activate)
    sub.add_flag("--force", out.force, "Take addresses for which nobody answers: when no other node can have them");
}

bool is_command(const std::string& word) {
  return std::any_of(std::begin(kCommands), std::end(kCommands),
                     [&](const Example& command) { return word == command.name; });
}

Parsed unknown_command(const std::string& word) {
  const auto names = command_names();
  std::string list;
  for (const auto& name : names) list += " " + name;
  const std::string near = did_you_mean(word, names);
  const std::string text =
      "plumb: there is no command " + in_quotes(word) + "; " + (near.empty() ? "there are:" + list : near);
  std::fprintf(stderr, "%s\nRun `plumb --help` for more.\n", text.c_str());
  return {std::nullopt, static_cast<int>(ExitCode::usage)};
}

// Shows a footer as it was written. From 2.5 on CLI11 breaks its lines anew, as if commands were prose.
class Help : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    std::string out = CLI::Formatter::make_help(app, std::move(name), mode);
    while (out.ends_with('\n')) out.pop_back();
    const std::string footer = app->get_footer();
    return out + (footer.empty() ? "\n" : "\n\n" + footer + "\n");
  }
  std::string make_footer(const CLI::App* /*app*/) const override { return {}; }
};

void set_up(CLI::App& app, CommandLine& out, std::string& format) {
  app.formatter(std::make_shared<Help>());  // the commands take it over
  app.description("plumb gives a service its own ip address, and keeps it true while the service moves between nodes.");
  app.name("plumb");
  app.require_subcommand(1);
  app.footer(
      std::string("Examples:\n  plumb validate svc1\n  plumb start svc1\n  plumb status svc1\n\n") + kExitStatusText +
      "\n\nServices are the files /etc/plumb/NAME.conf. `plumb COMMAND --help` explains a command, `plumb "
      "keywords` the files.\nManuals: plumb(8), plumb.conf(5), plumb-tutorial(7), plumb-watch(8), plumb-driver(8), "
      "plumb-docker(7), plumb-pacemaker(7).");
  app.set_version_flag("--version", std::string("plumb ") + PLUMB_VERSION);
  for (const auto& command : kCommands) {
    auto* sub = app.add_subcommand(command.name, command.text);
    add_options(*sub, command, out, format);
    sub->callback([&out, sub, action = command.action] {
      out.action = action;
      if (action == Action::docker)
        for (const auto& rest : sub->remaining()) out.arguments.push_back(rest);
    });
  }
}

Parsed parse(int argc, char** argv) {
  CommandLine out;
  std::string format = "human";
  CLI::App app;
  set_up(app, out, format);
  if (argc > 1 && argv[1][0] != '-' && !is_command(argv[1])) return unknown_command(argv[1]);
  try {
    app.parse(own_words(argc, argv, out), argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 has its own exit codes; ours are documented: 0 after help, 2 for a wrong usage.
    const bool wrong = app.exit(error) != 0;
    return {std::nullopt, wrong ? static_cast<int>(ExitCode::usage) : 0};
  }
  out.json = format == "json";
  return {std::move(out), 0};
}

// All that the user may call an option of this parser by, and the word that stands for a positional one.
std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names = option.get_lnames();
  names.insert(names.end(), option.get_snames().begin(), option.get_snames().end());
  if (auto positional = option.get_name(true); !positional.empty()) names.push_back(std::move(positional));
  return names;
}

}  // namespace

Parsed parse_command_line(int argc, char** argv) {
  try {
    return parse(argc, argv);
  } catch (const std::exception& error) {
    // What is wrong with the user's words is dealt with above. This is CLI11 refusing what it was told of the options:
    // its releases differ in what they refuse.
    std::fprintf(
        stderr,
        "plumb: set up the command line: %s\n"
        "This is a fault of plumb, not of what was asked for: nothing was done. Please report it, with the release of "
        "the system.\n",
        error.what());
    return {std::nullopt, static_cast<int>(ExitCode::failed)};
  }
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const auto& command : kCommands) names.emplace_back(command.name);
  return names;
}

std::vector<std::string> names_given_twice() {
  CommandLine out;
  std::string format;
  CLI::App app;
  set_up(app, out, format);
  std::vector<std::string> twice;
  std::vector<const CLI::App*> parsers{&app};
  for (const auto* parser : app.get_subcommands([](const CLI::App*) { return true; })) parsers.push_back(parser);
  for (const auto* parser : parsers) {
    std::set<std::string> seen;
    for (const CLI::Option* option : parser->get_options())
      for (const auto& name : names_of(*option))
        if (!seen.insert(name).second) twice.push_back(parser->get_name() + ": " + name);
  }
  return twice;
}

}  // namespace plumb
