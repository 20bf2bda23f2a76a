#include "agents/runner/conformance/conformance.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/runner/conformance/descriptor_checks.h"
#include "agents/runner/conformance/sample_params.h"
#include "agents/runner/conformance/throwaway_root.h"
#include "agents/runner/conformance/verb_checks.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"

namespace reprise::conformance {
namespace {

using nlohmann::json;
using Work = std::function<json(Root&)>;

// What a secret parameter holds while it is tested, unless one is given.
constexpr const char* kCanary = "canary-7f3a9c51d2";
// A shorter apply cannot be met in its middle.
constexpr int64_t kMeetableMs = 100;
constexpr double kKillInstants[] = {0.0, 0.2, 0.4, 0.6, 0.8, 0.95};

class Verification {
 public:
  Verification(const ConformanceOptions& options, std::string sha256) : options_(options), sha256_(std::move(sha256)) {}

  absl::StatusOr<Report> Run() {
    report_.sha256 = ToHex(sha256_);
    report_.plugin = options_.plugin.filename().string();
    ASSIGN_OR_RETURN(const json described, Looking([this](Root& root) {
                       Subject subject(root, sha256_);
                       std::string why_not;
                       const std::string text = subject.Describe(why_not);
                       return json{{"descriptor", text.empty() ? json() : json::parse(text)}, {"why_not", why_not}};
                     }));
    const json descriptor = described.at("descriptor");
    if (!descriptor.is_object()) {
      report_.checks.push_back({"", "describes itself", Verdict::kFail, described.at("why_not")});
      return report_;
    }
    report_.checks.push_back({"", "describes itself", Verdict::kPass, ""});
    report_.plugin = absl::StrCat(descriptor.value("name", "?"), " ", descriptor.value("version", "?"));
    Add(CheckDescriptor(descriptor));
    if (!Passed(report_)) return report_;  // Nothing can be asked of who does not say what he is.
    ASSIGN_OR_RETURN(const std::vector<ActionUnderTest> actions, Actions(descriptor));
    for (const ActionUnderTest& action : actions) {
      if (options_.only_action.empty() || action.name == options_.only_action) RETURN_IF_ERROR(Try(action));
    }
    return report_;
  }

 private:
  void Add(std::vector<Check> checks) {
    report_.checks.insert(report_.checks.end(), std::make_move_iterator(checks.begin()),
                          std::make_move_iterator(checks.end()));
  }

  // Verbs that only look: on this host (where they cannot write) if there is nothing better.
  absl::StatusOr<json> Looking(const Work& work) {
    const Work quiet = [&](Root& root) {
      spdlog::set_level(spdlog::level::off);  // What the plugin logs is kept and searched, not shown.
      std::filesystem::create_directories(kSampleFolder);
      return work(root);
    };
    absl::StatusOr<json> answer = throwaway_ ? InThrowawayRoot(files(), quiet) : OnThisHost(files(), quiet);
    if (throwaway_ && absl::IsUnavailable(answer.status())) {
      throwaway_ = false;
      report_.setting = absl::StrCat("On this host: ", std::string(answer.status().message()));
      return OnThisHost(files(), quiet);
    }
    if (report_.setting.empty()) report_.setting = "In throw-away file systems: nothing was written to this host.";
    return answer;
  }

  std::vector<KitFile> files() const {
    std::vector<KitFile> all = {{options_.plugin, kPluginFile}, {options_.plugin_host, kPluginHostFile}};
    for (const auto& [name, file] : options_.artifacts) all.push_back({file, kArtifactPrefix + name});
    return all;
  }

  static std::string NamesOf(const std::vector<ActionUnderTest>& actions) {
    return absl::StrJoin(actions, ", ", [](std::string* out, const ActionUnderTest& one) { out->append(one.name); });
  }

  absl::StatusOr<std::vector<ActionUnderTest>> Actions(const json& descriptor) const {
    json given = json::object();
    if (!options_.params_json.empty()) {
      given = json::parse(options_.params_json, nullptr, false);
      if (!given.is_object()) return absl::InvalidArgumentError("params: expected a JSON object, ACTION: {parameters}");
    }
    const json& list = descriptor.at("actions");
    std::vector<ActionUnderTest> actions;
    for (const json& one : list) {
      ActionUnderTest action{one.at("name"), one, {}, {}};
      const bool bare = list.size() == 1 && !given.contains(action.name);
      json params = bare ? given : given.value(action.name, json::object());
      for (const std::string& secret : SecretNames(one.at("params"))) {
        if (!params.contains(secret)) params[secret] = kCanary;
        if (params[secret].is_string() && params[secret].get_ref<const std::string&>().size() >= 6) {
          action.secrets.push_back(params[secret]);
        }
      }
      action.params = SampleParams(one.at("params"), params);
      actions.push_back(std::move(action));
    }
    for (const auto& [name, ignored] : given.items()) {
      const bool known = std::any_of(actions.begin(), actions.end(), [wanted = std::string_view(name)](const auto& a) { return a.name == wanted; });
      if (!known && list.size() > 1) {
        return absl::InvalidArgumentError(absl::StrCat("params: the plugin has no action ", name, "; it has ", NamesOf(actions)));
      }
    }
    const std::string& only = options_.only_action;
    if (!only.empty() && std::none_of(actions.begin(), actions.end(), [&](const auto& a) { return a.name == only; })) {
      return absl::InvalidArgumentError(absl::StrCat("the plugin has no action ", only, "; it has ", NamesOf(actions)));
    }
    return actions;
  }

  absl::Status Try(const ActionUnderTest& action) {
    ASSIGN_OR_RETURN(const json looked,
                     Looking([&](Root& root) { return ToJson(CheckLooking(root, sha256_, action)); }));
    Add(ChecksFromJson(looked));
    if (action.reads_only()) return Skip(action, "the action only reads");
    if (!throwaway_ && !options_.on_this_host) {
      return Skip(action, "needs root for a throw-away file system (or run it on this host itself)");
    }
    int64_t apply_ms = 0;
    ASSIGN_OR_RETURN(const json changed, Looking([&](Root& root) {
                       int64_t ms = 0;
                       const json checks = ToJson(CheckChanging(root, sha256_, action, ms));
                       return json{{"checks", checks}, {"ms", ms}};
                     }));
    Add(ChecksFromJson(changed.at("checks")));
    apply_ms = changed.at("ms");
    RETURN_IF_ERROR(TryKilling(action, apply_ms));
    return TryCancelling(action, apply_ms);
  }

  absl::Status Skip(const ActionUnderTest& action, const std::string& why) {
    for (const char* name : {"apply makes it so", "apply twice changes once", "rollback undoes it",
                             "survives being killed", "ends when asked"}) {
      report_.checks.push_back({action.name, name, Verdict::kNotApplicable, why});
    }
    return absl::OkStatus();
  }

  absl::Status TryKilling(const ActionUnderTest& action, int64_t apply_ms) {
    constexpr const char* kName = "survives being killed";
    for (const double instant : kKillInstants) {
      const std::chrono::milliseconds delay(static_cast<int64_t>(static_cast<double>(apply_ms) * instant));
      ASSIGN_OR_RETURN(const json why_not,
                       Looking([&](Root& root) { return json(WhyNotKillable(root, sha256_, action, delay)); }));
      if (!why_not.get<std::string>().empty()) {
        report_.checks.push_back({action.name, kName, Verdict::kFail,
                                  absl::StrCat("killed ", delay.count(), " ms after its start: ", why_not.get<std::string>())});
        return absl::OkStatus();
      }
    }
    report_.checks.push_back({action.name, kName, Verdict::kPass,
                              absl::StrCat("killed at ", std::size(kKillInstants), " instants of ", apply_ms, " ms")});
    return absl::OkStatus();
  }

  absl::Status TryCancelling(const ActionUnderTest& action, int64_t apply_ms) {
    if (apply_ms < kMeetableMs) {
      report_.checks.push_back({action.name, "ends when asked", Verdict::kNotApplicable,
                                absl::StrCat("apply takes ", apply_ms, " ms; give parameters with which it takes longer")});
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const json check, Looking([&](Root& root) {
                       return ToJson({CheckCancelling(root, sha256_, action, std::chrono::milliseconds(apply_ms / 3))});
                     }));
    Add(ChecksFromJson(check));
    return absl::OkStatus();
  }

  const ConformanceOptions& options_;
  const std::string sha256_;
  bool throwaway_ = true;
  Report report_;
};

}  // namespace

absl::StatusOr<Report> VerifyPlugin(const ConformanceOptions& options) {
  ASSIGN_OR_RETURN(std::string sha256, crypto::Sha256OfFile(options.plugin));
  if (access(options.plugin_host.c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("the plugin host ", options.plugin_host.string(), " is not there"));
  }
  for (const auto& [name, file] : options.artifacts) {
    if (name.empty() || name.find('/') != std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat("artifact \"", name, "\": expected a name without /"));
    }
    if (access(file.c_str(), R_OK) != 0) {
      return absl::NotFoundError(absl::StrCat("artifact ", name, ": ", file.string(), " cannot be read"));
    }
  }
  return Verification(options, std::move(sha256)).Run();
}

}  // namespace reprise::conformance
