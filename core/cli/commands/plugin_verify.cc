#include <memory>
#include <ostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agents/runner/conformance/conformance.h"
#include "core/base/files.h"
#include "core/base/status_macros.h"
#include "core/cli/commands/declarations.h"
#include "core/cli/plugin_file.h"
#include "core/cli/table.h"

namespace reprise::cli {
namespace {

struct PluginVerifyFlags {
  std::string file;
  std::string params;
  std::string action;
  std::vector<std::string> artifacts;
  bool on_this_host = false;
  bool json = false;
};

// The JSON itself, or a file with it.
absl::StatusOr<std::string> ReadParams(const std::string& text) {
  if (text.empty()) return text;
  const size_t first = text.find_first_not_of(" \t\n");
  const bool literal = first != std::string::npos && text[first] == '{';
  std::string content = text;
  if (!literal) {
    auto read = ReadFile(text);
    if (!read.ok()) {
      return UsageError(absl::StrCat("--params: neither a JSON object nor a file that can be read: ", text));
    }
    content = *std::move(read);
  }
  if (!Json::parse(content, nullptr, /*allow_exceptions=*/false).is_object()) {
    return UsageError(absl::StrCat("--params: ", literal ? "this text" : text, " is no JSON object"));
  }
  return content;
}

// "data.dump=FILE" for each, or a file alone under its own name.
absl::Status ReadArtifacts(const std::vector<std::string>& texts, conformance::ConformanceOptions& options) {
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    const std::filesystem::path file = equals == std::string::npos ? text : text.substr(equals + 1);
    const std::string name = equals == std::string::npos ? file.filename().string() : text.substr(0, equals);
    if (name.empty() || file.empty()) {
      return UsageError(absl::StrCat("--artifact: \"", text, "\": expected NAME=FILE, or a file"));
    }
    if (!options.artifacts.emplace(name, file).second) {
      return UsageError(absl::StrCat("--artifact: ", name, " stands there twice"));
    }
  }
  return absl::OkStatus();
}

Cell VerdictCell(conformance::Verdict verdict) {
  switch (verdict) {
    case conformance::Verdict::kPass:
      return {"pass", Color::kGood};
    case conformance::Verdict::kFail:
      return {"FAIL", Color::kBad};
    case conformance::Verdict::kNotApplicable:
      return {"n/a", Color::kDim};
  }
  return "?";
}

void Print(Context& context, const conformance::Report& report) {
  context.Say(absl::StrCat(report.plugin, "  sha256 ", report.sha256));
  context.Say(report.setting);
  context.Say("");
  size_t counts[3] = {0, 0, 0};
  Table table({"VERDICT", "ACTION", "PROMISE", "SEEN"});
  for (const conformance::Check& check : report.checks) {
    counts[static_cast<size_t>(check.verdict)] += 1;
    table.Add({VerdictCell(check.verdict), check.action, check.name, check.reason});
  }
  table.Print(context.terminal, context.cut());
  context.Say("");
  context.Say(absl::StrCat(counts[0], " passed, ", counts[1], " failed, ", counts[2], " not applicable (no proof)"));
  if (counts[1] > 0 && context.cut() && context.terminal.OutIsTerminal()) context.Note("-o wide shows the reasons whole");
}

absl::StatusOr<int> Verify(Context& context, const PluginVerifyFlags& flags) {
  if (flags.json) context.flags.output = OutputForm::kJson;
  conformance::ConformanceOptions options;
  options.plugin = flags.file;
  options.plugin_host = PluginHostProgram();
  options.only_action = flags.action;
  options.on_this_host = flags.on_this_host;
  ASSIGN_OR_RETURN(options.params_json, ReadParams(flags.params));
  RETURN_IF_ERROR(ReadArtifacts(flags.artifacts, options));
  RETURN_IF_ERROR(CheckIsLibrary(flags.file));
  if (flags.on_this_host) {
    RETURN_IF_ERROR(context.Confirm("The plugin will change this very host. Go on?"));
  }
  context.Note(absl::StrCat("trying ", flags.file, " against the contract; this takes some seconds for each action"));
  ASSIGN_OR_RETURN(const conformance::Report report, conformance::VerifyPlugin(options));
  if (context.json()) {
    context.PrintJson(Json(conformance::ToJson(report)));
  } else {
    Print(context, report);
  }
  return conformance::Passed(report) ? kExitOk : kExitFailure;
}

}  // namespace

Action DeclarePluginVerify(CommandLine& app) {
  auto flags = std::make_shared<PluginVerifyFlags>();
  app.Option("FILE", flags->file, "The plugin's library (.so)").Required();
  app.Option("--params", flags->params,
                 "{\"ACTION\": {parameters}, …}, or a file with it; what is missing is made up from the schema")
      .TypeName("JSON|FILE");
  app.Option("--action", flags->action, "Only this action").TypeName("ACTION");
  app.Option("--artifact", flags->artifacts, "A file that the actions need, as steps give it; as often as there are")
      .TypeName("[NAME=]FILE")
      .OneValueEach();
  app.Flag("--on-this-host", flags->on_this_host,
               "Where no throw-away file system can be had (not root): run what changes on this host itself");
  app.Flag("--json", flags->json, "As -o json");
  app.Footer(
      "Examples:\n"
      "  reprise plugin verify build/edr.so\n"
      "  reprise plugin verify build/edr.so --params '{\"install\": {\"server\": \"10.0.0.5\"}}'\n"
      "  reprise plugin verify build/edr.so --params params.json --json > report.json\n"
      "  reprise plugin verify build/package.so --action install --artifact hello_2.10_amd64.deb\n"
      "Exit code 1: at least one promise is broken. Root is needed to try what changes without harm to this host.");
  return [flags](Context& context) { return Verify(context, *flags); };
}

}  // namespace reprise::cli
