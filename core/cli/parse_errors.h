// What is said when the words of a command line are not understood: which word, what was expected there, and the nearest
// that there is. The parser's own messages are for its programmer.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace reprise::cli {

// Without "reprise: " in front. `arguments`: as they were typed, without the program's name.
std::string TextOfParseError(const CLI::App& app, const CLI::ParseError& error,
                             const std::vector<std::string>& arguments);

}  // namespace reprise::cli
