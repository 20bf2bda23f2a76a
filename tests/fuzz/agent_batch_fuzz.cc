// What the agent of ws-001 may send (an AgentBatch): the coordinator's engine takes anything, in the middle of two runs;
// its journal replays to the same state, and it goes on with its work.
#include "tests/fuzz/target.h"
#include "tests/fuzz/ward.h"
#include "tests/fuzz/world.h"

namespace reprise::fuzz {
namespace {

void Try(std::string_view bytes) {
  agent::v1::AgentBatch batch;
  if (!batch.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  const std::string host = "ws-001";
  Ward ward(TheWorld().state, TheWorld().sessions, TheWorld().now);
  ward.Decide(engine::Tick{});
  for (const auto& message : batch.messages()) {
    if (message.has_hello()) {
      ward.Connect(host, message.hello());
    } else {
      ward.Decide(engine::AgentSaid{host, ward.SessionOf(host), message});
    }
  }
  ward.CheckReplay();
  ward.Obey(20);
  ward.Wake(10);
  ward.CheckReplay();
}

}  // namespace
}  // namespace reprise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= reprise::fuzz::kInputMax) reprise::fuzz::Try(reprise::fuzz::AsText(data, size));
  return 0;
}
