// Any message of the project as JSON, with the field names of the .proto files; and a program that takes orders, one JSON
// object a line, and answers each with one line. What the helper programs of these tests have in common.
#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace reprise::integration {

absl::StatusOr<nlohmann::json> AsJson(const google::protobuf::Message& message);
absl::Status FromJson(const nlohmann::json& object, google::protobuf::Message& message);
// NOT_FOUND: this program does not have a message of that name.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> NewMessage(const std::string& name);

// One line on stdout, whole. Any thread.
void Tell(const nlohmann::json& line);

// Carries out an order: {"do":"…",…}.
using Doer = std::function<absl::StatusOr<nlohmann::json>(const nlohmann::json& order)>;
// Until stdin ends: each order by `doer`, besides "encode" and "decode", which every such program knows:
//   {"do":"encode","message":"reprise.plan.v1.HostLeaf","json":{…}}   -> "bytes" in base64
//   {"do":"decode","message":"reprise.plan.v1.HostLeaf","bytes":"…"}  -> "json"
// Answers are {"is":"answer","ok":true,…} or {"is":"answer","ok":false,"error":"…"}.
void ObeyStdin(const Doer& doer);

}  // namespace reprise::integration
