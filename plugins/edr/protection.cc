#include "plugins/edr/protection.h"

#include <system_error>

#include "plugins/edr/eicar.h"
#include "plugins/sdk/file.h"

namespace reprise::edr {
namespace {

using sdk::ClaimState;
using sdk::Error;

Outcome Ask(const sdk::Context& context, Sensor& sensor, Through through, const std::string& content) {
  if (through == Through::kBytes) return sensor.ScanBytes(content);
  const std::filesystem::path path = context.work_dir() / "content-to-find";
  sdk::WriteFileAtomically(path, content);
  const sdk::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const Outcome outcome = fd ? sensor.ScanFile(fd.get(), path) : Outcome{Judgement::kNotScanned, "it cannot be opened"};
  sdk::RemoveFile(path);
  return outcome;
}

std::string Shown(const Outcome& outcome) {
  return std::string(NameOf(outcome.judgement)) + (outcome.what.empty() ? "" : ": " + outcome.what);
}

// Fills in what `sensor` shows of itself.
void Examine(const sdk::Context& context, Sensor& sensor, Through through, Protection& proof) {
  proof.version = sensor.Version();
  proof.evidence.push_back({"sensor", "version: " + proof.version});
  const Outcome eicar = AskForEicar(context, sensor, through);
  proof.evidence.push_back({"sensor", "EICAR: " + Shown(eicar)});
  const Outcome harmless = Ask(context, sensor, through, kHarmless);
  proof.evidence.push_back({"sensor", "harmless content: " + Shown(harmless)});
  if (eicar.judgement == Judgement::kNotScanned) {
    proof.detail = "EICAR was not scanned: " + eicar.what;
  } else if (eicar.judgement == Judgement::kClean) {
    proof.state = ClaimState::kFails;
    proof.detail = "it lets EICAR pass (" + proof.version + ")";
  } else if (harmless.judgement == Judgement::kNotScanned) {
    proof.detail = "harmless content was not scanned: " + harmless.what;
  } else if (harmless.judgement == Judgement::kInfected) {
    proof.state = ClaimState::kFails;
    proof.detail = "it calls harmless content infected (" + harmless.what + ")";
  } else {
    proof.state = ClaimState::kHolds;
    proof.detail = proof.version + ", finds EICAR as " + eicar.what;
  }
}

}  // namespace

Outcome AskForEicar(const sdk::Context& context, Sensor& sensor, Through through) {
  return Ask(context, sensor, through, Eicar());
}

Protection Prove(const sdk::Context& context, const Profile& profile, Through through) {
  Protection proof;
  try {
    if (!profile.signatures_folder.empty()) {
      proof.base = ReadSignatureBase(profile);
      proof.evidence.push_back({"file", profile.signatures_folder + ": " + Describe(proof.base)});
    }
    Examine(context, *MakeSensor(context, profile.sensor), through, proof);
    if (proof.holds() && !profile.signatures_folder.empty()) proof.detail += "; " + Describe(proof.base);
  } catch (const Error& error) {
    if (error.code() == "cancelled") throw;
    // Nobody there protects nobody; whoever is there and does not answer may.
    proof.state = error.code() == "sensor_absent" ? ClaimState::kFails : ClaimState::kUnknown;
    proof.detail = error.what();
    proof.evidence.push_back({"sensor", error.what()});
  } catch (const std::system_error& error) {
    proof.state = ClaimState::kUnknown;
    proof.detail = error.what();
  }
  return proof;
}

}  // namespace reprise::edr
