#include "plugins/backup/worker/job.h"

#include <nlohmann/json.hpp>

namespace reprise::backup {
namespace {

using nlohmann::json;

// Names in evidence may be bytes that are no text.
std::string Line(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string Sent(const Job& job) {
  std::string text;
  for (const std::string* field : {&job.kind, &job.path, &job.name, &job.digest}) {
    text += *field;
    text += '\0';
  }
  return text;
}

std::string Sent(const RepositoryOutcome& result) {
  json findings = json::array();
  for (const Finding& finding : result.outcome.findings) {
    findings.push_back({static_cast<int>(finding.sign), finding.file, finding.offset, finding.expected, finding.found});
  }
  const Extent& extent = result.outcome.extent;
  return Line({{"format", result.outcome.format},
               {"extent", {extent.bytes, extent.decoded, extent.checked}},
               {"findings", std::move(findings)},
               {"needs", result.outcome.needs},
               {"files", result.files},
               {"complete", result.complete}});
}

std::string SentProgress(uint64_t bytes) {
  return Line({{"read", bytes}});
}

std::optional<Answer> ParseAnswer(std::string_view line) {
  // The child has seen hostile bytes: its words are checked like anyone's.
  const json value = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) return std::nullopt;
  Answer answer;
  try {
    if (value.contains("read")) {
      answer.read = value.at("read").get<uint64_t>();
      return answer;
    }
    RepositoryOutcome result;
    result.outcome.format = value.at("format").get<std::string>();
    const auto extent = value.at("extent").get<std::vector<uint64_t>>();
    if (extent.size() != 3) return std::nullopt;
    result.outcome.extent = {extent[0], extent[1], extent[2]};
    for (const json& finding : value.at("findings")) {
      const int sign = finding.at(0).get<int>();
      if (sign < 0 || sign >= kSigns) return std::nullopt;
      result.outcome.findings.push_back({static_cast<Sign>(sign), finding.at(1).get<std::string>(),
                                         finding.at(2).get<uint64_t>(), finding.at(3).get<std::string>(),
                                         finding.at(4).get<std::string>()});
    }
    result.outcome.needs = value.at("needs").get<std::vector<std::string>>();
    result.files = value.at("files").get<uint64_t>();
    result.complete = value.at("complete").get<bool>();
    answer.result = std::move(result);
  } catch (const json::exception&) {
    return std::nullopt;
  }
  return answer;
}

}  // namespace reprise::backup
