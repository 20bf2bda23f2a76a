// What a step of `file` asks for, read from its parameters once; and whether a file is so.
#pragma once

#include <optional>
#include <string>

#include "plugins/host/spot.h"
#include "plugins/sdk/context.h"

namespace reprise::host {

struct WantedFile {
  std::string path;
  std::string sha256;
  int64_t size = 0;
  std::optional<mode_t> mode;  // Without: as it is, or 0644.
  std::optional<uid_t> uid;    // Without: as it is, or this user.
  std::optional<gid_t> gid;

  // Throws Error "bad_params", "unknown_user", "unknown_group".
  static WantedFile From(const sdk::Context& context);

  bool IsMetBy(const FileState& state) const;
  mode_t ModeFor(const FileState& before) const;
  uid_t UidFor(const FileState& before) const;
  gid_t GidFor(const FileState& before) const;
  // Under which what was there before is kept.
  std::string Key() const;
};

// The content of the step: a text, or a file that the returned descriptor keeps open.
struct OpenSource {
  sdk::Fd file;
  Source source;
};
OpenSource OpenContent(const sdk::Context& context);

std::string Octal(mode_t mode);
// "file of 12 bytes, sha256 ab…, mode 0644, owner 0:0"; "nothing".
std::string Shown(const FileState& state);
// The text itself where anybody on this host may read it and it is short; otherwise its size and hash.
std::string ShownContent(const sdk::Context& context, const std::optional<Spot>& spot, const FileState& state);
bool IsShowable(const std::string& text);

}  // namespace reprise::host
