// A completion script made from the commands as they are declared, so that it can never know others than there are.
#pragma once

#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace reprise::cli {

// For bash: `source` it, or put it into /etc/bash_completion.d. Needs no other program, not even bash-completion.
std::string BashCompletion(const CLI::App& app);

}  // namespace reprise::cli
