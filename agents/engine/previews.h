// Dry runs of steps that nobody has signed: only the verb `plan`, only plugins that an active operator signed, one at a
// time. Nothing of them is durable. Internal to agents/engine.
#pragma once

#include <deque>
#include <string>

#include "agents/engine/desk.h"

namespace reprise::agents {

class Previews {
 public:
  explicit Previews(Desk& desk) : desk_(desk) {}

  void OnRequest(const agent::v1::PreviewRequest& request);
  // False: not one of its own.
  bool OnFiles(const FilesReady& files);
  bool OnVerbEnded(const VerbResult& result);
  // Gives the number of verbs that were running.
  uint32_t StopAll(const std::string& reason);
  // Nobody is left to answer.
  void OnDisconnected();
  size_t VerbsRunning() const { return state_ == State::kRunning ? 1 : 0; }

 private:
  enum class State { kIdle, kFetching, kRunning };
  struct Job {
    uint64_t request = 0;
    uint32_t index = 0;
    agent::v1::PreviewStep step;
  };

  void Next();
  void Answer(const Job& job, bool ok, std::string result_json);
  void AnswerError(const Job& job, const std::string& code, const std::string& message);

  Desk& desk_;
  State state_ = State::kIdle;
  uint64_t waits_for_ = 0;
  bool wanted_ = false;  // The answer of the job at work is still asked for.
  Job job_;
  std::deque<Job> queue_;
};

}  // namespace reprise::agents
