// Reads all records of a kind. What was read and is no record is set aside, with a line on standard error; what could
// not be read, or is of a newer program, is good for all that is known: it stays, and the driver does not start, since
// it would serve an engine that knows more than itself.
//
// Threads: as the store. Privilege: write access to the store.
#pragma once

#include <cstdio>
#include <map>
#include <string>

#include "plugin/driver/record/record.h"
#include "plugin/driver/record/store.h"
#include "specs/value/result.h"

namespace plumb::driver {

// Of a record, `word` with its id, that the error says is of a newer program.
[[nodiscard]] inline Error refuse_newer(const std::string& word, const std::string& id, const Error& why) {
  return {ErrorKind::unsupported, 0, "read the record of " + word + " " + id + ": " + why.what,
          "run the plumb that wrote it, or move the record away: what is in that " + word + " is not known then"};
}

// `word`: what a person calls such a record. Errors: those of reading, unsupported (of a newer program).
template <typename Record>
[[nodiscard]] Result<std::map<std::string, Record>> read_records(Store& store, RecordKind kind, const char* word,
                                                                 Result<Record> (*decode)(const std::string&)) {
  std::map<std::string, Record> out;
  for (const auto& [id, text] : TRY(store.load(kind))) {
    auto record = decode(text);
    if (record && record->id == id) {
      out.emplace(id, *std::move(record));
      continue;
    }
    if (!record && record.error().kind == ErrorKind::unsupported) return Err{refuse_newer(word, id, record.error())};
    const auto path = TRY(store.set_aside(kind, id));
    const std::string why = record ? "it is about " + record->id : record.error().what;
    std::fprintf(stderr, "plumb driver: %s %.12s is set aside as %s: %s\n", word, id.c_str(), path.c_str(),
                 why.c_str());
  }
  return out;
}

}  // namespace plumb::driver
