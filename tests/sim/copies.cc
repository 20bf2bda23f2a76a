#include "tests/sim/copies.h"

#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "core/model/restoring.h"

namespace reprise::sim {
namespace {

using nlohmann::json;
namespace v1 = ::reprise::model::v1;

constexpr char kSet[] = "pay";

struct Copy {
  const char* point;
  v1::BackupVerdict verdict;
};
constexpr Copy kCopies[] = {{"monday", v1::BACKUP_VERDICT_INTACT},
                            {"tuesday", v1::BACKUP_VERDICT_INTACT_SAMPLED},
                            {"wednesday", v1::BACKUP_VERDICT_CORRUPT}};

std::string ManifestOf(const Copy& copy) { return crypto::Sha256(copy.point); }
std::string OtherManifest() { return crypto::Sha256("other bytes"); }

}  // namespace

void RestoreFromSomeCopy(Clockwork& clockwork, plan::v1::Step& step) {
  const int64_t which = clockwork.Between(0, 9);
  const Copy& copy = kCopies[which < 6 ? 0 : which < 9 ? 1 : 2];
  plan::v1::RecoveryPoint& point = *step.mutable_recovery_point();
  point.set_set(kSet);
  point.set_point(copy.point);
  point.set_manifest_sha256(ManifestOf(copy));
  point.set_verdict(copy.verdict);
  point.set_trust(v1::POINT_TRUST_BEFORE_COMPROMISE);
  point.set_taken_ms(1000);
  point.set_compromised_ms(2000);
  point.set_judged_by(kReader);
  point.set_judged_ms(3000);
  if (copy.verdict == v1::BACKUP_VERDICT_INTACT_SAMPLED) {
    // Alice signs plans; bob asks for them; carol signs none.
    const char* const kDeciders[] = {"alice", "alice", "alice", "bob", "carol"};
    plan::v1::Concession& concession = *point.mutable_concession();
    concession.set_name("C-1");
    concession.add_allows(v1::ALLOWANCE_SAMPLED);
    concession.set_decided_by(kDeciders[clockwork.Between(0, 4)]);
    concession.set_reason("there is no other");
    concession.set_compensating("checked by hand");
    concession.set_expires_ms((clockwork.now() + clockwork.Between(60, 3600) * 1000) / 1000 * 1000);
  }
  const bool as_judged = clockwork.Chance(0.9);
  step.set_params_json(
      json{{"mode", "ok"}, {model::kManifestParam, ToHex(as_judged ? ManifestOf(copy) : OtherManifest())}}.dump());
}

std::string JudgeCopies(Clockwork& clockwork, double otherwise) {
  json verdicts = json::array();
  for (const Copy& copy : kCopies) {
    v1::BackupVerdict verdict = copy.verdict;
    std::string manifest = ManifestOf(copy);
    if (clockwork.Strikes("copy judged otherwise", otherwise)) {
      if (clockwork.Chance(0.5)) {
        manifest = OtherManifest();
      } else {
        verdict = copy.verdict == v1::BACKUP_VERDICT_INTACT ? v1::BACKUP_VERDICT_ENCRYPTED_PARTIAL
                                                            : v1::BACKUP_VERDICT_INTACT;
      }
    }
    verdicts.push_back({{"set", kSet},
                        {"point", copy.point},
                        {"verdict", model::WordOf(verdict)},
                        {"manifest_sha256", ToHex(manifest)}});
  }
  return verdicts.dump();
}

}  // namespace reprise::sim
