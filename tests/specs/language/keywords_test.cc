#include "specs/language/keywords.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "specs/service/loader.h"

using plumb::Keyword;
using plumb::SectionKind;
using plumb::Support;

namespace {

constexpr SectionKind kKinds[] = {SectionKind::defaults, SectionKind::ip, SectionKind::container};

// A spec in which one more line of the section can stand, with what that keyword needs besides.
std::string spec_with(const Keyword& keyword, const std::string& name, const std::string& value) {
  const bool in_ip = keyword.section == SectionKind::ip;
  const bool in_container = keyword.section == SectionKind::container;
  const std::string line = name + " = " + value + "\n";
  const std::set<std::string_view> own = {keyword.name};
  const auto unless = [&](bool here, std::string_view key, const std::string& text) {
    return here && own.contains(key) ? std::string() : std::string(key) + " = " + text + "\n";
  };
  std::string spec = "[DEFAULT]\n";
  if (keyword.section == SectionKind::defaults) spec += line;
  if (keyword.name == "docker_daemon_args") spec += "docker_data_dir = /srv/svc1/docker\n";
  // An encapsulated address has no link of its own.
  const std::string type = in_ip && keyword.name == "encap" && value == "true" ? "" : unless(in_ip, "type", "netns");
  const std::string mode = in_ip && keyword.name == "vlan_mode" ? "mode = ovs\n" : "";
  spec += "[ip#0]\n" + mode + type + unless(in_ip, "ipname", "10.0.3.3") + unless(in_ip, "ipdev", "eth0") +
          unless(in_ip, "netmask", "24") + unless(in_ip, "netns", "container#0") + (in_ip ? line : "");
  // The container that a namespace example names, and the one under test, which does not own the namespace.
  spec += "[container#0]\nimage = plumb/pause\n";
  if (in_ip && keyword.name == "standby") spec += "standby = true\n";
  spec += "[container#1]\n" + unless(in_container, "image", "nginx") + (in_container ? line : "");
  return spec;
}

plumb::Loaded load(const std::string& text) {
  plumb::LoadOptions options;
  options.file = "test.conf";
  options.service = "svc1";
  options.node = "n1";
  return plumb::load_service(text, options);
}

}  // namespace

TEST_CASE("every keyword is documented") {
  for (const auto kind : kKinds)
    for (const auto& keyword : plumb::keywords_of(kind)) {
      CAPTURE(keyword.name);
      CHECK(keyword.section == kind);
      CHECK_FALSE(keyword.name.empty());
      CHECK(keyword.text.size() >= 12);
      CHECK(keyword.text.ends_with("."));
      CHECK_FALSE(keyword.example.empty());
      if (keyword.type == plumb::ValueType::choice) CHECK_FALSE(keyword.candidates.empty());
      const auto full = plumb::keyword_reference(std::string(to_string(kind)) + "." + std::string(keyword.name));
      REQUIRE(full.has_value());
      CHECK(full->find("Example:") != std::string::npos);
      CHECK(plumb::keyword_reference().find(std::string(keyword.name)) != std::string::npos);
    }
}

TEST_CASE("every spelling stands for one keyword") {
  for (const auto kind : kKinds) {
    std::set<std::string> seen;
    for (const auto& name : plumb::keyword_names(kind)) {
      CHECK_MESSAGE(seen.insert(name).second, name);
      CHECK(plumb::find_keyword(kind, name) != nullptr);
    }
  }
}

TEST_CASE(
    "every keyword's example and default load, in each spelling, with the diagnostics that its support promises") {
  for (const auto kind : kKinds)
    for (const auto& keyword : plumb::keywords_of(kind)) {
      auto names = plumb::table_words(keyword.aliases);
      names.emplace_back(keyword.name);
      for (const auto& name : names) {
        CAPTURE(name);
        const auto loaded = load(spec_with(keyword, name, std::string(keyword.example)));
        const auto text = plumb::render(loaded.diagnostics, false);
        CAPTURE(text);
        const bool usual = keyword.example == keyword.default_value;
        CHECK(loaded.service.has_value() == (keyword.support != Support::not_yet || usual));
        CHECK(loaded.diagnostics.empty() == (keyword.support == Support::yes || usual));
        for (const auto& d : loaded.diagnostics)
          if (keyword.support == Support::ignored) CHECK(d.severity == plumb::Severity::warning);
      }
      if (!keyword.default_value.empty()) {
        const auto loaded = load(spec_with(keyword, std::string(keyword.name), std::string(keyword.default_value)));
        // The example spec is of type netns, so the default of `type` does not fit it.
        if (keyword.section != SectionKind::ip || keyword.name != "type")
          CHECK_MESSAGE(loaded.diagnostics.empty(), plumb::render(loaded.diagnostics, false));
      }
    }
}

TEST_CASE("every candidate of a choice is accepted or refused as not supported, and nothing else is") {
  for (const auto kind : kKinds)
    for (const auto& keyword : plumb::keywords_of(kind)) {
      if (keyword.type != plumb::ValueType::choice || keyword.support != Support::yes) continue;
      CAPTURE(keyword.name);
      for (const auto& candidate : plumb::table_words(keyword.candidates)) {
        if (keyword.name == "type" && candidate == "host") continue;
        const auto text =
            plumb::render(load(spec_with(keyword, std::string(keyword.name), candidate)).diagnostics, false);
        CHECK_MESSAGE((text.empty() || text.find("is not supported by this version of plumb") != std::string::npos),
                      text);
      }
      const auto bad = plumb::render(load(spec_with(keyword, std::string(keyword.name), "zzz")).diagnostics, false);
      CHECK_MESSAGE(bad.find("\"zzz\" is not one of ") != std::string::npos, bad);
    }
}

TEST_CASE("a keyword that this version refuses is refused") {
  for (const auto kind : kKinds)
    for (const auto& keyword : plumb::keywords_of(kind)) {
      if (keyword.support != Support::not_yet) continue;
      CAPTURE(keyword.name);
      const std::string value = keyword.type == plumb::ValueType::boolean
                                    ? (keyword.default_value == "true" ? "false" : "true")
                                    : std::string(keyword.example);
      const auto loaded = load(spec_with(keyword, std::string(keyword.name), value));
      CHECK_FALSE(loaded.service.has_value());
      CHECK(plumb::render(loaded.diagnostics, false).find("is not supported by this version of plumb") !=
            std::string::npos);
    }
}

TEST_CASE("one keyword's documentation is found by any of its names") {
  CHECK(plumb::keyword_reference("ip.netmask").value().starts_with("ip.netmask\n"));
  CHECK(plumb::keyword_reference("ip#0.netmask").value().starts_with("ip.netmask\n"));
  CHECK(plumb::keyword_reference("netmask").value().starts_with("ip.netmask\n"));
  CHECK(plumb::keyword_reference("container_rid").value().starts_with("ip.netns\n"));
  CHECK(plumb::keyword_reference("container.net").value().starts_with("container.netns\n"));
  const auto both = plumb::keyword_reference("netns").value();
  CHECK(both.find("ip.netns\n") != std::string::npos);
  CHECK(both.find("container.netns\n") != std::string::npos);
}

TEST_CASE("an unknown keyword's documentation is an error with the nearest names") {
  const auto near = plumb::keyword_reference("netmsk");
  REQUIRE_FALSE(near.has_value());
  CHECK(near.error().kind == plumb::ErrorKind::not_found);
  CHECK(near.error().next.find("netmask") != std::string::npos);
  CHECK(plumb::keyword_reference("container.ipname").has_value() == false);
  CHECK(plumb::keyword_reference("xyzzy").error().next == "`plumb keywords` lists them all");
  CHECK_FALSE(plumb::keyword_reference("").has_value());
  CHECK_FALSE(plumb::keyword_reference(".").has_value());
}
