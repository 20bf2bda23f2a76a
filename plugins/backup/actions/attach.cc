#include "plugins/backup/actions/attach.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "plugins/backup/actions/holder_service.h"
#include "plugins/backup/actions/programs.h"
#include "plugins/backup/judge/words.h"
#include "plugins/sdk/file.h"

namespace reprise::backup {
namespace {

using sdk::ClaimState;
using sdk::Error;
using sdk::Json;

constexpr const char* kReadOnlyClaim = "backup.readonly";

Wanted WantedOf(const sdk::Context& context, const HolderService& holder) {
  Wanted wanted;
  wanted.source = std::filesystem::path(context.Param("source")).lexically_normal().string();
  wanted.target = std::filesystem::path(context.Param("target", holder.DefaultTarget())).lexically_normal().string();
  wanted.fstype = context.Param("fstype");
  wanted.offset = context.Param<uint64_t>("offset");
  wanted.socket = holder.Socket();
  if (wanted.target == "/" || wanted.target.back() == '/') throw Error("bad_params", "parameter target is " + wanted.target);
  return wanted;
}

// Why what is held is not what is wanted; empty: it is, and nobody can write to it.
std::string WhyNot(const std::optional<Json>& answer, const Wanted& wanted) {
  if (!answer) return "nothing is attached";
  if (answer->contains("error")) return "it could not be attached: " + answer->at("error").dump();
  if (answer->value("wanted", Json()) != ToJson(wanted)) {
    return "something else is attached by this name: " + answer->value("source", "?") + " at " + answer->value("target", "?");
  }
  if (!answer->value("mounted", false)) return wanted.target + " is not mounted any more";
  if (answer->value("readonly", false)) return "";
  return Words(wanted.target, " is not proven read-only: options ", answer->value("mount_options", "?"), ", a write: ",
               answer->value("write", Json::object()).value("error", "?"));
}

std::vector<sdk::Evidence> EvidenceOf(const Json& answer) {
  std::vector<sdk::Evidence> evidence;
  const Json write = answer.value("write", Json::object());
  evidence.push_back({"write", Words("create ", write.value("tried", "?"), ": ", write.value("error", "?"))});
  evidence.push_back({"mountinfo", Words(answer.value("target", "?"), ": ", answer.value("fstype", "?"), ", ",
                                         answer.value("mount_options", "?"), ", super ", answer.value("super_options", "?"))});
  if (answer.contains("getro")) {
    evidence.push_back({"device", Words("BLKROGET ", answer.value("device", "?"), ": ", answer.value("getro", -1))});
  }
  return evidence;
}

// What this very verb sees: not by the holder's word. Empty: nothing speaks against it.
std::string LookForItself(const Json& answer, std::vector<sdk::Evidence>& evidence) {
  const std::string number = answer.value("major_minor", "");
  if (answer.contains("getro")) {
    const std::string path = "/sys/dev/block/" + number + "/ro";
    const auto text = sdk::ReadFileIfThere(path, 64);
    if (text) evidence.push_back({"file", Words(path, ": ", text->substr(0, 1))});
    if (text && (*text)[0] != '1') return path + " says that the device can be written";
  }
  // The holder's own view of the files is the host's; here everything is read-only anyway.
  const std::string root = Words("/proc/", answer.value("pid", 0), "/root");
  const std::string target = answer.value("target", "/");
  const auto mounts = sdk::ReadFileIfThere(Words("/proc/", answer.value("pid", 0), "/mountinfo"), 8 << 20);
  if (!mounts) {
    evidence.push_back({"write", "this verb does not see the host's processes: it did not try for itself"});
    return "";
  }
  if (mounts->find(" " + target + " ") == std::string::npos) return "the host has no mount at " + target;
  const std::string tried = root + target + "/.reprise-verify-probe";
  const sdk::Fd file(open(tried.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  const int number_of_error = errno;
  if (file) unlink(tried.c_str());
  const std::string said = file ? "it could be written" : std::strerror(number_of_error);
  evidence.push_back({"write", Words("create ", target, "/.reprise-verify-probe, by verify itself: ", said)});
  return !file && number_of_error == EROFS ? "" : Words("a write to ", target, " was not refused as one to a read-only file system: ", said);
}

}  // namespace

sdk::ActionInfo Attach::Describe() const {
  return {.name = "attach",
          .summary = "Attach a copy read-only on this host, and prove it",
          .effect = sdk::Effect::kChange,
          .undoable = true,
          .needs = {.root = true,
                    .network = false,
                    .processes = true,
                    .paths = {"/var/lib/reprise-plugins/backup", "/run/reprise-backup", "/etc/service", "/run/systemd"}},
          .timeout = "5m",
          .memory_mb = 256,
          .params = {sdk::Path("source").Required().About("A block device, an image of one, or a folder"),
                     sdk::Name("name").Required().AtMost(60).About("Of this attachment on this host"),
                     sdk::Path("target").About("Where it is seen; default: /run/reprise-backup/<name>/copy"),
                     sdk::Text("fstype")
                         .OneOf({"auto", "ext4", "ext3", "xfs", "btrfs", "ntfs3", "vfat", "iso9660", "squashfs"})
                         .Default("auto")
                         .About("Of a device or an image"),
                     sdk::Integer("offset").Range(0, 9e15).Default(0).About("Where its file system begins in an image, in bytes"),
                     sdk::Path("program").About("reprise-backup-holder; default: beside the plugin host")}};
}

sdk::ProbeResult Attach::Probe(sdk::Context& context) {
  const HolderService holder(context, context.Param("name"));
  const Wanted wanted = WantedOf(context, holder);
  const auto answer = holder.Ask();
  const std::string why = WhyNot(answer, wanted);
  const std::string detail = why.empty() ? wanted.source + " is attached read-only at " + wanted.target : why;
  std::vector<sdk::Evidence> evidence = {{"holder", detail}};
  if (answer && answer->contains("write")) {
    for (sdk::Evidence& item : EvidenceOf(*answer)) evidence.push_back(std::move(item));
  }
  return {.holds = why.empty(),
          .summary = detail,
          .observed = {{"target", wanted.target}, {"proof", answer ? *answer : Json()}},
          .evidence = std::move(evidence),
          .claims = {{kReadOnlyClaim, why.empty() ? ClaimState::kHolds : ClaimState::kFails, detail}}};
}

sdk::PlanResult Attach::Plan(sdk::Context& context) {
  const HolderService holder(context, context.Param("name"));
  const Wanted wanted = WantedOf(context, holder);
  const std::string why = WhyNot(holder.Ask(), wanted);
  if (why.empty()) return {{}, "nothing to do"};
  return {{{"mount " + wanted.target, why, wanted.source + ", read-only, held by a service of this host"}},
          "the copy itself is not changed; a block device stays switched to read-only"};
}

sdk::ApplyResult Attach::Apply(sdk::Context& context) {
  const HolderService holder(context, context.Param("name"));
  const Wanted wanted = WantedOf(context, holder);
  const auto answer = holder.Ask();
  if (WhyNot(answer, wanted).empty()) return {false, "already attached at " + wanted.target};
  const std::string program = ProgramFor(context, "reprise-backup-holder");
  if (access(wanted.source.c_str(), R_OK) != 0) {
    throw Error("no_source", wanted.source + ": " + std::strerror(errno), "is the disk connected, the share mounted?");
  }
  // Half attached, or something else: it goes first.
  holder.Stop();
  holder.Start(wanted, program);
  return {true, wanted.source + " is attached at " + wanted.target};
}

sdk::VerifyResult Attach::Verify(sdk::Context& context) {
  const HolderService holder(context, context.Param("name"));
  const Wanted wanted = WantedOf(context, holder);
  const auto answer = holder.Ask();
  std::string why = WhyNot(answer, wanted);
  std::vector<sdk::Evidence> evidence;
  if (answer && answer->contains("write")) evidence = EvidenceOf(*answer);
  if (why.empty()) why = LookForItself(*answer, evidence);
  const std::string detail = why.empty() ? wanted.source + " is attached read-only at " + wanted.target : why;
  return {.holds = why.empty(),
          .summary = detail,
          .evidence = std::move(evidence),
          .claims = {{kReadOnlyClaim, why.empty() ? ClaimState::kHolds : ClaimState::kFails, detail}}};
}

sdk::RollbackResult Attach::Rollback(sdk::Context& context) {
  const HolderService holder(context, context.Param("name"));
  return {holder.Stop() ? "detached" : "nothing was attached by this name"};
}

}  // namespace reprise::backup
