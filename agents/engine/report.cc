#include "agents/engine/report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/model/finding_limits.h"
#include "core/model/names.h"
#include "core/model/restoring.h"

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
    if (claims.size() == model::kClaimsMax) break;
    if (!item.is_object()) continue;
    agent::v1::Claim claim;
    claim.set_name(TextAt(item, "name", 128));
    claim.set_state(ClaimStateOf(TextAt(item, "state", 16)));
    claim.set_detail(TextAt(item, "detail", 1024));
    if (!claim.name().empty()) claims.push_back(std::move(claim));
  }
  return claims;
}

double NumberAt(const json& object, const char* key) {
  const auto found = object.find(key);
  const double value = found != object.end() && found->is_number() ? found->get<double>() : 0;
  return std::isfinite(value) ? value : 0;
}

// A whole number from 0 up to what a double holds exactly.
int64_t CountAt(const json& object, const char* key) {
  constexpr double kExact = 9007199254740992.0;
  return static_cast<int64_t>(std::clamp(NumberAt(object, key), 0.0, kExact));
}

// Words that are not of the vocabulary are no verdict: such a copy was not evaluated.
std::vector<agent::v1::Verdict> ReadVerdicts(const json& result) {
  std::vector<agent::v1::Verdict> verdicts;
  const auto found = result.find("verdicts");
  if (found == result.end() || !found->is_array()) return verdicts;
  for (const json& item : *found) {
    if (verdicts.size() == model::kVerdictsMax) break;
    if (!item.is_object()) continue;
    agent::v1::Verdict verdict;
    verdict.set_set(TextAt(item, "set", 64));
    verdict.set_point(TextAt(item, "point", 128));
    if (!model::IsName(verdict.set()) || !model::IsCopyName(verdict.point())) continue;
    const auto word = model::FromName<model::v1::BackupVerdict>(absl::AsciiStrToLower(TextAt(item, "verdict", 32)));
    const auto manifest = FromHex(TextAt(item, "manifest_sha256", 64));
    const bool bound = manifest.ok() && manifest->size() == crypto::kSha256Size;
    verdict.set_verdict(word && bound ? *word : model::v1::BACKUP_VERDICT_NOT_EVALUATED);
    if (bound) verdict.set_manifest_sha256(*manifest);
    verdict.set_coverage(std::clamp(NumberAt(item, "coverage"), 0.0, 1.0));
    verdict.set_bytes(static_cast<uint64_t>(CountAt(item, "bytes")));
    verdict.set_taken_ms(CountAt(item, "taken_unix_ms"));
    verdict.set_detail(TextAt(item, "detail", 512));
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

std::vector<agent::v1::Measure> ReadMeasures(const json& result) {
  std::vector<agent::v1::Measure> measures;
  const auto found = result.find("measures");
  if (found == result.end() || !found->is_array()) return measures;
  for (const json& item : *found) {
    if (measures.size() == model::kMeasuresMax) break;
    if (!item.is_object()) continue;
    agent::v1::Measure measure;
    measure.set_name(TextAt(item, "name", 128));
    measure.set_subject(TextAt(item, "subject", 64));
    measure.set_value(NumberAt(item, "value"));
    if (!measure.name().empty()) measures.push_back(std::move(measure));
  }
  return measures;
}

}  // namespace

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
  report.verdicts = ReadVerdicts(object);
  report.measures = ReadMeasures(object);
  for (const char* told_apart : {"claims", "verdicts", "measures"}) object.erase(told_apart);
  report.evidence_json = Dump(object);
  if (report.evidence_json.size() > model::kEvidenceBytesMax) {
    report.evidence_json = Dump(json{{"holds", report.holds}, {"summary", report.summary}, {"truncated", true}});
  }
  return report;
}

}  // namespace reprise::agents
