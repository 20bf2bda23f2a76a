#include "plugins/edr/scan.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "plugins/edr/install.h"
#include "plugins/edr/profile.h"
#include "plugins/edr/protection.h"
#include "plugins/edr/tally.h"
#include "plugins/edr/walk.h"
#include "plugins/sdk/file.h"

namespace reprise::edr {
namespace {

using sdk::Error;

constexpr std::chrono::seconds kReserve(5);  // Before the deadline, so that what was found is still told.

// Why the sensor's OK would be worth nothing; empty if it is worth something.
std::string WhyNotTrusted(const sdk::Context& context, const Profile& profile, Sensor& sensor) {
  for (const auto& [path, lines] : profile.sensor.scan_requires) {
    const std::string text = "\n" + sdk::ReadFileIfThere(path).value_or("") + "\n";
    for (const std::string& line : lines) {
      if (text.find("\n" + line + "\n") == std::string::npos) {
        return path + " lacks the line " + line + ": its OK may mean that it did not look";
      }
    }
  }
  const Outcome eicar = AskForEicar(context, sensor, Through::kBytes);
  if (eicar.judgement == Judgement::kInfected) return "";
  return "EICAR is " + std::string(NameOf(eicar.judgement)) + (eicar.what.empty() ? "" : " (" + eicar.what + ")");
}

class Scanner {
 public:
  Scanner(const sdk::Context& context, const Profile& profile, Sensor& sensor, Tally& tally)
      : context_(context),
        sensor_(sensor),
        tally_(tally),
        files_max_(context.Param<int64_t>("max_files")),
        bytes_max_(context.Param<int64_t>("max_file_mb", profile.sensor.file_mb_max) << 20) {}

  void Run() {
    const WalkOptions options = {context_.Param<std::vector<std::string>>("exclude"),
                                 context_.Param<bool>("one_file_system")};
    Walk(context_.Param<std::vector<std::string>>("paths"), options,
         {.file = [this](const std::filesystem::path& path) { return File(path); },
          .unseen = [this](const std::filesystem::path& path,
                           const std::string& why) { tally_.Add(path, {Judgement::kNotScanned, why}); },
          .go_on = [this] { return GoOn("folders", true); }});
  }

 private:
  // False once the limits are reached; what comes after is then counted as one thing that was not scanned.
  bool GoOn(const std::string& where, bool quietly) {
    context_.ThrowIfCancelled();
    if (context_.TimeLeft() < kReserve) return Stop(where, "the time is over: this and all after it");
    if (!quietly && tally_.total() >= files_max_) return Stop(where, "max_files is reached: this and all after it");
    return !stopped_;
  }
  bool Stop(const std::string& where, const std::string& why) {
    if (!stopped_) tally_.Add(where, {Judgement::kNotScanned, why});
    stopped_ = true;
    return false;
  }

  bool File(const std::filesystem::path& path) {
    if (!GoOn(path, false)) return false;
    if (tally_.total() % 64 == 0) context_.Progress(-1, std::to_string(tally_.total()) + " files");
    tally_.Add(path, Ask(path));
    return true;
  }

  Outcome Ask(const std::filesystem::path& path) {
    const sdk::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK));
    if (!fd) return {Judgement::kNotScanned, std::strerror(errno)};
    struct stat found {};
    if (fstat(fd.get(), &found) != 0) return {Judgement::kNotScanned, std::strerror(errno)};
    if (!S_ISREG(found.st_mode)) return {Judgement::kNotScanned, "no regular file any more"};
    if (found.st_size > bytes_max_) {
      return {Judgement::kNotScanned, "larger than max_file_mb (" + std::to_string(bytes_max_ >> 20) + " MB)"};
    }
    return sensor_.ScanFile(fd.get(), path);
  }

  const sdk::Context& context_;
  Sensor& sensor_;
  Tally& tally_;
  const int64_t files_max_;
  const int64_t bytes_max_;
  bool stopped_ = false;
};

}  // namespace

sdk::ActionInfo Scan::Describe() const {
  return {.name = "scan",
          .summary = "Scan files with the running sensor; not scanned is never clean",
          .effect = sdk::Effect::kRead,
          .needs = {.root = true, .network = false, .paths = {}},
          .timeout = "4h",
          .memory_mb = 512,
          .params = {sdk::List("paths").Required().AtMost(64).About("Files and folders, absolute"),
                     sdk::List("exclude").Default(sdk::Json::array()).AtMost(256).About("Not looked at, with all below"),
                     sdk::Boolean("one_file_system").Default(false).About("Stay on the file system of each path"),
                     sdk::Integer("max_files").Range(1, 100'000'000).Default(1'000'000),
                     sdk::Integer("max_file_mb").Range(1, 2000).About("Larger files are not scanned; default: the profile's"),
                     sdk::Integer("shown_max").Range(1, 500).Default(50).About("Names in the evidence, of each kind"),
                     ProfileParam()}};
}

sdk::ProbeResult Scan::Probe(sdk::Context& context) {
  for (const char* list : {"paths", "exclude"}) {
    for (const std::string& path : context.Param<std::vector<std::string>>(list)) {
      if (sdk::IsPlainPath(path)) continue;
      throw Error("bad_params", std::string("parameter ") + list + " has " + path.substr(0, 80) +
                                    ", expected absolute paths without ..");
    }
  }
  const Profile profile = ProfileOf(context);
  const std::unique_ptr<Sensor> sensor = MakeSensor(context, profile.sensor);
  Tally tally(context.Param<size_t>("shown_max"));
  std::string version, distrust;
  try {
    version = sensor->Version();
    distrust = WhyNotTrusted(context, profile, *sensor);
    // A sensor that does not find EICAR finds nothing: the files are not even read.
    if (distrust.empty()) {
      Scanner(context, profile, *sensor, tally).Run();
      distrust = WhyNotTrusted(context, profile, *sensor);
      if (!distrust.empty()) distrust = "after the scan, " + distrust;
    }
  } catch (const Error& error) {
    if (error.code() == "cancelled") throw;
    distrust = error.what();
  }
  if (!distrust.empty()) tally.Distrust(distrust);
  const sdk::ClaimState state = tally.State();
  sdk::Json observed = tally.Observed();
  observed["version"] = version;
  return {.holds = state == sdk::ClaimState::kHolds,
          .summary = tally.Summary(),
          .observed = std::move(observed),
          .evidence = tally.Evidence(),
          .claims = {{kCleanClaim, state, tally.Summary()}}};
}

}  // namespace reprise::edr
