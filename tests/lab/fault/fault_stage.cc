#include "tests/lab/fault/fault_stage.h"

#include <iterator>
#include <sstream>
#include <utility>

namespace plumb::lab {

std::string Config::text() const {
  return "[DEFAULT]\nnodes = n1\n" + defaults + "\n[ip#0]\ntype = netns\nipdev = " + ipdev +
         "\nipname = 10.0.3.3\nnetmask = 255.255.255.0\ngateway = " + gateway + "\nnetns = container#0\n" + ip +
         "\n[container#0]\ntype = docker\nimage = ghcr.io/opensvc/pause\nrm = true\n" + container0 +
         "\n[container#1]\ntype = docker\nimage = " + image + "\nnetns = container#0\nrm = true\n" + container1 + "\n";
}

Stage::Stage(std::string name, const Config& config)
    : name_(std::move(name)),
      file_("/etc/plumb/" + name_ + ".conf"),
      engines_{"unix:///run/plumb/" + name_ + "/docker.sock"} {
  configure(config);
  plumb("stop");  // makes the service's lock, which stays
  remember();
}

Stage::~Stage() {
  plumb("stop");
  node_.remove(file_);
}

void Stage::configure(const Config& config) const { node_.write(file_, config.text()); }

Words Stage::command(const std::string& verb, const Words& before) const {
  Words words = before;
  words.emplace_back(PLUMB_PROGRAM);
  std::istringstream parts(verb);
  words.insert(words.end(), std::istream_iterator<std::string>(parts), {});
  words.push_back(name_);
  return words;
}

Outcome Stage::plumb(const std::string& verb, const Words& before) const { return node_.run(command(verb, before)); }

Running Stage::begin(const std::string& verb, const Words& before) const { return node_.start(command(verb, before)); }

// Left out: an announcer of an earlier start that is still asleep, which is no part of what this run has done, the
// folders that an engine's first shim makes for good, and the lock of the node's own links, which stays as a service's
// does.
State Stage::state() const {
  State state = node_.state(engines_);
  std::erase_if(state["processes"], [](const std::string& line) { return line.starts_with(PLUMB_PROGRAM); });
  std::erase_if(state["files"], [](const std::string& line) {
    return line == "/run/containerd" || line == "/run/containerd/s" || line == "/run/plumb/.node-links.lock";
  });
  return state;
}

void Stage::remember() { before_ = state(); }

std::string Stage::changed() const {
  return difference_to_now(before_, [this] { return state(); });
}

bool Stage::answers() const {
  const auto got = client_.run({"curl", "--silent", "--fail", "--max-time", "5", "--retry", "5", "--retry-connrefused",
                                "--retry-delay", "0", "http://" + std::string(kAddress) + "/"});
  return got.exit_code == 0 && got.out.find("Welcome to nginx!") != std::string::npos;
}

}  // namespace plumb::lab
