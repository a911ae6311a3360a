// State files: small files that are either whole or as they were before, whatever happens meanwhile.
//
// A text is written to a draft beside the file, synced, renamed (rename(2) replaces at once), and the folder is synced:
// a reader sees the old text or the new one, and so does who comes after a loss of power. Threads: safe from any; who
// writes one file from two threads decides itself which is last. Privilege: write access to the folder.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/value/result.h"

namespace plumb {

// no: for what means nothing after the end of this boot, and is written often.
enum class Durable { yes, no };

// Errors: the kernel's, of the step that failed; the file is as it was then.
[[nodiscard]] Result<void> write_state_file(const std::string& path, std::string_view text, mode_t mode = 0600,
                                            Durable durable = Durable::yes);
// nullopt: it is not there, or cannot be read.
[[nodiscard]] std::optional<std::string> read_state_file(const std::string& path);
// Pure. What stands behind the first line, when that is `heading` ("KIND VERSION"); all of the text, when its first
// line is none of that kind: before 0.2.0 files had none. Errors: unsupported, when it has another version.
[[nodiscard]] Result<std::string_view> without_heading(std::string_view text, std::string_view heading);
// What is said of a file whose version, `has`, is not the one that this program knows.
[[nodiscard]] Error unknown_version(std::string_view has, std::string_view known);
// One that is not there is a success. Errors: the kernel's.
[[nodiscard]] Result<void> remove_state_file(const std::string& path, Durable durable = Durable::yes);

// Removes the drafts that killed writers have left in the folder: those of the file `name`, or of all. Nobody may be
// writing there. A folder that is not there has none. Errors: the kernel's.
[[nodiscard]] Result<void> remove_drafts(const std::string& folder, std::string_view name = {});

// What was made, renamed or removed in the folder is so also after a loss of power.
[[nodiscard]] Result<void> sync_folder(const std::string& folder);

// The names in a folder, without "." and ".."; none when it is not there. Errors: the kernel's.
[[nodiscard]] Result<std::vector<std::string>> names_in(const std::string& folder);

}  // namespace plumb
