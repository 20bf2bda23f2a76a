#include "agents/engine/report.h"

#include <nlohmann/json.hpp>

namespace reprise::agents {
namespace {

using nlohmann::json;

std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string TextAt(const json& object, const char* key, size_t max) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? BoundedText(found->get_ref<const std::string&>(), max) : "";
}

model::v1::ClaimState ClaimStateOf(const std::string& word) {
  if (word == "holds") return model::v1::CLAIM_STATE_HOLDS;
  if (word == "fails") return model::v1::CLAIM_STATE_FAILS;
  return model::v1::CLAIM_STATE_UNKNOWN;
}

std::vector<agent::v1::Claim> ReadClaims(const json& result) {
  std::vector<agent::v1::Claim> claims;
  const auto found = result.find("claims");
  if (found == result.end() || !found->is_array()) return claims;
  for (const json& item : *found) {
    if (claims.size() == kClaimsMax) break;
    if (!item.is_object()) continue;
    agent::v1::Claim claim;
    claim.set_name(TextAt(item, "name", 128));
    claim.set_state(ClaimStateOf(TextAt(item, "state", 16)));
    claim.set_detail(TextAt(item, "detail", 1024));
    if (!claim.name().empty()) claims.push_back(std::move(claim));
  }
  return claims;
}

}  // namespace

std::string BoundedText(std::string_view text, size_t max) {
  const json cut = std::string(text.substr(0, max));
  // Replaces what is not UTF-8, a character cut in two included.
  std::string valid = json::parse(Dump(cut)).get<std::string>();
  while (valid.size() > max) {  // A replacement is longer than the byte that it replaces.
    size_t end = max;
    while (end > 0 && (static_cast<unsigned char>(valid[end]) & 0xC0) == 0x80) --end;
    valid.resize(end);
  }
  return valid;
}

VerbReport ReadReport(model::v1::Verb verb, const VerbResult& result) {
  VerbReport report;
  json object = json::parse(result.result_json, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return report;
  report.summary = TextAt(object, "summary", 1024);
  if (verb == model::v1::VERB_PROBE || verb == model::v1::VERB_VERIFY) {
    const auto holds = object.find("holds");
    if (holds == object.end() || !holds->is_boolean()) return report;
    report.holds = holds->get<bool>();
  }
  report.well_formed = true;
  report.claims = ReadClaims(object);
  object.erase("claims");
  report.evidence_json = Dump(object);
  if (report.evidence_json.size() > kEvidenceBytesMax) {
    report.evidence_json = Dump(json{{"holds", report.holds}, {"summary", report.summary}, {"truncated", true}});
  }
  return report;
}

}  // namespace reprise::agents
