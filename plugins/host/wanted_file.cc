#include "plugins/host/wanted_file.h"

#include <grp.h>
#include <pwd.h>

#include <charconv>
#include <cstdio>
#include <memory>

#include "plugins/sdk/sha256.h"

namespace reprise::host {
namespace {

using sdk::Context;
using sdk::Error;

constexpr int64_t kShownMax = 2048;

std::optional<uint32_t> Number(const std::string& text, int base) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

mode_t ModeOf(const std::string& text) {
  const std::optional<uint32_t> mode = Number(text, 8);
  if (!mode || *mode > 07777 || text.size() < 3) {
    throw Error("bad_params", "parameter mode is " + text + ", expected octal digits such as 0644",
                "write it in quotes: mode: \"0644\"");
  }
  return *mode;
}

// Read from the files themselves: the directory may be what is being rebuilt.
template <typename Entry, typename Id>
std::optional<Id> Lookup(const char* file, const std::string& name, Entry* (*next)(FILE*), char* Entry::*key,
                         Id Entry::*id) {
  const std::unique_ptr<FILE, int (*)(FILE*)> list(fopen(file, "re"), fclose);
  if (!list) return std::nullopt;
  while (const Entry* entry = next(list.get())) {
    if (name == entry->*key) return entry->*id;
  }
  return std::nullopt;
}

uid_t UserOf(const std::string& name) {
  if (const auto number = Number(name, 10)) return *number;
  const auto uid = Lookup<passwd, uid_t>("/etc/passwd", name, fgetpwent, &passwd::pw_name, &passwd::pw_uid);
  if (uid) return *uid;
  throw Error("unknown_user", "user " + name + " is not in /etc/passwd", "create it first, or give its number");
}

gid_t GroupOf(const std::string& name) {
  if (const auto number = Number(name, 10)) return *number;
  const auto gid = Lookup<group, gid_t>("/etc/group", name, fgetgrent, &group::gr_name, &group::gr_gid);
  if (gid) return *gid;
  throw Error("unknown_group", "group " + name + " is not in /etc/group", "create it first, or give its number");
}

}  // namespace

OpenSource OpenContent(const Context& context) {
  if (context.Has("content") == context.Has("artifact")) {
    throw Error("bad_params", "expected either content or artifact");
  }
  OpenSource open;
  if (context.Has("content")) {
    open.source.text = context.Param("content");
    return open;
  }
  const auto path = context.Artifact(context.Param("artifact"));
  open.file = sdk::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!open.file) sdk::ThrowErrno(errno, "open artifact " + context.Param("artifact"));
  open.source.fd = open.file.get();
  return open;
}

WantedFile WantedFile::From(const Context& context) {
  WantedFile wanted{.path = context.Param("path")};
  const OpenSource open = OpenContent(context);
  if (open.source.fd < 0) {
    wanted.sha256 = sdk::Sha256OfText(open.source.text);
    wanted.size = static_cast<int64_t>(open.source.text.size());
  } else {
    struct stat found {};
    if (fstat(open.source.fd, &found) != 0) sdk::ThrowErrno(errno, "look at the artifact");
    wanted.sha256 = HashOf(context, open.source.fd);
    wanted.size = found.st_size;
  }
  if (context.Has("mode")) wanted.mode = ModeOf(context.Param("mode"));
  if (context.Has("owner")) wanted.uid = UserOf(context.Param("owner"));
  if (context.Has("group")) wanted.gid = GroupOf(context.Param("group"));
  return wanted;
}

bool WantedFile::IsMetBy(const FileState& state) const {
  return state.kind == FileKind::kRegular && state.sha256 == sha256 && state.mode == ModeFor(state) &&
         state.uid == UidFor(state) && state.gid == GidFor(state);
}

mode_t WantedFile::ModeFor(const FileState& before) const {
  return mode.value_or(before.kind == FileKind::kRegular ? before.mode : 0644);
}
uid_t WantedFile::UidFor(const FileState& before) const {
  return uid.value_or(before.kind == FileKind::kRegular ? before.uid : geteuid());
}
gid_t WantedFile::GidFor(const FileState& before) const {
  return gid.value_or(before.kind == FileKind::kRegular ? before.gid : getegid());
}

std::string WantedFile::Key() const {
  const auto text = [](const auto& value) { return value ? std::to_string(*value) : std::string("-"); };
  return "file-" + sdk::Sha256OfText(path + "\n" + sha256 + "\n" + text(mode) + " " + text(uid) + " " + text(gid));
}

std::string Octal(mode_t mode) {
  char digits[8];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, mode, 8);
  const std::string text(digits, end);
  return text.size() < 4 ? std::string(4 - text.size(), '0') + text : text;
}

std::string Shown(const FileState& state) {
  if (state.kind != FileKind::kRegular) return state.what;
  return "file of " + std::to_string(state.size) + " bytes, sha256 " + state.sha256 + ", mode " + Octal(state.mode) +
         ", owner " + std::to_string(state.uid) + ":" + std::to_string(state.gid);
}

bool IsShowable(const std::string& text) {
  if (static_cast<int64_t>(text.size()) > kShownMax) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t') return false;
  }
  return true;
}

std::string ShownContent(const Context& context, const std::optional<Spot>& spot, const FileState& state) {
  const bool open_to_all = (state.mode & 0004) != 0 && !context.Param<bool>("sensitive", false);
  if (state.kind != FileKind::kRegular || !open_to_all || state.size > kShownMax) return Shown(state);
  const sdk::Fd fd = OpenToRead(*spot);
  std::string text(static_cast<size_t>(kShownMax), '\0');
  const ssize_t count = pread(fd.get(), text.data(), text.size(), 0);
  text.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return IsShowable(text) ? text : Shown(state);
}

}  // namespace reprise::host
