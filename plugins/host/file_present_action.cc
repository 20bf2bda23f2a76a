#include "plugins/host/file_present_action.h"

#include "plugins/host/spot.h"
#include "plugins/host/wanted_file.h"

namespace reprise::host {
namespace {

using namespace reprise::sdk;

// Also a text that lies across two pieces.
bool Contains(const Context& context, const Spot& spot, const std::string& text) {
  const Fd fd = OpenToRead(spot);
  std::string window;
  char buffer[64 << 10];
  for (;;) {
    context.ThrowIfCancelled();
    const ssize_t count = read(fd.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) ThrowErrno(errno, "read " + spot.path);
    if (count == 0) return false;
    window.append(buffer, static_cast<size_t>(count));
    if (window.find(text) != std::string::npos) return true;
    if (window.size() > text.size()) window.erase(0, window.size() - text.size());
  }
}

}  // namespace

ActionInfo FilePresentAction::Describe() const {
  return {.name = "file-present",
          .summary = "Is a file there, with this content?",
          .effect = Effect::kRead,
          .timeout = "10m",
          .memory_mb = 256,
          .params = {Path("path").Required().About("The file; a symbolic link is not followed"),
                     Text("sha256").AtMost(64).About("The hash of its content, as lower-case hex"),
                     Text("contains").AtMost(4096).About("A text that it has somewhere"),
                     Name("claim").AtMost(64).Default("host.file").About("What the host is said to fulfil")}};
}

ProbeResult FilePresentAction::Probe(Context& context) {
  const std::string path = context.Param("path");
  const std::optional<Spot> spot = FindSpot(path);
  const FileState found = Look(context, spot);
  std::string why_not;
  if (found.kind != FileKind::kRegular) {
    why_not = found.kind == FileKind::kAbsent ? "it is not there" : "it is a " + found.what;
  } else if (context.Has("sha256") && found.sha256 != context.Param("sha256")) {
    why_not = "it has another content";
  } else if (context.Has("contains") && !Contains(context, *spot, context.Param("contains"))) {
    why_not = "the text is not in it";
  }
  const bool holds = why_not.empty();
  return {.holds = holds,
          .summary = path + (holds ? " is there" : ": " + why_not),
          .observed = {{"what", found.what},
                       {"size", found.size},
                       {"sha256", found.sha256},
                       {"mode", Octal(found.mode)},
                       {"uid", found.uid},
                       {"gid", found.gid}},
          .evidence = {{"file", path + ": " + Shown(found)}},
          .claims = {{context.Param("claim"), holds ? ClaimState::kHolds : ClaimState::kFails, why_not}}};
}

}  // namespace reprise::host
