// Records that plumb has on disk, kept in tests/plugin/kept/VERSION as that release wrote them: what comes later has to
// read them. A change of what is written shows here; it needs a folder for the new release, and the old one stays.
#include <doctest/doctest.h>
#include <string.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plugin/claim/claim_book.h"
#include "plugin/driver/record/record.h"
#include "plugin/engine/engine_record.h"
#include "plugin/node/names.h"
#include "plugin/verb/started.h"
#include "plugin/verb/traces.h"

using namespace plumb;

namespace {

namespace fs = std::filesystem;

const std::string kBoot = "0a4b7c1e-0000-4000-8000-000000000001";
const fs::path kKept = fs::path(PLUMB_SOURCE_DIR) / "tests/plugin/kept";

struct Kind {
  std::string file;
  // What is written of what was read; nullopt: nothing could be read, and nothing is taken for what it might mean.
  std::function<std::optional<std::string>(const std::string&)> again;
  std::string version;  // as the text has it
  std::string newer;
};

template <typename Read, typename Encode>
std::optional<std::string> written(const Read& read, const Encode& encode_again) {
  if (!read) return std::nullopt;
  return encode_again(*read);
}

// By the overload of the record's own kind.
constexpr auto kEncode = [](const auto& record) { return encode(record); };

template <typename Values>
std::optional<Values> unless_empty(Values values) {
  return values.empty() ? std::nullopt : std::optional(std::move(values));
}

std::vector<Kind> kinds() {
  const std::string json = "\"version\":1";
  const std::string newer = "\"version\":2";
  using Text = std::string;
  return {
      {"web.started", [](const Text& text) { return written(decode_started("web", text), encode_started); },
       "plumb-started 1", "plumb-started 2"},
      {"web.traces", [](const Text& text) { return written(decode_traces(text), encode_traces); }, "plumb-traces 1",
       "plumb-traces 2"},
      {"web.claims",
       [](const Text& text) {
         return written(unless_empty(decode_claim_book(text).value_or(ClaimBook())), encode_claim_book);
       },
       "plumb-claims 1", "plumb-claims 2"},
      {"web.unsettled",
       [](const Text& text) {
         // What cannot be read counts in every boot.
         const bool read = unsettles(text, kBoot) && !unsettles(text, "another boot");
         return read ? std::optional(encode_unsettled(kBoot)) : std::nullopt;
       },
       "plumb-unsettled 1", "plumb-unsettled 2"},
      {"web.example.net", [](const Text& text) { return written(unless_empty(decode_names(text)), encode_names); },
       "plumb-names 1", "plumb-names 2"},
      {"engine.pid", [](const Text& text) { return written(decode_engine(text).value_or(std::nullopt), kEncode); },
       " 1\n", " 2\n"},
      {"network.json", [](const Text& text) { return written(driver::decode_network(text), kEncode); }, json, newer},
      {"endpoint.json", [](const Text& text) { return written(driver::decode_endpoint(text), kEncode); }, json, newer},
      {"pool.json", [](const Text& text) { return written(driver::decode_pool(text), kEncode); }, json, newer},
      {"lease", [](const Text& text) { return written(driver::decode_lease(text), kEncode); }, "plumb-lease 1",
       "plumb-lease 2"},
  };
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file, path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

// Ascending: 0.10.0 comes after 0.2.0.
std::vector<fs::path> releases() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(kKept)) out.push_back(entry.path());
  std::sort(out.begin(), out.end(), [](const fs::path& a, const fs::path& b) {
    return ::strverscmp(a.filename().c_str(), b.filename().c_str()) < 0;
  });
  REQUIRE_FALSE(out.empty());
  return out;
}

// The text with its version taken for another.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, text);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the records of each release are read, and those of the last are what is written today") {
  const auto all = releases();
  for (const auto& release : all) {
    for (const auto& kind : kinds()) {
      CAPTURE((release / kind.file).string());
      const auto text = text_of(release / kind.file);
      const auto again = kind.again(text);
      REQUIRE(again);
      if (release == all.back()) CHECK(*again == text);
    }
  }
}

TEST_CASE("a record of a newer version is not read as one of this") {
  for (const auto& kind : kinds()) {
    CAPTURE(kind.file);
    CHECK_FALSE(kind.again(replaced(text_of(releases().back() / kind.file), kind.version, kind.newer)));
  }
}

TEST_CASE("a version is read to its end: the tenth is not the first") {
  for (const auto& kind : kinds()) {
    if (!kind.version.starts_with("plumb-")) continue;
    CAPTURE(kind.file);
    CHECK_FALSE(kind.again(replaced(text_of(releases().back() / kind.file), kind.version, kind.version + "0")));
  }
}

TEST_CASE("an engine that a newer version has recorded is an error, not one that does not run") {
  const auto newer = decode_engine("4711 123456 2\n");
  REQUIRE_FALSE(newer);
  CHECK(newer.error().kind == ErrorKind::unsupported);
  for (const char* torn : {"", "4711\n", "4711 \n"}) {
    const auto read = decode_engine(torn);
    REQUIRE(read);
    CHECK_FALSE(*read);
  }
}

TEST_CASE("records without a version, as they were before 0.2.0, are read") {
  const auto engine = decode_engine("4711 123456\n");
  REQUIRE(engine);
  REQUIRE(*engine);
  CHECK((*engine)->pid == 4711);
  CHECK((*engine)->start_time == "123456");
  CHECK(decode_names("10.0.3.3\nfd00:10:3::3\n").size() == 2);
  const auto book = decode_claim_book("10.0.3.3 5 6 7 8 eth0 2 3\n").value();
  REQUIRE(book.size() == 1);
  CHECK(book.begin()->second.kept.rank.epoch == 5);
  CHECK(book.begin()->second.carriers.size() == 1);
  CHECK(unsettles(kBoot, kBoot));
  CHECK_FALSE(unsettles("another boot", kBoot));
  for (const bool chosen : {false, true}) {
    const auto lease = driver::decode_lease(kBoot + " 5" + (chosen ? " chosen" : ""));
    REQUIRE(lease);
    CHECK(lease->boot == kBoot);
    CHECK(lease->since == std::chrono::seconds(5));
    CHECK(lease->chosen == chosen);
  }
}
