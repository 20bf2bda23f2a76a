#include "tests/integration/json_messages.h"

#include <google/protobuf/util/json_util.h>

#include <iostream>
#include <mutex>

#include "core/base/status_macros.h"
#include "core/base/text.h"

namespace reprise::integration {

using google::protobuf::Message;
using nlohmann::json;

absl::StatusOr<json> AsJson(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  if (auto status = google::protobuf::util::MessageToJsonString(message, &text, options); !status.ok()) {
    return absl::InvalidArgumentError(std::string(status.message()));
  }
  return json::parse(text);
}

absl::Status FromJson(const json& object, Message& message) {
  const auto status = google::protobuf::util::JsonStringToMessage(object.dump(), &message);
  return status.ok() ? absl::OkStatus() : absl::InvalidArgumentError(std::string(status.message()));
}

absl::StatusOr<std::unique_ptr<Message>> NewMessage(const std::string& name) {
  const auto* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  if (type == nullptr) return absl::NotFoundError("no message " + name);
  return std::unique_ptr<Message>(google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

void Tell(const json& line) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  std::cout << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n' << std::flush;
}

namespace {

absl::StatusOr<json> Encode(const json& order) {
  ASSIGN_OR_RETURN(const auto message, NewMessage(order.at("message")));
  RETURN_IF_ERROR(FromJson(order.at("json"), *message));
  return json{{"bytes", ToBase64(message->SerializeAsString())}};
}

absl::StatusOr<json> Decode(const json& order) {
  ASSIGN_OR_RETURN(const auto message, NewMessage(order.at("message")));
  ASSIGN_OR_RETURN(const std::string bytes, FromBase64(order.at("bytes").get<std::string>()));
  if (!message->ParseFromString(bytes)) return absl::InvalidArgumentError("not such a message");
  ASSIGN_OR_RETURN(const json object, AsJson(*message));
  return json{{"json", object}};
}

absl::StatusOr<json> Obey(const json& order, const Doer& doer) {
  if (!order.is_object()) return absl::InvalidArgumentError("not a JSON object");
  try {
    const std::string what = order.value("do", "");
    return what == "encode" ? Encode(order) : what == "decode" ? Decode(order) : doer(order);
  } catch (const json::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

}  // namespace

void ObeyStdin(const Doer& doer) {
  for (std::string line; std::getline(std::cin, line);) {
    const absl::StatusOr<json> answer = Obey(json::parse(line, nullptr, /*allow_exceptions=*/false), doer);
    json said = answer.ok() ? *answer : json{{"error", std::string(answer.status().message())}};
    said["is"] = "answer";
    said["ok"] = answer.ok();
    Tell(said);
  }
}

}  // namespace reprise::integration
