#include "plugin/node/vlan_users.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <random>
#include <sstream>
#include <vector>

#include "plugin/node/state_file.h"
#include "specs/service/uplink.h"

namespace plumb {

namespace {

constexpr std::string_view kHeading = "plumb-vlan-users 1";
constexpr std::string_view kFileBegin = ".vlan-";
constexpr std::string_view kFileEnd = ".users";

std::string path_of(const std::string& folder, std::string_view mark) {
  return folder + "/" + std::string(kFileBegin) + std::string(mark) + std::string(kFileEnd);
}

std::string new_mark() {
  std::random_device random;
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%08x%08x", random(), random());
  return text.data();
}

// One that could be no part of a file's name was not made by plumb.
std::vector<std::string> marks_of(const netns::Link& device) {
  std::vector<std::string> out;
  for (const auto& name : device.altnames)
    if (const auto mark = vlan_mark(name);
        !mark.empty() && mark.find_first_not_of("0123456789abcdef") == std::string_view::npos)
      out.emplace_back(mark);
  return out;
}

// The one whose file is here.
std::string own_mark(const netns::Link& device, const std::string& folder) {
  for (auto& mark : marks_of(device))
    if (::access(path_of(folder, mark).c_str(), F_OK) == 0) return mark;
  return {};
}

// Of devices that somebody else has removed. Those of other namespaces, and of later plumbs, are not judged.
Result<void> tidy(netns::RouteSocket& node, const std::string& folder) {
  std::set<std::string> there;
  for (const auto& link : TRY(netns::links(node)))
    for (const auto& mark : marks_of(link)) there.insert(path_of(folder, mark));
  for (const auto& name : TRY(names_in(folder))) {
    const auto path = folder + "/" + name;
    if (!name.starts_with(kFileBegin) || !name.ends_with(kFileEnd) || there.contains(path)) continue;
    const auto text = read_state_file(path);
    const auto users = decode_vlan_users(text.value_or(std::string()));
    if (users && users->inode == node.ns().id().ino) TRY(remove_state_file(path, Durable::no));
  }
  return {};
}

}  // namespace

std::string encode_vlan_users(const VlanUsers& users) {
  std::string text(kHeading);
  text += "\ndevice " + std::to_string(users.device) + " " + std::to_string(users.inode) + "\n";
  for (const auto& user : users.users) text += "user " + user + "\n";
  return text;
}

Result<VlanUsers> decode_vlan_users(std::string_view text) {
  VlanUsers out;
  std::istringstream lines(std::string(TRY(without_heading(text, kHeading))));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "device") words >> out.device >> out.inode;
    if (std::string user; word == "user" && words >> user) out.users.insert(std::move(user));
  }
  return out;
}

Result<std::optional<VlanUsers>> read_vlan_users(const netns::Link& device, const std::string& folder) {
  const auto mark = own_mark(device, folder);
  if (mark.empty()) return std::optional<VlanUsers>{};
  const auto path = path_of(folder, mark);
  const auto text = read_state_file(path);
  if (!text) return std::optional<VlanUsers>{};
  auto users = decode_vlan_users(*text);
  if (!users)
    return Err{users.error().kind, "read " + path + ", the users of " + device.name.str() + ": " + users.error().what,
               users.error().next + "; nothing was touched"};
  return std::optional(*std::move(users));
}

// The name first: a file without a device would stay, a name without a file is gone with its device.
Result<void> write_vlan_users(netns::RouteSocket& node, const netns::Link& device, const std::set<std::string>& users,
                              const std::string& folder) {
  auto mark = own_mark(device, folder);
  if (mark.empty()) {
    TRY(tidy(node, folder));
    mark = new_mark();
    TRY(netns::add_altname(node, device.index, vlan_mark_name(mark)));
  }
  const auto text = encode_vlan_users({device.index, node.ns().id().ino, users});
  return write_state_file(path_of(folder, mark), text, 0600, Durable::no);
}

bool is_marked_elsewhere(const netns::Link& device, const std::string& folder) {
  const auto marks = marks_of(device);
  return std::any_of(marks.begin(), marks.end(),
                     [&](const auto& mark) { return ::access(path_of(folder, mark).c_str(), F_OK) != 0; });
}

Result<void> forget_vlan_users(const netns::Link& device, const std::string& folder) {
  const auto mark = own_mark(device, folder);
  return mark.empty() ? Result<void>{} : remove_state_file(path_of(folder, mark), Durable::no);
}

}  // namespace plumb
