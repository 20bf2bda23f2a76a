#include "core/cli/application.h"

#include <CLI/CLI.hpp>
#include <map>
#include <ostream>
#include <utility>

#include "core/base/text.h"
#include "core/cli/parse_errors.h"

namespace reprise::cli {
namespace {

constexpr char kFooter[] =
    "Begin:     reprise init --data DIR --site NAME --operator YOU --name ADDRESS\n"
    "Work:      reprise plan DOSSIER --submit; reprise approve PLAN; reprise run start PLAN --watch\n"
    "Know:      reprise coverage; reprise run show RUN; reprise report run RUN\n"
    "Stop all:  reprise stop raise --reason TEXT\n\n"
    "Exit codes: 0 ok, 1 failure, 2 usage, 3 changes pending, 4 gate or signature refused, 5 unreachable, 6 partial, "
    "7 timeout.";

void DeclareGlobals(CLI::App& app, GlobalFlags& flags) {
  static const std::map<std::string, OutputForm> forms = {
      {"table", OutputForm::kTable}, {"wide", OutputForm::kWide}, {"json", OutputForm::kJson}};
  const auto read_form = [&flags](const std::string& text) {
    const auto form = forms.find(text);
    if (form == forms.end()) {
      throw CLI::ValidationError("--output", "is " + text + "; expected table, wide or json");
    }
    flags.output = form->second;
  };
  app.add_option("--profile", flags.profile, "Folder of the operator's profile (or REPRISE_PROFILE)")
      ->type_name("DIR");
  app.add_option_function<std::string>("-o,--output", read_form,
                                       "table, wide (nothing cut), or json (stable, for programs)")
      ->type_name("FORM");
  app.add_flag("--no-color", flags.no_color, "No colours (or NO_COLOR)");
  app.add_option_function<std::string>(
         "--timeout",
         [&flags](const std::string& text) {
           const auto ms = ParseDurationMs(text);
           if (!ms.ok()) throw CLI::ValidationError("--timeout", "\"" + text + "\": expected a duration such as 30s");
           flags.timeout_ms = *ms;
         },
         "How long one call may take, such as 30s (the default)")
      ->type_name("DURATION");
  app.add_flag("-y,--yes", flags.yes, "Ask nothing: what is asked for is meant");
}

}  // namespace

Declared Declare(const std::vector<GroupRow>& groups, const std::vector<CommandRow>& commands, GlobalFlags& flags) {
  Declared declared;
  declared.app = std::make_shared<CLI::App>("Reprise: rebuilds an information system, host by host, in signed plans.",
                                            "reprise");
  declared.chosen = std::make_shared<Action>();
  CLI::App& app = *declared.app;
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(kFooter);
  DeclareGlobals(app, flags);
  app.set_version_flag("--version", REPRISE_VERSION);
  std::map<std::string, CLI::App*> parents;
  for (const GroupRow& group : groups) {
    CLI::App* parent = app.add_subcommand(group.name, group.summary);
    parent->require_subcommand(1);
    parent->fallthrough();
    parents[group.name] = parent;
  }
  for (const CommandRow& row : commands) {
    const std::string group = row.group;
    CLI::App& parent = group.empty() ? app : *parents.at(group);
    CLI::App* command = parent.add_subcommand(row.name, row.summary);
    command->fallthrough();
    CommandLine line(*command);
    Action action = row.declare(line);
    command->callback([chosen = declared.chosen, action = std::move(action)] { *chosen = action; });
  }
  return declared;
}

int RunApplication(const std::vector<GroupRow>& groups, const std::vector<CommandRow>& commands,
                   const std::vector<std::string>& arguments, Context& context) {
  Declared declared = Declare(groups, commands, context.flags);
  if (arguments.empty()) {
    context.terminal.err() << declared.app->help();
    return kExitUsage;
  }
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    declared.app->parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    // Help and the version come this way too.
    if (error.get_exit_code() == 0) {
      declared.app->exit(error, context.terminal.out(), context.terminal.err());
      return kExitOk;
    }
    context.terminal.err() << "reprise: " << TextOfParseError(*declared.app, error, arguments) << '\n';
    return kExitUsage;
  }
  if (context.flags.no_color) context.terminal.AllowColor(false);
  const absl::StatusOr<int> code = (*declared.chosen)(context);
  context.terminal.out() << std::flush;
  if (code.ok()) return *code;
  context.terminal.err() << "reprise: " << std::string(code.status().message()) << '\n';
  return ExitCodeOf(code.status());
}

}  // namespace reprise::cli
