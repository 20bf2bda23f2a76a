#include "agents/engine/refusals.h"

#include "absl/strings/str_cat.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"

namespace reprise::agents {
namespace {

constexpr size_t kRefusalsMax = 256;
constexpr size_t kReasonBytesMax = 2048;
constexpr size_t kHintBytesMax = 1024;

}  // namespace

void Refusals::Refuse(const agent::v1::Task& task, const Refusal& refusal) {
  const agent::v1::TaskKey& key = task.key();
  agent::v1::Finished finished;
  *finished.mutable_key() = key;
  finished.set_outcome(model::v1::OUTCOME_REFUSED);
  finished.set_code(refusal.code);
  finished.set_reason(BoundedText(refusal.reason, kReasonBytesMax));
  finished.set_hint(BoundedText(refusal.hint, kHintBytesMax));
  finished.set_started_ms(desk_.now());
  if (said_.size() >= kRefusalsMax) said_.clear();
  said_[crypto::Sha256(task.SerializeAsString())] = finished;
  desk_.Say(finished);
  desk_.Note(absl::StrCat("refused (", refusal.code, "): ", Describe(key), ": ", refusal.reason));
}

bool Refusals::SayAgain(const agent::v1::Task& task) {
  if (said_.empty()) return false;  // As nearly always: a task may be megabytes.
  const auto refusal = said_.find(crypto::Sha256(task.SerializeAsString()));
  if (refusal == said_.end()) return false;
  desk_.Say(refusal->second);
  return true;
}

}  // namespace reprise::agents
