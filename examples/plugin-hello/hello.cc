// The plugin "hello": one action, which keeps a file with a text. Make it yours from here.
#include <algorithm>

#include "plugins/sdk/file.h"
#include "plugins/sdk/notes.h"
#include "plugins/sdk/sdk.h"

namespace {

using namespace reprise::sdk;

class Greet final : public Action {
 public:
  ActionInfo Describe() const override {
    return {.name = "greet",
            .summary = "Keep a file with a text",
            .effect = Effect::kChange,
            .undoable = true,
            .needs = {.root = true, .network = false, .paths = {"/var/tmp", "/var/lib/reprise-plugins/hello"}},
            .timeout = "30s",
            .memory_mb = 128,
            .params = {Path("path").Required().About("The file, below /var/tmp"),
                       Text("text").Default("hello\n").About("What it holds")}};
  }

  ProbeResult Probe(Context& context) override {
    const auto found = ReadFileIfThere(File(context));
    const bool holds = found == context.Param("text");
    return {.holds = holds,
            .summary = holds ? "the file has the text" : found ? "the file has another text" : "there is no file",
            .evidence = {{"file", File(context) + ": " + Shown(found)}}};
  }

  PlanResult Plan(Context& context) override {
    const auto found = ReadFileIfThere(File(context));
    if (found == context.Param("text")) return {{}, "nothing to do"};
    return {{{"file " + File(context), Shown(found), context.Param("text")}}, "write one file"};
  }

  ApplyResult Apply(Context& context) override {
    const auto found = ReadFileIfThere(File(context));
    if (found == context.Param("text")) return {false, "already so"};
    // Remembered before it is changed, so that undoing restores it, whenever this is killed.
    notes_.Put(Key(context), {{"before", found ? Json(*found) : Json()}});
    context.Progress(0.5, "writing " + File(context));
    WriteFileAtomically(File(context), context.Param("text"));
    return {true, "written"};
  }

  VerifyResult Verify(Context& context) override {
    const std::string read_back = ReadFile(File(context));
    const bool holds = read_back == context.Param("text");
    return {.holds = holds,
            .summary = holds ? "read back as written" : "read back otherwise",
            .evidence = {{"file", read_back.substr(0, 200)}}};
  }

  RollbackResult Rollback(Context& context) override {
    const auto note = notes_.Get(Key(context));
    if (!note) return {"nothing was changed here"};
    const Json& before = note->at("before");
    if (before.is_string()) {
      WriteFileAtomically(File(context), before.get<std::string>());
    } else {
      RemoveFile(File(context));
    }
    notes_.Forget(Key(context));
    return {before.is_string() ? "the earlier text is back" : "removed, as it was not there before"};
  }

 private:
  static std::string File(const Context& context) {
    std::string path = context.Param("path");
    if (path.rfind("/var/tmp/", 0) != 0) {
      throw Error("bad_params", "parameter path is " + path + ", expected a file below /var/tmp");
    }
    return path;
  }
  // One note for each file that is kept.
  static std::string Key(const Context& context) {
    std::string key = File(context).substr(1);
    std::replace(key.begin(), key.end(), '/', '+');
    return key;
  }
  static std::string Shown(const std::optional<std::string>& text) { return text ? text->substr(0, 200) : "(no file)"; }

  const Notes notes_{"hello"};
};

}  // namespace

REPRISE_PLUGIN("hello", "0.1.0", "A greeting in a file", Greet)
