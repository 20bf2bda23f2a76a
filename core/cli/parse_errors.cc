#include "core/cli/parse_errors.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/text.h"

namespace reprise::cli {
namespace {

// How far the words lead through the groups and commands.
struct Reached {
  const CLI::App* app;
  std::string path;     // "backup judge"; empty: the program itself.
  std::string unknown;  // The word that leads no further.
};

// Of this command, or one of those above it.
const CLI::Option* FindOption(const CLI::App* app, const std::string& name) {
  for (; app != nullptr; app = app->get_parent()) {
    if (const CLI::Option* option = app->get_option_no_throw(name)) return option;
  }
  return nullptr;
}

Reached Follow(const CLI::App& app, const std::vector<std::string>& arguments) {
  Reached reached{&app, "", ""};
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (!word.empty() && word.front() == '-') {
      const CLI::Option* option = FindOption(reached.app, word);
      if (option != nullptr && option->get_items_expected_max() > 0) ++i;  // What follows is its value.
      continue;
    }
    const auto children = reached.app->get_subcommands([&](const CLI::App* child) { return child->get_name() == word; });
    if (children.empty()) {
      reached.unknown = word;
      break;
    }
    reached.app = children.front();
    absl::StrAppend(&reached.path, reached.path.empty() ? "" : " ", word);
  }
  return reached;
}

std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(child->get_name());
  }
  return names;
}

std::string MissingCommand(const Reached& reached) {
  const std::vector<std::string> names = CommandsOf(*reached.app);
  const bool top = reached.path.empty();
  const std::string all = top ? "`reprise --help` lists them" : absl::StrCat("it has ", absl::StrJoin(names, ", "));
  if (reached.unknown.empty()) return absl::StrCat(top ? "which command?" : reached.path + " wants a command:", " ", all);
  const std::string nearest = NearestName(reached.unknown, names);
  return absl::StrCat(top ? "there is" : reached.path + " has", " no command \"", reached.unknown, "\"; ",
                      nearest.empty() ? all : absl::StrCat("did you mean ", nearest, "?"));
}

// `arguments` in the order in which they were typed: the parser turns it round.
std::string Unexpected(const Reached& reached, const std::string& words, const std::vector<std::string>& arguments) {
  const std::vector<std::string> extras = absl::StrSplit(words, ' ');
  const auto is_extra = [&](const std::string& one) { return std::find(extras.begin(), extras.end(), one) != extras.end(); };
  const auto option = std::find_if(arguments.begin(), arguments.end(),
                                   [&](const std::string& one) { return absl::StartsWith(one, "-") && is_extra(one); });
  const std::string who = reached.path.empty() ? "reprise" : reached.path;
  if (option == arguments.end()) {
    const auto word = std::find_if(arguments.begin(), arguments.end(), is_extra);
    return absl::StrCat(who, " takes no \"", word == arguments.end() ? words : *word, "\" there");
  }
  std::vector<std::string> names;
  for (const CLI::App* app = reached.app; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* known : app->get_options()) {
      for (const std::string& name : known->get_lnames()) names.push_back("--" + name);
    }
  }
  const std::string nearest = NearestName(option->substr(0, option->find('=')), names);
  return absl::StrCat(who, " has no option ", *option, nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?"));
}

// The parser says "NAME: text"; the checks of command_line.cc make the text go on from the name.
std::string Readable(std::string said) {
  if (const size_t at = said.find(": is "); at != std::string::npos) said.erase(at, 1);
  constexpr std::string_view kUnconverted = "Could not convert: ";
  if (const size_t equals = said.find(" = "); said.rfind(kUnconverted, 0) == 0 && equals != std::string::npos) {
    const std::string name = said.substr(kUnconverted.size(), equals - kUnconverted.size());
    return absl::StrCat(name, " is ", said.substr(equals + 3), "; expected a whole number");
  }
  if (absl::EndsWith(said, " missing") && absl::StrContains(said, " required ")) {
    return absl::StrCat(said.substr(0, said.find(": ")), " wants a value");
  }
  return said;
}

}  // namespace

std::string TextOfParseError(const CLI::App& app, const CLI::ParseError& error,
                             const std::vector<std::string>& arguments) {
  const Reached reached = Follow(app, arguments);
  const bool wants_command = !CommandsOf(*reached.app).empty();
  if (wants_command && dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) return MissingCommand(reached);
  std::string text = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const size_t colon = text.find(": ");
    text = Unexpected(reached, colon == std::string::npos ? text : text.substr(colon + 2), arguments);
  } else {
    text = Readable(std::move(text));
  }
  return absl::StrCat(text, "\n  try: reprise ", reached.path, reached.path.empty() ? "" : " ", "--help");
}

}  // namespace reprise::cli
