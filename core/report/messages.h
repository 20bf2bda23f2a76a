// Every sentence and word of the printed reports, in French and in English. One table; a test proves that no message and
// no word of the vocabulary lacks a language.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/substitute.h"
#include "core/model/names.h"

namespace reprise::report {

enum class Language { kFrench, kEnglish };

// "fr", "en".
std::optional<Language> LanguageFromName(std::string_view name);

struct Message {
  std::string_view key;
  std::string_view french;
  std::string_view english;
};
const std::vector<Message>& AllMessages();

// The text behind a key, with $0, $1 … still in it. The key itself where there is none: a report is better odd than absent.
std::string TextOf(Language language, std::string_view key);
bool HasMessage(std::string_view key);

template <typename... Args>
std::string Say(Language language, std::string_view key, const Args&... args) {
  return absl::Substitute(TextOf(language, key), args...);
}

// "run.paused", "target.deferred": the key of a word of the vocabulary.
template <typename Enum>
std::string Word(Language language, std::string_view machine, Enum value) {
  return TextOf(language, std::string(machine) + "." + model::NameOf(value));
}

}  // namespace reprise::report
