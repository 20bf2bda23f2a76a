#include "agents/runner/conformance/subject.h"

#include <condition_variable>
#include <future>
#include <optional>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"

namespace reprise::conformance {
namespace {

using agents::VerbEnd;
using nlohmann::json;
using Steady = std::chrono::steady_clock;

constexpr std::chrono::minutes kVerbTime(5);
constexpr size_t kHeardMax = 64 << 20;

}  // namespace

struct Subject::Pending {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<agents::VerbResult> result;
  uint64_t id = 0;
  Steady::time_point begin = Steady::now();
};

std::string Ran::Shown() const {
  switch (result.end) {
    case VerbEnd::kDone: return "done";
    case VerbEnd::kError: return absl::StrCat("error ", result.code, ": ", result.message);
    case VerbEnd::kTimedOut: return "took longer than 5 minutes";
    case VerbEnd::kCancelled: return "ended on request";
    case VerbEnd::kRefused: return result.message;
    case VerbEnd::kCrashed: break;
  }
  return absl::StrCat("crashed: ", result.message);
}

Subject::Subject(const Root& root, const std::string& sha256) : sha256_(sha256) {
  options_.plugin_host = root.kit() / kPluginHostFile;
  options_.cache = root.kit() / "cache";
  options_.work = root.kit() / "work";
  options_.host = "conformance";
  options_.every_verb_writes = root.is_throwaway();
  options_.on_log = [this](int, const std::string& text) { Hear(text); };
  std::filesystem::create_directories(options_.cache);
  const std::filesystem::path cached = options_.cache / ToHex(sha256);
  if (!std::filesystem::exists(cached)) std::filesystem::rename(root.kit() / kPluginFile, cached);
  for (const auto& entry : std::filesystem::directory_iterator(root.kit())) {
    const std::string file = entry.path().filename();
    if (file.rfind(kArtifactPrefix, 0) != 0) continue;
    const absl::StatusOr<std::string> hash = crypto::Sha256OfFile(entry.path());
    if (!hash.ok()) throw std::runtime_error(std::string(hash.status().message()));
    std::filesystem::copy_file(entry.path(), options_.cache / ToHex(*hash),
                               std::filesystem::copy_options::overwrite_existing);
    artifacts_.emplace_back(file.substr(std::string_view(kArtifactPrefix).size()), *hash);
  }
  MakeRunner();
}

void Subject::MakeRunner() {
  auto made = runner::ProcessRunner::Create(options_);
  if (!made.ok()) throw std::runtime_error(std::string(made.status().message()));
  runner_ = *std::move(made);
}

void Subject::Hear(const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (heard_.size() < kHeardMax) heard_ += text + "\n";
}

std::string Subject::heard() const {
  const std::lock_guard lock(mutex_);
  return heard_;
}

std::shared_ptr<Subject::Pending> Subject::Start(model::v1::Verb verb, const std::string& action, const json& params) {
  auto pending = std::make_shared<Pending>();
  agents::VerbRequest request;
  request.id = pending->id = next_id_++;
  request.verb = verb;
  request.plugin_sha256 = sha256_;
  request.action = action;
  request.artifacts = artifacts_;
  request.params_json = params.dump(-1, ' ', false, json::error_handler_t::replace);
  request.deadline = SystemClock().Now() + std::chrono::milliseconds(kVerbTime).count();
  runner_->Start(
      request, [this](agents::VerbProgress progress) { Hear(progress.text); },
      [this, pending](agents::VerbResult result) {
        Hear(absl::StrCat(result.result_json, "\n", result.code, "\n", result.message, "\n", result.hint));
        const std::lock_guard lock(pending->mutex);
        pending->result = std::move(result);
        pending->changed.notify_all();
      });
  return pending;
}

Ran Subject::Wait(const std::shared_ptr<Pending>& pending) {
  std::unique_lock lock(pending->mutex);
  pending->changed.wait(lock, [&] { return pending->result.has_value(); });
  Ran ran{*pending->result, std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - pending->begin), {}};
  if (ran.done()) ran.answer = json::parse(ran.result.result_json, nullptr, false);
  return ran;
}

Ran Subject::Run(model::v1::Verb verb, const std::string& action, const json& params) {
  return Wait(Start(verb, action, params));
}

Ran Subject::RunAndCancel(model::v1::Verb verb, const std::string& action, const json& params,
                          std::chrono::milliseconds delay) {
  const auto pending = Start(verb, action, params);
  {
    std::unique_lock lock(pending->mutex);
    pending->changed.wait_for(lock, delay, [&] { return pending->result.has_value(); });
  }
  pending->begin = Steady::now();  // What counts is the time from the request to the end.
  runner_->Kill(pending->id);
  return Wait(pending);
}

bool Subject::RunAndKill(model::v1::Verb verb, const std::string& action, const json& params,
                         std::chrono::milliseconds delay) {
  const auto pending = Start(verb, action, params);
  bool ended;
  {
    std::unique_lock lock(pending->mutex);
    ended = pending->changed.wait_for(lock, delay, [&] { return pending->result.has_value(); });
  }
  runner_.reset();  // As when the agent is killed.
  MakeRunner();
  return !ended;
}

std::string Subject::Describe(std::string& why_not) {
  std::promise<absl::StatusOr<std::string>> described;
  runner_->Describe(sha256_, [&](absl::StatusOr<std::string> text) { described.set_value(std::move(text)); });
  const absl::StatusOr<std::string> text = described.get_future().get();
  if (!text.ok()) why_not = std::string(text.status().message());
  return text.ok() ? *text : "";
}

}  // namespace reprise::conformance
