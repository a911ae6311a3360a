// Types the commands of a page into the lab's nodes, and holds what they print against what the page shows.
//
// A command of a block without prompts is typed on n1. `plumb` is the program under test. A command that ends in `&`
// goes on beside those that follow, one for each node: `wait` waits for its end, `kill %1` ends it. Of lines that a
// page shows, numbers that differ from run to run (MACs, pids, times) may differ; a line `...` stands for any lines,
// and `...` within one for any text.
//
// Threads: one. Privilege: root, as Node.
#pragma once

#include <map>
#include <string>

#include "tests/lab/node.h"
#include "tests/pages/page.h"

namespace plumb::lab {

class Player {
 public:
  Player() = default;
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;
  // Ends what goes on in the background.
  ~Player();

  // Types the commands of the block up to one that goes wrong: that fails, or does not print what is shown. Returns
  // what that was, or nothing. What is exempt is left out, but for a copy to another node.
  [[nodiscard]] std::string play(const pages::Block& block);

 private:
  std::string type(const pages::Command& command);
  // Whether the line is in `printed`, or comes from the program in the background that has printed `before` bytes.
  bool is_shown(const std::string& node, const std::string& line, const std::string& printed, std::size_t before);

  std::map<std::string, Running> background_;
};

// The same for all blocks of a page that pages_test is to run, or of one section, by one player.
[[nodiscard]] std::string play_all(const std::string& page, const std::string& section = {});

// Puts `plumb` into /srv/pages of the node. What is returned is for the environment of a command there.
[[nodiscard]] std::string path_with_plumb(const Node& node);

}  // namespace plumb::lab
