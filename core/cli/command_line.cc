#include "core/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/text.h"

namespace reprise::cli {
namespace {

// "troubled, all or none"
std::string Either(const std::vector<std::string>& words) {
  if (words.size() < 2) return absl::StrJoin(words, "");
  return absl::StrCat(absl::StrJoin(words.begin(), words.end() - 1, ", "), " or ", words.back());
}

// A check whose complaint goes on from the option's name (parse_errors.cc): "--lang is de; expected fr or en".
template <typename Fits>
CLI::Validator Expect(const std::string& expected, const std::string& shown, const Fits& fits) {
  const auto check = [expected, fits](std::string& value) {
    return fits(value) ? std::string() : absl::StrCat("is ", value, "; expected ", expected);
  };
  return CLI::Validator(check, shown);
}

std::optional<uint64_t> NumberOf(const std::string& text) {
  uint64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? std::optional(number) : std::nullopt;
}

}  // namespace

OptionRef OptionRef::Required() const { return OptionRef(option_->required()); }
OptionRef OptionRef::TypeName(const std::string& name) const { return OptionRef(option_->type_name(name)); }
OptionRef OptionRef::About(const std::string& text) const { return OptionRef(option_->description(text)); }
OptionRef OptionRef::ShowDefault() const { return OptionRef(option_->capture_default_str()); }
OptionRef OptionRef::OneOf(const std::vector<std::string>& words) const {
  const auto fits = [words](const std::string& value) { return std::find(words.begin(), words.end(), value) != words.end(); };
  return OptionRef(option_->check(Expect(Either(words), absl::StrCat("{", absl::StrJoin(words, ","), "}"), fits)));
}
OptionRef OptionRef::Positive() const {
  const auto fits = [](const std::string& value) { return NumberOf(value).value_or(0) > 0; };
  return OptionRef(option_->check(Expect("a whole number above 0", "POSITIVE", fits)));
}
OptionRef OptionRef::Between(uint64_t least, uint64_t most) const {
  const auto fits = [least, most](const std::string& value) {
    const auto number = NumberOf(value);
    return number && least <= *number && *number <= most;
  };
  return OptionRef(option_->check(Expect(absl::StrCat("a whole number from ", least, " to ", most),
                                         absl::StrCat("in [", least, " - ", most, "]"), fits)));
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
