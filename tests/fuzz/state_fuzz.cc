// Snapshots (a State): an engine that was restored says the same state again, or it was refused. Whether it can go on is not
// asked: a snapshot that passes its hash was written by the engine itself.
#include "core/engine/engine.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/world.h"

namespace reprise::fuzz {
namespace {

void Try(std::string_view bytes) {
  journal::v1::State state;
  if (!state.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  auto engine = engine::Engine::Restore(state);
  if (!engine.ok()) {
    Check(absl::IsDataLoss(engine.status()), "a snapshot that makes no sense is DATA_LOSS", engine.status().ToString());
    return;
  }
  Check(engine->Snapshot() == Bytes(state), "a restored engine holds the state that was given");
}

}  // namespace
}  // namespace reprise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= reprise::fuzz::kInputMax) reprise::fuzz::Try(reprise::fuzz::AsText(data, size));
  return 0;
}
