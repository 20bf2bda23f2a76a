// The mock's actions. See README.md.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "plugins/mock/faults.h"
#include "plugins/sdk/file.h"
#include "plugins/sdk/manifest.h"
#include "plugins/sdk/sdk.h"

namespace reprise::mock {
namespace {

using namespace reprise::sdk;

// Appended before the effect, so that an effect is never uncounted.
void Witness(const Context& context) {
  if (!context.Has("witness")) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string line = context.host() + " " + std::to_string(context.attempt()) + " " +
                           std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()) + " " +
                           context.Param("tag") + "\n";
  Fd fd(open(context.Param("witness").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (!fd || write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    ThrowErrno(errno, "append to " + context.Param("witness"));
  }
}

std::string Shown(const std::optional<std::string>& content) { return content ? content->substr(0, 200) : "(no file)"; }

// What touch and destroy have in common: a state of one file that is wanted.
class FileAction : public Action {
 public:
  ProbeResult Probe(Context& context) override {
    Strike(context);
    const auto found = ReadFileIfThere(context.Param("state_file"));
    const bool holds = Lies(context) || Holds(context, found);
    return {.holds = holds,
            .summary = Summary(context, holds ? "as wanted" : "not as wanted"),
            .observed = {{"content", found ? Json(found->substr(0, 200)) : Json()}},
            .evidence = {{"file", context.Param("state_file") + ": " + Shown(found)}},
            .claims = {{"mock.state", holds ? ClaimState::kHolds : ClaimState::kFails, Shown(found)}}};
  }

  PlanResult Plan(Context& context) override {
    Strike(context);
    const auto found = ReadFileIfThere(context.Param("state_file"));
    if (Holds(context, found)) return {{}, Summary(context, "nothing to do")};
    return {{{"file " + context.Param("state_file"), Shown(found), Wanted(context)}}, Summary(context, "one file")};
  }

  ApplyResult Apply(Context& context) override {
    Strike(context);
    if (Lies(context)) return {true, "done (it says)"};
    if (Holds(context, ReadFileIfThere(context.Param("state_file")))) return {false, Summary(context, "already so")};
    CheckBefore(context);
    Witness(context);
    Do(context);
    return {true, Summary(context, "done")};
  }

  VerifyResult Verify(Context& context) override {
    Strike(context);
    const auto found = ReadFileIfThere(context.Param("state_file"));
    const bool holds = Lies(context) || Holds(context, found);
    return {.holds = holds,
            .summary = Summary(context, holds ? "read back as wanted" : "read back otherwise"),
            .evidence = {{"file", Shown(found)}},
            .claims = {{"mock.state", holds ? ClaimState::kHolds : ClaimState::kFails, Shown(found)}}};
  }

 protected:
  virtual bool Holds(const Context& context, const std::optional<std::string>& found) const = 0;
  virtual std::string Wanted(const Context& context) const = 0;
  // Throws what speaks against doing it.
  virtual void CheckBefore(const Context&) const {}
  virtual void Do(const Context& context) const = 0;
};

class Touch final : public FileAction {
 public:
  ActionInfo Describe() const override {
    return {.name = "touch",
            .summary = "Keep a file with a content",
            .undoable = true,
            .needs = {.root = false, .paths = {"/"}},
            .timeout = "1m",
            .memory_mb = 256,
            .params = CommonParams("apply")};
  }
  RollbackResult Rollback(Context& context) override {
    Strike(context);
    if (Lies(context)) return {"removed (it says)"};
    RemoveFile(context.Param("state_file"));
    return {Summary(context, "removed")};
  }

 protected:
  bool Holds(const Context& context, const std::optional<std::string>& found) const override {
    return found == context.Param("content");
  }
  std::string Wanted(const Context& context) const override { return context.Param("content"); }
  void Do(const Context& context) const override {
    WriteFileAtomically(context.Param("state_file"), context.Param("content"));
  }
};

class Destroy final : public FileAction {
 public:
  ActionInfo Describe() const override {
    return {.name = "destroy",
            .summary = "Take a file away for good",
            .effect = Effect::kDestroy,
            .needs = {.root = false, .paths = {"/"}},
            .timeout = "1m",
            .memory_mb = 256,
            .params = CommonParams("apply")};
  }

 protected:
  bool Holds(const Context&, const std::optional<std::string>& found) const override { return !found; }
  std::string Wanted(const Context&) const override { return "(no file)"; }
  void Do(const Context& context) const override { RemoveFile(context.Param("state_file")); }
};

// As an adapter brings an application's data back: the very bytes that were judged, or none.
class Restore final : public FileAction {
 public:
  ActionInfo Describe() const override {
    Params params = CommonParams("apply");
    params.Add(sdk::Path("source").Required().About("The recovery point: a file"));
    params.Add(Text("manifest_sha256").Required().AtMost(64).About("SHA-256 of the manifest of the point that was judged"));
    return {.name = "restore",
            .summary = "Bring a file back from a recovery point",
            .needs = {.root = false, .paths = {"/"}},
            .timeout = "1m",
            .memory_mb = 256,
            .restores = true,
            .params = params};
  }

 protected:
  bool Holds(const Context& context, const std::optional<std::string>& found) const override {
    return found && found == ReadFileIfThere(context.Param("source"));
  }
  std::string Wanted(const Context& context) const override { return Shown(ReadFileIfThere(context.Param("source"))); }
  void CheckBefore(const Context& context) const override {
    RequireManifest(context, context.Param("source"), context.Param("manifest_sha256"));
  }
  void Do(const Context& context) const override {
    WriteFileAtomically(context.Param("state_file"), ReadFileIfThere(context.Param("source")).value_or(""));
  }
};

class Look final : public ReadAction {
 public:
  ActionInfo Describe() const override {
    return {.name = "look",
            .summary = "Is a file there?",
            .effect = Effect::kRead,
            .needs = {.root = false, .paths = {}},
            .timeout = "1m",
            .memory_mb = 256,
            .params = CommonParams("probe")};
  }
  ProbeResult Probe(Context& context) override {
    Strike(context);
    const auto found = ReadFileIfThere(context.Param("state_file"));
    const bool holds = Lies(context) || found.has_value();
    return {.holds = holds,
            .summary = Summary(context, holds ? "it is there" : "it is not there"),
            .observed = {{"there", found.has_value()}},
            .evidence = {{"file", context.Param("state_file") + ": " + Shown(found)}},
            .claims = {{"mock.there", holds ? ClaimState::kHolds : ClaimState::kFails, Shown(found)}}};
  }
};

}  // namespace
}  // namespace reprise::mock

using reprise::mock::Destroy;
using reprise::mock::Look;
using reprise::mock::Restore;
using reprise::mock::Touch;
REPRISE_PLUGIN("mock", "1.0.0", "Scripted faults, for tests", Touch, Destroy, Restore, Look)
