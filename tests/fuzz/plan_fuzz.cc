// Submitted plans (a PlanBundle): first as it came, then with its parts sealed again, so that what stands inside them is
// judged too, and not only their hashes. A plan that is taken is signed, started and carried out.
#include "core/engine/plan_index.h"
#include "core/model/plan_seal.h"

#include "core/crypto/sha256.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/ward.h"
#include "tests/fuzz/world.h"

namespace reprise::fuzz {
namespace {

// Hashes, root, counts and statement as the parts demand. False: the header is none.
bool Seal(plan::v1::PlanBundle& bundle) {
  plan::v1::PlanHeader header;
  if (!header.ParseFromString(bundle.header())) return false;
  header.set_annex_sha256(crypto::Sha256(bundle.annex()));
  bundle.set_header(header.SerializeAsString());
  const std::vector<std::string> leaves(bundle.leaves().begin(), bundle.leaves().end());
  bundle.set_statement(model::StatementOf(header, bundle.header(), leaves).Write().Bytes());
  return true;
}

void Submit(const plan::v1::PlanBundle& bundle) {
  const auto index = engine::PlanIndex::Read(bundle);
  if (!index.ok()) return;
  Check(index->leaves.size() == static_cast<size_t>(bundle.leaves_size()), "every leaf is read");
  for (uint32_t i = 0; i < index->leaves.size() && i < 8; ++i) {
    const plan::v1::PlanAuthority authority = index->AuthorityFor(i, {});
    Check(authority.leaf() == bundle.leaves(static_cast<int>(i)), "an agent is sent its own leaf");
  }
  Ward ward(TheWorld().state, TheWorld().sessions, TheWorld().now);
  operators::v1::SubmitPlanRequest request;
  *request.mutable_bundle() = bundle;
  const std::string before = ward.engine().Snapshot();
  if (!ward.Do(index->header.requester(), request).ok()) {
    // Time went on in the other runs; of this plan there must be nothing.
    Check(ward.events().empty() || ward.engine().Snapshot() != before, "an event changes the state");
    return ward.CheckReplay();
  }
  const std::string id = index->header.plan_id();
  for (const char* name : {"alice", "bob", "carol"}) {
    ward.Do(name, engine::Command::SignPlan{id, TheWorld().people.Sign(bundle.statement(), name)}).IgnoreError();
  }
  ward.Do(index->header.requester(), engine::Command::StartRun{id}).IgnoreError();
  ward.Obey(30);
  ward.Wake(20);
  ward.CheckReplay();
}

void Try(std::string_view bytes) {
  plan::v1::PlanBundle bundle;
  if (!bundle.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  Submit(bundle);
  const std::string as_it_came = Bytes(bundle);
  if (Seal(bundle) && Bytes(bundle) != as_it_came) Submit(bundle);
}

}  // namespace
}  // namespace reprise::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size <= reprise::fuzz::kInputMax) reprise::fuzz::Try(reprise::fuzz::AsText(data, size));
  return 0;
}
