#include "plugins/sanitize/finding.h"

#include "plugins/sdk/sha256.h"

namespace reprise::sanitize {
namespace {

constexpr Sure kSures[] = {Sure::kPossible, Sure::kLikely, Sure::kCertain};
constexpr Remedy kRemedies[] = {Remedy::kNone,     Remedy::kRemoveFile, Remedy::kRestoreFile,
                                Remedy::kEditLine, Remedy::kClearMode,  Remedy::kEndProcess};

template <typename Value, size_t kCount>
Value Named(const Value (&values)[kCount], const std::string& name) {
  for (const Value value : values) {
    if (NameOf(value) == name) return value;
  }
  throw sdk::Error("bundle_broken", "a finding says " + name.substr(0, 40) + ", which is no word of this plugin");
}

bool IsUtf8(const std::string& text) {
  try {
    Json(text).dump();
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

}  // namespace

void PutText(Json& json, const std::string& key, const std::string& text) {
  json[key] = text;
  if (IsUtf8(text)) return;
  std::string hex, shown;
  for (const unsigned char byte : text) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
    shown += byte < 0x80 ? static_cast<char>(byte) : '?';
  }
  json[key] = shown;
  json[key + "_hex"] = hex;
}

std::string GetText(const Json& json, const std::string& key) {
  const auto hex = json.find(key + "_hex");
  if (hex == json.end()) return json.at(key);
  std::string text;
  const std::string digits = *hex;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i + 1 < digits.size(); i += 2) text += static_cast<char>(digit(digits[i]) * 16 + digit(digits[i + 1]));
  return text;
}

std::string Finding::Id() const {
  std::string all;
  for (const std::string& part : {kind, path, line, remedy == Remedy::kEditLine ? std::string() : sha256}) {
    all += part;
    all += '\0';
  }
  return sdk::Sha256OfText(all).substr(0, 16);
}

std::string_view NameOf(Sure sure) {
  switch (sure) {
    case Sure::kPossible: return "possible";
    case Sure::kLikely: return "likely";
    case Sure::kCertain: break;
  }
  return "certain";
}

std::string_view NameOf(Remedy remedy) {
  switch (remedy) {
    case Remedy::kRemoveFile: return "remove_file";
    case Remedy::kRestoreFile: return "restore_file";
    case Remedy::kEditLine: return "edit_line";
    case Remedy::kClearMode: return "clear_mode";
    case Remedy::kEndProcess: return "end_process";
    case Remedy::kNone: break;
  }
  return "none";
}

Json ToJson(const Finding& finding) {
  Json json = {{"id", finding.Id()},
               {"kind", finding.kind},
               {"sure", NameOf(finding.sure)},
               {"remedy", NameOf(finding.remedy)},
               {"sha256", finding.sha256}};
  PutText(json, "path", finding.path);
  PutText(json, "expected", finding.expected);
  PutText(json, "found", finding.found);
  if (!finding.line.empty()) PutText(json, "line", finding.line);
  if (!finding.with.empty()) PutText(json, "with", finding.with);
  if (!finding.package.empty()) json["package"] = finding.package;
  return json;
}

Finding FindingFromJson(const Json& json) {
  if (!json.is_object()) throw sdk::Error("bundle_broken", "a finding is no JSON object");
  Finding finding;
  try {
    finding = {.kind = json.at("kind"),
               .path = GetText(json, "path"),
               .expected = GetText(json, "expected"),
               .found = GetText(json, "found"),
               .sure = Named(kSures, json.at("sure")),
               .remedy = Named(kRemedies, json.at("remedy")),
               .line = json.contains("line") ? GetText(json, "line") : "",
               .with = json.contains("with") ? GetText(json, "with") : "",
               .package = json.value("package", ""),
               .sha256 = json.at("sha256")};
  } catch (const Json::exception& error) {
    throw sdk::Error("bundle_broken", std::string("a finding cannot be read: ") + error.what());
  }
  if (json.value("id", "") != finding.Id()) throw sdk::Error("bundle_broken", "the id of a finding is not its own");
  return finding;
}

}  // namespace reprise::sanitize
