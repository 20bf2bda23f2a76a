// One thing on a host that should not be as it is. Its id names it by what it is and what it contains, so that a list of ids
// that people have signed means these very things and no others.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace reprise::sanitize {

using Json = nlohmann::json;

// How sure it is that an intruder did it. kCertain: nothing sound looks like this.
enum class Sure { kPossible, kLikely, kCertain };

// What would undo it. Those without one need a person.
enum class Remedy { kNone, kRemoveFile, kRestoreFile, kEditLine, kClearMode, kEndProcess };

struct Finding {
  std::string kind;      // "cron", "altered_file", …: see the README.
  std::string path;      // As the host sees it. kEndProcess: the program that runs.
  std::string expected;
  std::string found;
  Sure sure = Sure::kLikely;
  Remedy remedy = Remedy::kNone;
  std::string line;      // kEditLine: this line; kEndProcess: with exactly these arguments; else empty.
  std::string with;      // kEditLine: what takes its place; empty: nothing.
  std::string package;   // kRestoreFile: whose file it is.
  std::string sha256;    // Of the content seen (of a link: of its target). Empty: none could be read.

  // 16 hex digits over kind, path, line and content; of a line the file's content does not count, for others change it.
  std::string Id() const;
};

// Names of files are bytes: what is no UTF-8 goes into JSON as hex, under `key`_hex beside what can be shown.
void PutText(Json& json, const std::string& key, const std::string& text);
// Throws Json::exception.
std::string GetText(const Json& json, const std::string& key);

std::string_view NameOf(Sure sure);
std::string_view NameOf(Remedy remedy);
Json ToJson(const Finding& finding);
// Throws sdk::Error "bundle_broken" if it is none, or its id is not its own.
Finding FindingFromJson(const Json& json);

}  // namespace reprise::sanitize
