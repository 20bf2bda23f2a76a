// What a command declares of itself: options, flags, examples. The parser that reads them (CLI11) costs many seconds in
// every file that includes it, and so stays behind this: in command_line.cc, application.cc and the completion.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace reprise::cli {

// One option, to be qualified where it is declared. A handle: copy it freely.
class OptionRef {
 public:
  explicit OptionRef(CLI::Option* option) : option_(option) {}

  OptionRef Required() const;
  OptionRef TypeName(const std::string& name) const;
  OptionRef About(const std::string& text) const;
  OptionRef ShowDefault() const;                       // The value that it has now.
  OptionRef OneOf(const std::vector<std::string>& words) const;
  OptionRef Positive() const;
  OptionRef Between(uint64_t least, uint64_t most) const;
  OptionRef ExistingFile() const;
  OptionRef OneValueEach() const;                      // Of a list: what follows a value is not taken too.
  OptionRef Excludes(OptionRef other) const;

 private:
  CLI::Option* option_;
};

// What the values go into outlives the command's Action. "--name" is an option, "NAME" stands by its place.
class CommandLine {
 public:
  explicit CommandLine(CLI::App& app) : app_(app) {}

  OptionRef Option(const std::string& name, std::string& into, const std::string& about);
  OptionRef Option(const std::string& name, std::vector<std::string>& into, const std::string& about);
  OptionRef Option(const std::string& name, uint32_t& into, const std::string& about);
  OptionRef Option(const std::string& name, uint64_t& into, const std::string& about);
  OptionRef Option(const std::string& name, std::optional<uint32_t>& into, const std::string& about);
  OptionRef Option(const std::string& name, std::optional<uint64_t>& into, const std::string& about);
  OptionRef Flag(const std::string& name, bool& into, const std::string& about);
  // "--ttl 24h" into milliseconds.
  OptionRef Duration(const std::string& name, int64_t& ms, const std::string& about);
  // Of one that was declared. REQUIRES: it was.
  OptionRef Find(const std::string& name);
  // What stands under the help: examples, what the exit codes mean.
  void Footer(const std::string& text);

 private:
  CLI::App& app_;
};

}  // namespace reprise::cli
