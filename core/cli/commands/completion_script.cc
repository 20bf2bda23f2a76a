#include "core/cli/commands/completion_script.h"

#include <CLI/CLI.hpp>

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace reprise::cli {
namespace {

// Walks over the words before the cursor to the command they name, then offers what can stand there: the values of an
// option, options, subcommands, or files.
constexpr char kFunction[] = R"(
_reprise() {
  local at=/ option='' values='' word key i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ -n $option ]]; then
      [[ $word == = ]] || option=''
      continue
    fi
    if [[ $word == -* ]]; then
      [[ -n ${_reprise_values[$at:$word]}${_reprise_values[/:$word]} ]] && option=$word
      continue
    fi
    key=${at%/}/$word
    [[ -n ${_reprise_options[$key]+known} ]] && at=$key
  done
  word=${COMP_WORDS[COMP_CWORD]}
  [[ $word == = ]] && word=''
  if [[ -n $option ]]; then
    values=${_reprise_values[$at:$option]:-${_reprise_values[/:$option]}}
  elif [[ $word == -* ]]; then
    values="${_reprise_options[$at]} ${_reprise_options[/]}"
  elif [[ -n ${_reprise_commands[$at]} ]]; then
    values=${_reprise_commands[$at]}
  else
    values=:file
  fi
  case $values in
    :any) ;;
    :file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    :folder) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word") ;;
  esac
}
complete -F _reprise reprise
)";

struct Tables {
  std::string commands;
  std::string options;
  std::string values;
};

void AddRow(std::string& table, const std::string& key, const std::string& value) {
  absl::StrAppend(&table, "  [\"", key, "\"]=\"", value, "\"\n");
}

// What an option takes, as its declaration says it.
std::string ValuesOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  if (type == "FORM") return "table wide json";
  if (absl::StrContains(type, "DIR") || absl::StrContains(type, "FOLDER")) return ":folder";
  if (absl::StrContains(type, "FILE")) return ":file";
  return ":any";
}

void Walk(const CLI::App& app, const std::string& path, Tables& tables) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    std::vector<std::string> spellings;
    for (const std::string& name : option->get_lnames()) spellings.push_back("--" + name);
    for (const std::string& name : option->get_snames()) spellings.push_back("-" + name);
    for (const std::string& spelling : spellings) {
      names.push_back(spelling);
      // A flag takes nothing.
      if (option->get_items_expected_max() > 0) AddRow(tables.values, path + ":" + spelling, ValuesOf(*option));
    }
  }
  AddRow(tables.options, path, absl::StrJoin(names, " "));
  std::vector<std::string> children;
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    children.push_back(child->get_name());
    Walk(*child, (path == "/" ? "" : path) + "/" + child->get_name(), tables);
  }
  if (!children.empty()) AddRow(tables.commands, path, absl::StrJoin(children, " "));
}

}  // namespace

std::string BashCompletion(const CLI::App& app) {
  Tables tables;
  Walk(app, "/", tables);
  return absl::StrCat("# Completion of reprise for bash 4.4 and later, made by `reprise completion bash`.\n",
                      "declare -gA _reprise_commands=(\n", tables.commands, ")\n", "declare -gA _reprise_options=(\n",
                      tables.options, ")\n", "declare -gA _reprise_values=(\n", tables.values, ")\n", kFunction);
}

}  // namespace reprise::cli
