// The coordinator as commands see it: the methods of OperatorService (proto/reprise/operators/v1), without gRPC.
// Blocking; one call at a time. Behind it stands gRPC (grpc_client.h), or a table of answers in tests.
// Errors: UNAVAILABLE (not reached), UNAUTHENTICATED, DEADLINE_EXCEEDED, or the coordinator's own.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "reprise/operators/v1/operators.pb.h"

namespace reprise::cli {

namespace ops = operators::v1;

class Client {
 public:
  virtual ~Client() = default;

  // Gives the next part of a file, empty at its end.
  using NextChunk = std::function<absl::StatusOr<std::string>()>;

  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(const std::string& method, const Request& request) {
    Response response;
    if (absl::Status status = DoCall(method, request, &response); !status.ok()) return status;
    return response;
  }
  // Until the coordinator ends it, `on_message` gives false (OK), or an error.
  template <typename Response, typename Request>
  absl::Status Watch(const std::string& method, const Request& request,
                     const std::function<bool(const Response&)>& on_message) {
    Response response;
    return DoWatch(method, request, &response, [&] { return on_message(response); });
  }
  virtual absl::StatusOr<ops::BlobList> Upload(const plan::v1::BlobInfo& info, const NextChunk& next) = 0;

 protected:
  using Message = google::protobuf::Message;
  virtual absl::Status DoCall(const std::string& method, const Message& request, Message* response) = 0;
  // Fills `response` anew before each `on_message`.
  virtual absl::Status DoWatch(const std::string& method, const Message& request, Message* response,
                               const std::function<bool()>& on_message) = 0;
};

}  // namespace reprise::cli
