#include "agents/runner/verb_json.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "agents/runner/bounded_json.h"
#include "agents/runner/spawn.h"
#include "core/base/text.h"

namespace reprise::runner {
namespace {

using agents::VerbEnd;
using agents::VerbResult;
using nlohmann::json;

constexpr size_t kMessageMax = 1024;

std::string TextAt(const json& object, const char* key, size_t max) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? Plain(found->get_ref<const std::string&>(), max) : "";
}

VerbResult Ended(uint64_t id, VerbEnd end, std::string code, std::string message) {
  VerbResult result;
  result.id = id;
  result.end = end;
  result.code = std::move(code);
  result.message = Plain(message, kMessageMax);
  return result;
}

VerbResult ReadResult(uint64_t id, const std::string& text) {
  VerbResult result;
  result.id = id;
  const json object = json::parse(text, nullptr, false);
  const auto error = object.find("error");
  if (error == object.end()) {
    result.end = VerbEnd::kDone;
    result.result_json = text;
    return result;
  }
  result.end = VerbEnd::kError;
  if (error->is_object()) {
    result.code = TextAt(*error, "code", 64);
    result.message = TextAt(*error, "message", kMessageMax);
    result.hint = TextAt(*error, "hint", kMessageMax);
  }
  if (result.code.empty()) result.code = "plugin_error";
  return result;
}

}  // namespace

absl::StatusOr<std::map<std::string, ActionTraits>> ReadTraits(const std::string& descriptor) {
  const json object = json::parse(descriptor, nullptr, false);
  const auto actions = object.is_object() ? object.find("actions") : object.end();
  if (!object.is_object() || actions == object.end() || !actions->is_array()) {
    return absl::InvalidArgumentError("the plugin's descriptor has no list \"actions\"");
  }
  std::map<std::string, ActionTraits> traits;
  for (const json& action : *actions) {
    if (!action.is_object() || TextAt(action, "name", 128).empty()) {
      return absl::InvalidArgumentError("the plugin's descriptor has an action without a name");
    }
    ActionTraits& one = traits[TextAt(action, "name", 128)];
    const std::string effect = TextAt(action, "effect", 16);
    one.reads_only = effect == "read";
    if (effect == "read") one.effect = model::v1::EFFECT_READ;
    if (effect == "change") one.effect = model::v1::EFFECT_CHANGE;
    const auto restores = action.find("restores");
    one.restores = restores != action.end() && *restores != false;
    if (const auto needs = action.find("needs"); needs != action.end() && needs->is_object()) {
      const auto says = [&](const char* key) {
        const auto found = needs->find(key);
        return found != needs->end() && found->is_boolean() && found->get<bool>();
      };
      one.network = says("network");
      one.processes = says("processes");
    }
    if (const auto memory = action.find("memory_mb"); memory != action.end() && memory->is_number_integer()) {
      one.memory_mb = static_cast<int>(std::clamp<int64_t>(memory->get<int64_t>(), 0, 1 << 20));
    }
  }
  return traits;
}

absl::StatusOr<std::string> RequestLine(const agents::VerbRequest& request, const VerbSurroundings& surroundings) {
  const std::string params = request.params_json.empty() ? "{}" : request.params_json;
  if (!WhyNotAResult(params).empty()) {
    return absl::InvalidArgumentError("the parameters are no JSON object, or too large, or deeper than 64");
  }
  const json line = {{"verb", std::string(NameOf(request.verb))},
                     {"action", request.action},
                     {"params", json::parse(params)},
                     {"artifacts", surroundings.artifacts},
                     {"work_dir", surroundings.work_dir},
                     {"host", surroundings.host},
                     {"attempt", request.attempt},
                     {"deadline_ms", request.deadline}};
  return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool Writes(model::v1::Verb verb) { return verb == model::v1::VERB_APPLY || verb == model::v1::VERB_ROLLBACK; }

std::string_view NameOf(model::v1::Verb verb) {
  switch (verb) {
    case model::v1::VERB_PROBE: return "probe";
    case model::v1::VERB_PLAN: return "plan";
    case model::v1::VERB_APPLY: return "apply";
    case model::v1::VERB_VERIFY: return "verify";
    case model::v1::VERB_ROLLBACK: return "rollback";
    default: return "unknown";
  }
}

std::string Plain(std::string_view text, size_t max) {
  std::string plain = BoundedText(text, max);
  for (char& c : plain) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  while (!plain.empty() && plain.back() == ' ') plain.pop_back();
  return plain;
}

VerbResult ReadTranscript(uint64_t id, const Transcript& heard) {
  if (!heard.refused.empty()) return Ended(id, VerbEnd::kRefused, "refused", heard.refused);
  if (heard.flooded) {
    return Ended(id, VerbEnd::kCrashed, "crashed", "the plugin said more than 8 MiB and was killed");
  }
  if (!heard.ended || heard.exit_status != 0) {
    const std::string tail = Plain(heard.output, 400);
    return Ended(id, VerbEnd::kCrashed, "crashed",
                 absl::StrCat("the plugin's process ended before its answer was complete: ",
                              DescribeExit(heard.exit_status), tail.empty() ? "" : "; it said last: ", tail));
  }
  if (!heard.bad_result.empty()) return Ended(id, VerbEnd::kError, "bad_result", heard.bad_result);
  if (!heard.result.empty()) return ReadResult(id, heard.result);
  if (heard.returned != 0) {
    return Ended(id, VerbEnd::kError, "plugin_error",
                 absl::StrCat("the plugin returned ", heard.returned, " (", strerror(heard.returned), ") and no answer"));
  }
  return Ended(id, VerbEnd::kError, "bad_result", "the plugin returned without an answer");
}

}  // namespace reprise::runner
