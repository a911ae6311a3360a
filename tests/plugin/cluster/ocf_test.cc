#include <doctest/doctest.h>

#include <cctype>
#include <string>
#include <vector>

#include "plugin/cluster/ocf.h"
#include "plugin/cluster/ocf_code.h"

using namespace plumb;

namespace {

// Whether each element of the text is closed in its turn; a small check, for what needs no parser.
bool well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (auto at = xml.find('<'); at != std::string::npos; at = xml.find('<', at)) {
    // The document type has brackets, with declarations in them.
    const bool type = xml.compare(at, 9, "<!DOCTYPE") == 0;
    const auto end = type ? xml.find("]>", at) + 1 : xml.find('>', at);
    if (end >= xml.size()) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    at = end;
    if (tag.empty() || tag.find('<') != std::string::npos) {
      if (!type) return false;
      continue;
    }
    if (tag.front() == '?' || tag.front() == '!' || tag.back() == '/') continue;
    if (tag.front() != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
      continue;
    }
    if (open.empty() || open.back() != tag.substr(1)) return false;
    open.pop_back();
  }
  return open.empty() && xml.find("& ") == std::string::npos;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("what failed is told Pacemaker in its own codes") {
  CHECK(ocf_code(ErrorKind::spec) == OcfCode::configured);
  CHECK(ocf_code(ErrorKind::permission) == OcfCode::permission);
  CHECK(ocf_code(ErrorKind::not_found) == OcfCode::installed);
  CHECK(ocf_code(ErrorKind::unsupported) == OcfCode::installed);
  CHECK(ocf_code(ErrorKind::usage) == OcfCode::arguments);
  for (const auto soft : {ErrorKind::failed, ErrorKind::timeout, ErrorKind::unreachable, ErrorKind::refused,
                          ErrorKind::cancelled, ErrorKind::exists})
    CHECK(ocf_code(soft) == OcfCode::generic);
  // A service whose address is taken must not be tried in turns here and there.
  CHECK(ocf_code(ErrorKind::conflict) == OcfCode::installed);
}

TEST_CASE("only a whole service is running, and only one that is not there is not") {
  CHECK(ocf_code(Availability::up) == OcfCode::success);
  CHECK(ocf_code(Availability::down) == OcfCode::not_running);
  CHECK(ocf_code(Availability::disabled) == OcfCode::not_running);
  CHECK(ocf_code(Availability::degraded) == OcfCode::generic);
  CHECK(ocf_code(Availability::unknown) == OcfCode::generic);
}

TEST_CASE("without its engine a service is what the kernel shows of it") {
  const KernelView all{2, 2, true, true};
  const KernelView some{2, 1, true, true};
  const KernelView none{2, 0, true, true};
  for (const bool started : {true, false}) {
    CAPTURE(started);
    CHECK(verdict_without_engine(all, started, "why").code == OcfCode::success);
    CHECK(verdict_without_engine(some, started, "why").code == OcfCode::generic);
  }
  CHECK(verdict_without_engine(none, true, "why").code == OcfCode::generic);
  CHECK(verdict_without_engine(none, false, "why").code == OcfCode::not_running);
  CHECK(has(verdict_without_engine(all, true, "the engine is silent").reason, "the engine is silent"));
  // What could not be looked at is no proof, and nor is a service without an address.
  for (const KernelView& blind : {KernelView{2, 0, false, true}, KernelView{0, 0, true, false}}) {
    CHECK(verdict_without_engine(blind, true, "why").code == OcfCode::success);
    CHECK(has(verdict_without_engine(blind, true, "why").reason, "cannot be seen"));
    CHECK(verdict_without_engine(blind, false, "why").code == OcfCode::not_running);
  }
}

TEST_CASE("an address without a process is no running service, and no stopped one") {
  const KernelView deserted{2, 0, true, true, 2};
  const KernelView partly{2, 1, true, true, 1};
  for (const bool started : {true, false}) {
    CAPTURE(started);
    CHECK(verdict_without_engine(deserted, started, "why").code == OcfCode::generic);
    CHECK(verdict_without_engine(partly, started, "why").code == OcfCode::generic);
  }
  CHECK(has(verdict_without_engine(deserted, true, "why").reason, "the kernel still answers for 2 of its 2 addresses"));
  for (const bool started : {true, false}) {
    CHECK_FALSE(proves_stopped(deserted, started));
    CHECK_FALSE(proves_stopped(partly, started));
  }
}

TEST_CASE("a service is proven stopped only when all that could run would be seen, and is not") {
  for (const bool started : {true, false}) {
    CHECK(proves_stopped({1, 0, true, true}, started));
    CHECK_FALSE(proves_stopped({1, 1, true, true}, started));
    CHECK_FALSE(proves_stopped({1, 0, false, true}, started));
    CHECK_FALSE(proves_stopped({1, 0, true, false}, started));
    CHECK_FALSE(proves_stopped({0, 0, true, true}, started));
  }
  // Of one that was started a container may be left which has lost its address.
  const KernelView others{1, 0, true, true, 0, true};
  CHECK(proves_stopped(others, false));
  CHECK_FALSE(proves_stopped(others, true));
}

TEST_CASE("the metadata is XML, with every parameter and action of the agent") {
  const std::string metadata = ocf_metadata();
  CHECK(well_formed(metadata));
  // crmsh hands it on as text, for which its parser takes no encoding.
  CHECK_FALSE(has(metadata, "encoding="));
  CHECK_FALSE(well_formed("<a><b></a></b>"));
  CHECK_FALSE(well_formed("<a>"));
  CHECK_FALSE(well_formed("<a></a"));
  CHECK(has(metadata, "<resource-agent name=\"service\""));
  CHECK(has(metadata, "<version>1.1</version>"));
  for (const std::string name : {"service", "config_dir", "node", "timing"}) {
    CAPTURE(name);
    CHECK(has(metadata, "<parameter name=\"" + name + "\""));
  }
  for (const std::string name : {"start", "stop", "monitor", "validate-all", "reload-agent", "meta-data"}) {
    CAPTURE(name);
    CHECK(has(metadata, "<action name=\"" + name + "\" timeout=\""));
  }
  for (const auto* action : {"migrate_to", "migrate_from"})
    CHECK(has(metadata, "<action name=\"" + std::string(action) + "\""));
}
