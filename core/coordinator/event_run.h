// Which run an event belongs to.
#pragma once

#include "reprise/journal/v1/event.pb.h"

namespace reprise::coordinator {

// 0: none.
inline uint64_t RunOf(const journal::v1::Event& event) {
  const auto* oneof = event.GetDescriptor()->oneof_decl(0);
  const auto* kind = event.GetReflection()->GetOneofFieldDescriptor(event, oneof);
  if (kind == nullptr) return 0;
  const auto* run = kind->message_type()->FindFieldByName("run");
  if (run == nullptr) return 0;
  const auto& body = event.GetReflection()->GetMessage(event, kind);
  return body.GetReflection()->GetUInt64(body, run);
}

}  // namespace reprise::coordinator
