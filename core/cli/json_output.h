// Messages as JSON for programs. The schema is that of the messages in proto/: fields by their original names, all of them
// always present (except messages that are not set: null), enumerations as the lower-case words of the vocabulary, 64-bit
// numbers as numbers, hashes and nonces in hex, the texts that people sign as text, other bytes in base64.
// Fields are only ever added (docs/OPERATIONS.md).
#pragma once

#include <google/protobuf/message.h>

#include <nlohmann/json.hpp>

namespace reprise::cli {

using Json = nlohmann::ordered_json;

Json ToJson(const google::protobuf::Message& message);

}  // namespace reprise::cli
