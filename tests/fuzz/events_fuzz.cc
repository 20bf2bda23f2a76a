// Records of a journal: events, each behind its length, folded into an engine in the middle of two runs. An event is legal
// or it is refused; a refused one ends the replay, as it does at a start.
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/delimited_message_util.h>

#include "tests/fuzz/target.h"
#include "tests/fuzz/ward.h"
#include "tests/fuzz/world.h"

namespace reprise::fuzz {
namespace {

void Try(std::string_view bytes) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  auto engine = engine::Engine::Restore(TheWorld().state);
  bool clean_end = false;
  journal::v1::Event event;
  while (google::protobuf::util::ParseDelimitedFromZeroCopyStream(&event, &stream, &clean_end)) {
    const uint64_t count = engine->state().events();
    const absl::Status status = engine->Apply(event);
    if (!status.ok()) {
      Check(absl::IsDataLoss(status), "an event that is not legal is DATA_LOSS", status.ToString());
      Check(engine->state().events() == count, "a refused event does not count");
      return;
    }
    Check(engine->state().events() == count + 1, "a legal event counts");
    event.Clear();
  }
  Ward ward(*std::move(engine), TheWorld().now);
  auto restored = engine::Engine::Restore(ward.engine().state());
  Check(restored.ok(), "what events made can be saved and restored", restored.status().ToString());
  Check(restored->Snapshot() == ward.engine().Snapshot(), "a restored engine equals the one that was saved");
  ward.Decide(engine::Started{"test"});
  ward.Wake(10);
  ward.CheckReplay();
}

}  // namespace
}  // namespace reprise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= reprise::fuzz::kInputMax) reprise::fuzz::Try(reprise::fuzz::AsText(data, size));
  return 0;
}
