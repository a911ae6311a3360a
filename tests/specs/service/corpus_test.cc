// The corpus of bad specs: each NAME.conf with the exact text that a person gets, NAME.expected. A first line
// "# node: NAME" says which node to load for; n1 otherwise. And the specs that must load as they stand.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "specs/service/loader.h"

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file.is_open(), "cannot read ", path.string());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string node_of(const std::string& text) {
  static const std::string kMark = "# node: ";
  return text.starts_with(kMark) ? text.substr(kMark.size(), text.find('\n') - kMark.size()) : "n1";
}

plumb::Loaded load(const fs::path& path, const std::string& node) {
  plumb::LoadOptions options;
  options.file = path.filename().string();
  options.service = "svc1";
  options.node = node;
  return plumb::load_service(read(path), options);
}

std::vector<fs::path> files(const std::string& folder, const std::string& extension) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(fs::path(PLUMB_SPEC_CORPUS) / folder))
    if (entry.path().extension() == extension) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

TEST_CASE("every bad spec is refused with exactly the expected diagnostics") {
  const auto specs = files("bad", ".conf");
  CHECK(specs.size() >= 70);
  for (const auto& path : specs) {
    CAPTURE(path.filename().string());
    const auto loaded = load(path, node_of(read(path)));
    CHECK_FALSE(loaded.service.has_value());
    auto expected = path;
    expected.replace_extension(".expected");
    REQUIRE_MESSAGE(fs::exists(expected), "missing: ", expected.string());
    CHECK(plumb::render(loaded.diagnostics, false) == read(expected));
  }
}

TEST_CASE("no expected file is left without its spec") {
  for (auto path : files("bad", ".expected")) {
    path.replace_extension(".conf");
    CHECK_MESSAGE(fs::exists(path), "missing: ", path.string());
  }
}

TEST_CASE("diagnostics come in the order of their places, with the line they name") {
  for (const auto& path : files("bad", ".conf")) {
    CAPTURE(path.filename().string());
    const auto text = read(path);
    const auto loaded = load(path, node_of(text));
    for (std::size_t i = 0; i < loaded.diagnostics.size(); ++i) {
      const auto& d = loaded.diagnostics[i];
      CHECK(d.where.file == path.filename().string());
      CHECK_FALSE(d.message.empty());
      CHECK(text.find(d.source_line) != std::string::npos);
      if (i > 0) CHECK(loaded.diagnostics[i - 1].where.line <= d.where.line);
    }
  }
}

TEST_CASE("the reference configurations load as they stand") {
  struct Case {
    std::string file, node;
  };
  for (const auto& c : std::vector<Case>{{"failover.conf", "n1"},
                                         {"flex.conf", "node2"},
                                         {"container.conf", "n1"},
                                         {"encapsulation.conf", "n1"},
                                         {"micro_containers.conf", "n1"},
                                         {"micro_containers.conf", "n3"}}) {
    CAPTURE(c.file);
    const auto loaded = load(fs::path(PLUMB_SPEC_CORPUS) / "reference" / c.file, c.node);
    CHECK(plumb::render(loaded.diagnostics, false) == "");
    CHECK(loaded.service.has_value());
  }
}

TEST_CASE("every example spec loads without a word") {
  const auto examples = files("../../specs/examples", ".conf");
  CHECK(examples.size() >= 6);
  for (const auto& path : examples) {
    CAPTURE(path.filename().string());
    const auto loaded = load(path, "n1");
    CHECK(plumb::render(loaded.diagnostics, false) == "");
    CHECK(loaded.service.has_value());
  }
}
