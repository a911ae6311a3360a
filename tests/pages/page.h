// The pages that users read, README.md and the manuals, as what they tell their readers to type.
//
// Threads: any; each call is on its own. Privilege: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plumb::pages {

// One command, and the lines that the page shows as its output.
struct Command {
  std::string node;  // of its prompt, "n1" of "n1# plumb ls"; empty when there is none
  std::string text;  // as for a shell: several lines where the last word is a backslash, or with a here-document
  std::vector<std::string> shown;
};

// A block of commands, under the heading of its section.
struct Block {
  std::string page;  // "README.md", or a manual as "plumb.8"
  std::string section;
  std::vector<Command> commands;
};

// What users read, by the names of Block::page: README.md, and all sources of manuals.
[[nodiscard]] std::vector<std::string> names();
// The whole text of a page's source. Throws std::runtime_error when there is no such page.
[[nodiscard]] std::string text_of(std::string_view page);
// Its blocks of commands: those between fences in a manual, those of the language sh in README.md. A block with a
// prompt has output below its commands; in one without each line is a command.
[[nodiscard]] std::vector<Block> blocks_of(std::string_view page);

// Which program of the tests runs the blocks of a section.
struct Run {
  std::string_view page;
  std::string_view section;
  std::string_view test;
};
// All of them. A program asks for its own, so that what is listed is run.
[[nodiscard]] const std::vector<Run>& runs();
[[nodiscard]] std::vector<Block> blocks_for(std::string_view test);

// Commands that no test runs as they stand, by how they begin.
struct Exempt {
  std::string_view begin;
  std::string_view why;
};
[[nodiscard]] const std::vector<Exempt>& exempts();
// The row for the command; nullptr: it is to be run.
[[nodiscard]] const Exempt* exempt(const Command& command);

}  // namespace plumb::pages
