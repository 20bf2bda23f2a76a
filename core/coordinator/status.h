// absl's status as gRPC's. The one place of this conversion; the codes are the same by definition.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/text.h"

namespace reprise::coordinator {

// A message may repeat what was asked, at any length, and travels as a header, of which peers take 8 kB, written threefold
// where it is not ASCII: of a long one both ends are kept, for the end says what to try.
inline std::string ForPeers(std::string_view message) {
  constexpr size_t kEndBytes = 1 << 10;
  if (message.size() <= 2 * kEndBytes) return BoundedText(message, message.size());
  std::string_view end = message.substr(message.size() - kEndBytes);
  while (!end.empty() && (static_cast<unsigned char>(end.front()) & 0xc0) == 0x80) end.remove_prefix(1);
  return absl::StrCat(BoundedText(message, kEndBytes), " [… ", message.size() - kEndBytes - end.size(), " bytes …] ",
                      BoundedText(end, end.size()));
}

inline grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      ForPeers({status.message().data(), status.message().size()}));
}

}  // namespace reprise::coordinator
