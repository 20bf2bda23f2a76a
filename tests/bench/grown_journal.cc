#include "tests/bench/grown_journal.h"

#include <chrono>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/engine/engine.h"
#include "core/journal/founding.h"
#include "core/journal/sqlite_journal.h"
#include "tests/unit/core/engine/plan_draft.h"

namespace reprise::bench {
namespace {

using agents::testing::Admission;
using engine::Command;
using engine::testing::HostName;
using engine::testing::kHour;
using engine::testing::kNoon;
using engine::testing::People;
using engine::testing::PlanDraft;
using Clock = std::chrono::steady_clock;

// What a busy coordinator shares one commit among.
constexpr size_t kEventsPerCommit = 500;

double Since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

class Grower {
 public:
  explicit Grower(const GrowOptions& options) : options_(options) {}

  absl::StatusOr<Grown> Grow() {
    const auto began = Clock::now();
    RETURN_IF_ERROR(journal::FoundJournal(options_.journal, people_.chain().front(), "alice", kNoon));
    ASSIGN_OR_RETURN(journal_, journal::SqliteJournal::Open(options_.journal));
    RETURN_IF_ERROR(journal_->Read(1, [&](const journal::Record& record) -> absl::Status {
      journal::v1::Event event;
      if (!event.ParseFromString(record.payload)) return absl::DataLossError("the founding event cannot be read");
      return engine_.Apply(event);
    }));
    RETURN_IF_ERROR(Found());
    while (Written() < options_.events) RETURN_IF_ERROR(Run());
    RETURN_IF_ERROR(Commit());
    grown_.events = journal_->LastSequence();
    grown_.seconds = Since(began);
    return grown_;
  }

 private:
  uint64_t Written() const { return journal_->LastSequence() + events_.size(); }

  absl::Status Give(const engine::Input& input) {
    // So little that no task is late: a run takes some minutes of this time.
    now_ += 1;
    const auto began = Clock::now();
    engine::Decision decision = engine_.Decide(input, now_);
    grown_.engine_seconds += Since(began);
    for (auto& event : decision.events) {
      if (Written() < options_.events) events_.push_back(std::move(event));
    }
    for (auto& effect : decision.effects) {
      if (auto* send = std::get_if<engine::SendToAgent>(&effect); send != nullptr && send->message.has_task()) {
        tasks_.push_back(std::move(*send));
      }
      if (const auto* reply = std::get_if<engine::Reply>(&effect); reply != nullptr && !reply->status.ok()) {
        return reply->status;
      }
    }
    return events_.size() >= kEventsPerCommit ? Commit() : absl::OkStatus();
  }

  absl::Status Commit() {
    RETURN_IF_ERROR(journal_->Append(events_));
    events_.clear();
    const bool whole = Written() < options_.events;
    // A snapshot is of exactly what is journalled, so it is taken here and nowhere else.
    if (grown_.snapshot_bytes > 0 || !whole || journal_->LastSequence() + options_.after_snapshot < options_.events) {
      return absl::OkStatus();
    }
    journal::Snapshot snapshot{journal_->LastSequence(), engine_.Snapshot()};
    grown_.snapshot_bytes = snapshot.state.size();
    return journal_->SaveSnapshot(snapshot);
  }

  template <class Request>
  absl::Status Do(const std::string& person, Request request) {
    Command command;
    command.ticket = 1;
    command.operator_name = person;
    command.request = std::move(request);
    return Give(command);
  }

  absl::Status Found() {
    RETURN_IF_ERROR(Give(engine::Started{"bench"}));
    operators::v1::ImportInventoryRequest inventory;
    Command::Issue tokens;
    operators::v1::HostStatementsRequest admissions;
    for (uint32_t i = 1; i <= options_.hosts; ++i) {
      auto& host = *inventory.add_hosts();
      host.set_name(HostName(i));
      host.set_zone(model::v1::ZONE_DIRTY);
      host.set_asset_class(model::v1::ASSET_CLASS_WORKSTATION);
      host.set_agent_expected(true);
      auto& token = tokens.tokens.emplace_back();
      token.set_host(HostName(i));
      token.set_secret_sha256(crypto::Sha256(HostName(i)));
      token.set_expires_ms(now_ + kHour);
      *admissions.add_statements() = Admission(people_, HostName(i), [](model::HostStatement&) {});
    }
    tokens.join_until = now_ + kHour;
    RETURN_IF_ERROR(Do("alice", std::move(inventory)));
    RETURN_IF_ERROR(Do("alice", std::move(tokens)));
    for (uint32_t i = 1; i <= options_.hosts; ++i) {
      engine::EnrolRequested enrol;
      enrol.ticket = 1;
      enrol.host = HostName(i);
      enrol.token_sha256 = crypto::Sha256(HostName(i));
      RETURN_IF_ERROR(Give(enrol));
    }
    RETURN_IF_ERROR(Do("alice", std::move(admissions)));
    for (uint32_t i = 1; i <= options_.hosts; ++i) {
      agent::v1::Hello hello;
      hello.set_agent_version("bench");
      hello.set_keyring_version(1);
      hello.set_host_statement_serial(1);
      RETURN_IF_ERROR(Give(engine::SessionOpened{HostName(i), i, hello, "10.0.0.1"}));
    }
    plan::v1::BlobInfo plugin;
    plugin.set_kind("plugin");
    plugin.set_name("mock");
    plugin.set_version("1.0.0");
    plugin.set_sha256(crypto::Sha256("the plugin's bytes"));
    return Do("alice", std::move(plugin));
  }

  // One run to its end, or to the last event that is wanted.
  absl::Status Run() {
    PlanDraft draft(people_, model::v1::EFFECT_CHANGE, absl::StrCat("edr-", ++grown_.runs));
    auto& stage = draft.AddStage("protect", {options_.hosts});
    for (uint32_t i = 1; i <= options_.steps; ++i) draft.AddStep(stage, absl::StrCat("step-", i));
    operators::v1::SubmitPlanRequest submit;
    *submit.mutable_bundle() = draft.Bundle();
    RETURN_IF_ERROR(Do("bob", std::move(submit)));
    RETURN_IF_ERROR(Do("alice", Command::SignPlan{draft.header.plan_id(), draft.Sign("alice")}));
    RETURN_IF_ERROR(Do("bob", Command::StartRun{draft.header.plan_id()}));
    while (!tasks_.empty() && Written() < options_.events) {
      const engine::SendToAgent sent = std::move(tasks_.front());
      tasks_.pop_front();
      agent::v1::AgentMessage accepted, finished;
      *accepted.mutable_accepted()->mutable_key() = sent.message.task().key();
      RETURN_IF_ERROR(Give(engine::AgentSaid{sent.host, sent.session, accepted}));
      auto& outcome = *finished.mutable_finished();
      *outcome.mutable_key() = sent.message.task().key();
      outcome.set_outcome(model::v1::OUTCOME_CHANGED);
      outcome.set_evidence_json(R"({"holds":true,"summary":"measured"})");
      outcome.set_duration_ms(1);
      RETURN_IF_ERROR(Give(engine::AgentSaid{sent.host, sent.session, finished}));
    }
    return absl::OkStatus();
  }

  const GrowOptions& options_;
  const People people_;
  std::unique_ptr<journal::SqliteJournal> journal_;
  engine::Engine engine_;
  UnixMs now_ = kNoon;
  std::vector<journal::v1::Event> events_;
  std::deque<engine::SendToAgent> tasks_;
  Grown grown_;
};

}  // namespace

absl::StatusOr<Grown> GrowJournal(const GrowOptions& options) {
  return Grower(options).Grow();
}

}  // namespace reprise::bench
