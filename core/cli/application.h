// The program as a whole: global flags, groups and commands from rows, one place where errors become messages and exit
// codes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/cli/command.h"

namespace reprise::cli {

struct GroupRow {
  const char* name;
  const char* summary;
};

// Reads the arguments (without the program's name), does what they say, gives the exit code.
int RunApplication(const std::vector<GroupRow>& groups, const std::vector<CommandRow>& commands,
                   const std::vector<std::string>& arguments, Context& context);

// The application with everything declared and nothing run; for completion and tests of the help.
struct Declared {
  std::shared_ptr<CLI::App> app;
  std::shared_ptr<Action> chosen;  // Set while parsing.
};
Declared Declare(const std::vector<GroupRow>& groups, const std::vector<CommandRow>& commands, GlobalFlags& flags);

}  // namespace reprise::cli
