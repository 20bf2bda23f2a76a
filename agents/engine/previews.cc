#include "agents/engine/previews.h"

#include <nlohmann/json.hpp>

#include "agents/engine/judge.h"
#include "agents/engine/report.h"
#include "core/base/text.h"

namespace reprise::agents {
namespace {

constexpr size_t kQueueMax = 64;
constexpr int64_t kTimeoutMs = 60 * 1000;

}  // namespace

void Previews::OnRequest(const agent::v1::PreviewRequest& request) {
  for (int i = 0; i < request.steps_size(); ++i) {
    Job job{request.request(), static_cast<uint32_t>(i), request.steps(i)};
    if (desk_.memory().stop().active()) {
      AnswerError(job, "stopped", "emergency stop");
    } else if (job.step.plugin().signature().minisig().empty()) {
      AnswerError(job, "plugin_unsigned", "a dry run needs a plugin signed by an operator: `reprise plugin sign`");
    } else if (queue_.size() >= kQueueMax) {
      AnswerError(job, "busy", "too many dry runs at once on this host");
    } else {
      queue_.push_back(std::move(job));
    }
  }
  Next();
}

void Previews::Next() {
  if (state_ != State::kIdle || queue_.empty()) return;
  job_ = std::move(queue_.front());
  queue_.pop_front();
  FetchFiles fetch;
  fetch.id = waits_for_ = desk_.NextId();
  const auto& plugin = job_.step.plugin();
  fetch.files.push_back({plugin.name(), plugin.sha256(), plugin.size(), plugin.signature().minisig(),
                         PluginKeys(desk_.memory().keyring())});
  for (const auto& artifact : job_.step.artifacts()) {
    fetch.files.push_back({artifact.name(), artifact.sha256(), artifact.size(), "", {}});
  }
  state_ = State::kFetching;
  wanted_ = true;
  desk_.Do(std::move(fetch));
}

bool Previews::OnFiles(const FilesReady& files) {
  if (state_ != State::kFetching || files.id != waits_for_) return false;
  if (!files.ok) {
    AnswerError(job_, files.code == "plugin_signature" ? "plugin_unsigned" : files.code, files.message);
    state_ = State::kIdle;
    Next();
    return true;
  }
  VerbRequest request;
  request.id = waits_for_ = desk_.NextId();
  request.verb = model::v1::VERB_PLAN;
  request.plugin_sha256 = job_.step.plugin().sha256();
  request.action = job_.step.action();
  request.params_json = job_.step.params_json();
  for (const auto& artifact : job_.step.artifacts()) request.artifacts.emplace_back(artifact.name(), artifact.sha256());
  request.deadline = desk_.now() + kTimeoutMs;
  state_ = State::kRunning;
  desk_.Do(StartVerb{std::move(request)});
  return true;
}

bool Previews::OnVerbEnded(const VerbResult& result) {
  if (state_ != State::kRunning || result.id != waits_for_) return false;
  state_ = State::kIdle;
  if (!wanted_) {
    Next();
    return true;
  }
  switch (result.end) {
    case VerbEnd::kDone:
      if (ReadReport(model::v1::VERB_PLAN, result).well_formed && result.result_json.size() <= (256u << 10)) {
        Answer(job_, true, result.result_json);
      } else {
        AnswerError(job_, "bad_result", "plan returned something that is not a result of this verb, or too long a one");
      }
      break;
    case VerbEnd::kTimedOut:
      AnswerError(job_, "timed_out", result.message);
      break;
    case VerbEnd::kCancelled:
      AnswerError(job_, "cancelled", result.message);
      break;
    case VerbEnd::kRefused:
      AnswerError(job_, "plugin_hash", result.message);
      break;
    case VerbEnd::kError:
    case VerbEnd::kCrashed:
      AnswerError(job_, result.code.empty() ? "crashed" : result.code, result.message);
      break;
  }
  Next();
  return true;
}

uint32_t Previews::StopAll(const std::string& reason) {
  const auto running = static_cast<uint32_t>(VerbsRunning());
  for (const Job& job : queue_) AnswerError(job, "stopped", reason);
  queue_.clear();
  if (state_ != State::kIdle && wanted_) AnswerError(job_, "stopped", reason);
  OnDisconnected();
  return running;
}

void Previews::OnDisconnected() {
  queue_.clear();
  wanted_ = false;
  if (state_ == State::kFetching) {
    desk_.Do(DropFetch{waits_for_});
    state_ = State::kIdle;
  } else if (state_ == State::kRunning) {
    desk_.Do(KillVerb{waits_for_, "nobody waits for this dry run any more"});
  }
}

void Previews::Answer(const Job& job, bool ok, std::string result_json) {
  agent::v1::AgentMessage message;
  auto& preview = *message.mutable_preview();
  preview.set_request(job.request);
  preview.set_step(job.index);
  preview.set_ok(ok);
  preview.set_result_json(std::move(result_json));
  desk_.Say(std::move(message));
}

void Previews::AnswerError(const Job& job, const std::string& code, const std::string& message) {
  const nlohmann::json error = {{"error", {{"code", BoundedText(code, 64)}, {"message", BoundedText(message, 2048)}}}};
  Answer(job, false, error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace reprise::agents
