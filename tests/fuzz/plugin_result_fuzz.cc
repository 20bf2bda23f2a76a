// What a plugin says: its result, its descriptor, its last words; and parameters on their way to it. What the agent makes
// of them is bounded text that the wire carries, and one line.
#include <nlohmann/json.hpp>

#include "agents/engine/report.h"
#include "agents/runner/bounded_json.h"
#include "agents/runner/verb_json.h"
#include "core/base/text.h"
#include "core/model/finding_limits.h"
#include "tests/fuzz/target.h"

namespace reprise::fuzz {
namespace {

using agents::VerbEnd;
using agents::VerbResult;

void CheckReport(const VerbResult& result) {
  for (const auto verb : {model::v1::VERB_PROBE, model::v1::VERB_PLAN, model::v1::VERB_APPLY, model::v1::VERB_VERIFY,
                          model::v1::VERB_ROLLBACK}) {
    const agents::VerbReport report = agents::ReadReport(verb, result);
    agent::v1::Finished finished;
    finished.set_reason(report.summary);
    finished.set_evidence_json(report.evidence_json);
    for (const auto& claim : report.claims) *finished.add_claims() = claim;
    Check(report.claims.size() <= size_t{model::kClaimsMax}, "claims are bounded");
    Check(report.evidence_json.size() <= model::kEvidenceBytesMax, "evidence is bounded");
    agent::v1::Finished again;
    Check(again.ParseFromString(finished.SerializeAsString()), "the wire carries what a plugin said");
  }
}

void Try(std::string_view text) {
  const std::string bytes(text);
  if (runner::WhyNotAResult(text).empty()) {
    const auto object = nlohmann::json::parse(text, nullptr, false);
    Check(object.is_object(), "what counts as a result is an object");
    runner::Transcript heard;
    heard.ended = true;
    heard.result = bytes;
    const VerbResult result = runner::ReadTranscript(1, heard);
    Check(result.end == VerbEnd::kDone || result.end == VerbEnd::kError, "who ended with a result did not crash");
    Check(result.message.size() <= 1024 && result.hint.size() <= 1024 && result.code.size() <= 64, "texts are bounded");
    if (result.end == VerbEnd::kDone) CheckReport(result);
  }
  runner::Transcript last_words;
  last_words.output = bytes;
  last_words.exit_status = 11;
  const VerbResult crashed = runner::ReadTranscript(2, last_words);
  Check(crashed.end == VerbEnd::kCrashed && crashed.message.size() <= 1024, "last words are bounded");
  runner::ReadTraits(bytes).IgnoreError();
  for (const size_t max : {size_t{0}, size_t{1}, size_t{7}, size_t{1000}}) {
    const std::string plain = runner::Plain(text, max);
    Check(plain.size() <= max, "plain text is bounded");
    const std::string bounded = BoundedText(text, max);
    Check(bounded.size() <= max, "bounded text is bounded");
    agent::v1::Facts facts;
    facts.set_facts_json(bounded);
    Check(agent::v1::Facts().ParseFromString(facts.SerializeAsString()), "bounded text is UTF-8");
  }
  agents::VerbRequest request;
  request.verb = model::v1::VERB_APPLY;
  request.action = bytes;
  request.params_json = bytes;
  const auto line = runner::RequestLine(request, {.host = bytes, .work_dir = "/run", .artifacts = {{bytes, bytes}}});
  if (!line.ok()) return;
  Check(line->find('\n') == std::string::npos, "a request is one line");
  Check(nlohmann::json::accept(*line), "a request is JSON");
}

}  // namespace
}  // namespace reprise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= reprise::fuzz::kInputMax) reprise::fuzz::Try(reprise::fuzz::AsText(data, size));
  return 0;
}
