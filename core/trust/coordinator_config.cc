#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/crypto/utf8.h"
#include "core/trust/coordinator_folder.h"

namespace reprise::trust {
namespace {

using nlohmann::json;

const std::vector<std::string>& Fields() {
  static const std::vector<std::string> fields = {"site",        "listen", "web_listen",
                                                  "join_listen", "names",  "bandwidth_bytes_per_s"};
  return fields;
}

absl::Status Wrong(std::string_view field, std::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("coordinator.json: \"", std::string(field), "\": expected ", std::string(expected)));
}

absl::Status ReadText(const json& object, const char* field, std::string* text) {
  if (!object.contains(field)) return absl::OkStatus();
  if (!object[field].is_string()) return Wrong(field, "a text");
  *text = object[field].get<std::string>();
  return absl::OkStatus();
}

absl::Status CheckAddress(const char* field, const std::string& address) {
  const size_t colon = address.rfind(':');
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  const bool digits = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
  if (colon == 0 || !digits || std::stoul(port) > 65535) return Wrong(field, "HOST:PORT, like 0.0.0.0:7443");
  return absl::OkStatus();
}

}  // namespace

std::string CoordinatorConfig::Json() const {
  const nlohmann::ordered_json object = {{"site", site},
                                         {"listen", listen},
                                         {"web_listen", web_listen},
                                         {"join_listen", join_listen},
                                         {"names", names},
                                         {"bandwidth_bytes_per_s", bandwidth_bytes_per_s}};
  return object.dump(2) + "\n";
}

absl::StatusOr<CoordinatorConfig> CoordinatorConfig::Parse(std::string_view text) {
  const json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return absl::InvalidArgumentError("coordinator.json: not a JSON object");
  for (const auto& [field, value] : object.items()) {
    if (std::find(Fields().begin(), Fields().end(), field) != Fields().end()) continue;
    const std::string nearest = NearestName(field, Fields());
    return absl::InvalidArgumentError(
        absl::StrCat("coordinator.json: unknown field \"", crypto::MakePlain(field.substr(0, 80)), "\"",
                     nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?")));
  }
  CoordinatorConfig config;
  RETURN_IF_ERROR(ReadText(object, "site", &config.site));
  RETURN_IF_ERROR(ReadText(object, "listen", &config.listen));
  RETURN_IF_ERROR(ReadText(object, "web_listen", &config.web_listen));
  RETURN_IF_ERROR(ReadText(object, "join_listen", &config.join_listen));
  if (config.site.empty()) return Wrong("site", "the site's name");
  RETURN_IF_ERROR(CheckAddress("listen", config.listen));
  RETURN_IF_ERROR(CheckAddress("web_listen", config.web_listen));
  RETURN_IF_ERROR(CheckAddress("join_listen", config.join_listen));
  if (object.contains("names")) {
    if (!object["names"].is_array()) return Wrong("names", "a list of DNS names and addresses");
    for (const json& name : object["names"]) {
      if (!name.is_string()) return Wrong("names", "a list of DNS names and addresses");
      config.names.push_back(name.get<std::string>());
    }
  }
  if (object.contains("bandwidth_bytes_per_s")) {
    if (!object["bandwidth_bytes_per_s"].is_number_unsigned()) {
      return Wrong("bandwidth_bytes_per_s", "a number of bytes, 0 for no cap");
    }
    config.bandwidth_bytes_per_s = object["bandwidth_bytes_per_s"].get<uint64_t>();
  }
  return config;
}

}  // namespace reprise::trust
