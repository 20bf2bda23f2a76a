#include "plugins/edr/outcome.h"

#include <algorithm>

namespace reprise::edr {
namespace {

std::string Bounded(std::string_view text) { return std::string(text.substr(0, 200)); }

}  // namespace

std::string_view NameOf(Judgement judgement) {
  switch (judgement) {
    case Judgement::kClean: return "clean";
    case Judgement::kInfected: return "infected";
    case Judgement::kNotScanned: break;
  }
  return "not_scanned";
}

Outcome Found(const std::string& name, const SensorRule& rule) {
  for (const std::string& pattern : rule.not_scanned_names) {
    if (Matches(pattern, name)) return {Judgement::kNotScanned, name};
  }
  return {Judgement::kInfected, name.empty() ? "(no name)" : name};
}

Outcome Judged(const sdk::ClamdReply& reply, const SensorRule& rule) {
  switch (reply.what) {
    case sdk::ClamdReply::kOk: return {Judgement::kClean, ""};
    case sdk::ClamdReply::kFound: return Found(reply.name, rule);
    case sdk::ClamdReply::kOther: return {Judgement::kNotScanned, reply.name};
    case sdk::ClamdReply::kNothing: break;
  }
  return {Judgement::kNotScanned, "the daemon ended the connection without an answer"};
}

Outcome ReadCommandResult(const sdk::RunResult& result, const SensorRule& rule) {
  const auto among = [&](const std::vector<int>& exits) {
    return std::find(exits.begin(), exits.end(), result.exit_code) != exits.end();
  };
  if (result.timed_out || result.signal != 0 || result.exit_code < 0) return {Judgement::kNotScanned, result.Why()};
  if (among(rule.infected_exits)) {
    const size_t before = result.out.find(rule.found_before);
    if (before == std::string::npos) return {Judgement::kInfected, "(no name)"};
    const size_t after = result.out.rfind(rule.found_after, before);
    const size_t begin = after == std::string::npos ? before : after + rule.found_after.size();
    return Found(Bounded(std::string_view(result.out).substr(begin, begin > before ? 0 : before - begin)), rule);
  }
  // A sensor that calls something found in words is not taken to be clean by its number.
  if (among(rule.clean_exits) && result.out.find(rule.found_before) == std::string::npos) {
    return {Judgement::kClean, ""};
  }
  return {Judgement::kNotScanned, result.Why()};
}

}  // namespace reprise::edr
