#include "core/cli/command_line.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "core/base/text.h"

namespace reprise::cli {

OptionRef OptionRef::Required() const { return OptionRef(option_->required()); }
OptionRef OptionRef::TypeName(const std::string& name) const { return OptionRef(option_->type_name(name)); }
OptionRef OptionRef::About(const std::string& text) const { return OptionRef(option_->description(text)); }
OptionRef OptionRef::ShowDefault() const { return OptionRef(option_->capture_default_str()); }
OptionRef OptionRef::OneOf(const std::vector<std::string>& words) const {
  return OptionRef(option_->check(CLI::IsMember(words)));
}
OptionRef OptionRef::Positive() const { return OptionRef(option_->check(CLI::PositiveNumber)); }
OptionRef OptionRef::Between(uint64_t least, uint64_t most) const {
  return OptionRef(option_->check(CLI::Range(least, most)));
}
OptionRef OptionRef::ExistingFile() const { return OptionRef(option_->check(CLI::ExistingFile)); }
OptionRef OptionRef::OneValueEach() const { return OptionRef(option_->allow_extra_args(false)); }
OptionRef OptionRef::Excludes(OptionRef other) const { return OptionRef(option_->excludes(other.option_)); }

OptionRef CommandLine::Option(const std::string& name, std::string& into, const std::string& about) {
  return OptionRef(app_.add_option(name, into, about));
}
OptionRef CommandLine::Option(const std::string& name, std::vector<std::string>& into, const std::string& about) {
  return OptionRef(app_.add_option(name, into, about));
}
OptionRef CommandLine::Option(const std::string& name, uint32_t& into, const std::string& about) {
  return OptionRef(app_.add_option(name, into, about));
}
OptionRef CommandLine::Option(const std::string& name, uint64_t& into, const std::string& about) {
  return OptionRef(app_.add_option(name, into, about));
}
OptionRef CommandLine::Option(const std::string& name, std::optional<uint32_t>& into, const std::string& about) {
  return OptionRef(app_.add_option(name, into, about));
}
OptionRef CommandLine::Option(const std::string& name, std::optional<uint64_t>& into, const std::string& about) {
  return OptionRef(app_.add_option(name, into, about));
}

OptionRef CommandLine::Flag(const std::string& name, bool& into, const std::string& about) {
  return OptionRef(app_.add_flag(name, into, about));
}

OptionRef CommandLine::Duration(const std::string& name, int64_t& ms, const std::string& about) {
  const auto read = [&ms, name](const std::string& text) {
    const auto parsed = ParseDurationMs(text);
    if (!parsed.ok()) {
      throw CLI::ValidationError(name, absl::StrCat("\"", text, "\": expected a duration such as 90s, 15m or 24h"));
    }
    ms = *parsed;
  };
  return OptionRef(app_.add_option_function<std::string>(name, read, about)->type_name("DURATION"));
}

OptionRef CommandLine::Find(const std::string& name) { return OptionRef(app_.get_option(name)); }

void CommandLine::Footer(const std::string& text) { app_.footer(text); }

}  // namespace reprise::cli
