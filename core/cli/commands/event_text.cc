#include "core/cli/commands/event_text.h"

#include "absl/strings/str_cat.h"
#include "core/base/text.h"
#include "core/cli/terminal.h"
#include "core/model/names.h"
#include "core/model/statements.h"

namespace reprise::cli {
namespace {

using journal::v1::Event;
using model::NameOf;

std::string Because(const std::string& reason) { return reason.empty() ? "" : absl::StrCat(": ", reason); }

std::string Code(const std::string& code) { return code.empty() ? "" : absl::StrCat(" (", code, ")"); }

// "host ws-001 now in zone rebuilt, class workstation, trust unknown"
std::string TextOf(const journal::v1::HostStatementRecorded& recorded) {
  const auto statement = model::HostStatement::Read(recorded.statement().statement());
  if (!statement.ok()) return "a statement about a host that cannot be read";
  return absl::StrCat("host ", statement->host, " now in zone ", NameOf(statement->zone), ", class ",
                      NameOf(statement->asset_class), ", trust ", NameOf(statement->trust),
                      statement->hold.empty() ? "" : absl::StrCat(", under evidence hold: ", statement->hold),
                      " (serial ", statement->serial, ")");
}

std::string TextOf(const journal::v1::TaskFinished& event, const PlanNames& names) {
  const auto& finished = event.finished();
  std::string text = absl::StrCat(
      names.Host(event.run(), event.host()), " ", names.Step(event.run(), event.stage(), finished.key().step()),
      finished.key().rollback() ? " undone: " : " ended ", NameOf(finished.outcome()), " in ",
      FormatDurationMs(finished.duration_ms()), Because(finished.reason()), Code(finished.code()));
  if (event.task_state() == model::v1::TASK_STATE_BACKING_OFF) {
    absl::StrAppend(&text, "; again at ", FormatTime(event.retry_at_ms()));
  } else if (event.target_state() != model::v1::TARGET_STATE_ACTIVE &&
             event.target_state() != model::v1::TARGET_STATE_UNSPECIFIED) {
    absl::StrAppend(&text, "; the host is ", NameOf(event.target_state()));
  }
  return text;
}

std::string GateOf(const std::string& gate, const PlanNames& names, uint64_t run, uint32_t stage, int32_t wave) {
  return absl::StrCat("gate ", gate, " before ",
                      wave < 0 ? names.Stage(run, stage) : names.Wave(run, stage, static_cast<uint32_t>(wave)));
}

// What concerns no run.
std::string TextOfSite(const Event& event) {
  switch (event.kind_case()) {
    case Event::kCoordinatorStarted:
      return absl::StrCat("the coordinator started, version ", event.coordinator_started().version());
    case Event::kKeyringExtended: {
      const auto statement = crypto::Statement::Parse(event.keyring_extended().statement().statement());
      const auto version = statement.ok() ? statement->Get("version") : statement.status();
      return absl::StrCat("keyring version ", version.ok() ? *version : "?");
    }
    case Event::kInventoryImported:
      return absl::StrCat("inventory of ", event.inventory_imported().hosts_size(), " hosts declared from ",
                          event.inventory_imported().source());
    case Event::kTokensIssued:
      return absl::StrCat(event.tokens_issued().tokens_size(), " join code(s) issued");
    case Event::kJoinWindowOpened:
      return event.join_window_opened().until_ms() <= event.at_ms()
                 ? std::string("join window closed")
                 : absl::StrCat("join window open until ", FormatTime(event.join_window_opened().until_ms()));
    case Event::kHostEnrolled:
      return absl::StrCat("host ", event.host_enrolled().host(),
                          event.host_enrolled().certificate_sha256().empty() ? " spends its join code" : " has joined");
    case Event::kHostRenewed:
      return absl::StrCat("a new certificate for host ", event.host_renewed().host());
    case Event::kHostExpelled:
      return absl::StrCat("host ", event.host_expelled().host(), " expelled", Because(event.host_expelled().reason()));
    case Event::kHostStatementRecorded:
      return TextOf(event.host_statement_recorded());
    case Event::kBlobAdded:
      return absl::StrCat(event.blob_added().blob().kind(), " ", event.blob_added().blob().name(), " ",
                          event.blob_added().blob().version(), " put into the store (",
                          ToHex(event.blob_added().blob().sha256()).substr(0, 12), "…)");
    case Event::kOperatorCertified:
      return absl::StrCat("a connection certificate for ", event.operator_certified().operator_());
    case Event::kFactsReported:
      return absl::StrCat("host ", event.facts_reported().host(), " told its facts");
    case Event::kSessionOpened:
      return absl::StrCat("host ", event.session_opened().host(), " connected from ", event.session_opened().address(),
                          ", agent ", event.session_opened().agent_version(),
                          event.session_opened().contested()
                              ? absl::StrCat(", once too often in place of one from ",
                                             event.session_opened().replaced_address())
                              : "");
    case Event::kSessionClosed:
      return absl::StrCat("host ", event.session_closed().host(), " gone", Because(event.session_closed().reason()));
    case Event::kPlanSubmitted: {
      plan::v1::PlanHeader header;
      if (!header.ParseFromString(event.plan_submitted().bundle().header())) return "a plan that cannot be read";
      return absl::StrCat("plan ", header.plan_id(), " submitted: ", event.plan_submitted().bundle().leaves_size(),
                          " hosts, effect ", NameOf(header.effect()));
    }
    case Event::kPlanSigned:
      return absl::StrCat("plan ", event.plan_signed().plan_id(), " signed by ", event.plan_signed().signer());
    case Event::kStopRaised:
      return absl::StrCat("EMERGENCY STOP ", event.stop_raised().serial(), Because(event.stop_raised().reason()));
    case Event::kStopConfirmed:
      return absl::StrCat("stop ", event.stop_confirmed().serial(), " confirmed by ", event.stop_confirmed().host(),
                          " after ", event.stop_confirmed().latency_ms(), " ms, ", event.stop_confirmed().killed(),
                          " killed");
    case Event::kStopLifted:
      return "emergency stop lifted";
    default:
      return "an event that this version does not know";
  }
}

std::string TextOfRun(const Event& event, const PlanNames& names) {
  const uint64_t run = RunOfEvent(event);
  switch (event.kind_case()) {
    case Event::kRunStarted:
      return absl::StrCat("begun, of plan ", event.run_started().plan_id());
    case Event::kGateReady:
      return absl::StrCat(
          GateOf(event.gate_ready().gate(), names, run, event.gate_ready().stage(), event.gate_ready().wave()),
          " waits for people");
    case Event::kGateSigned: {
      const auto decision = model::GateStatement::Read(event.gate_signed().statement().statement());
      const bool waived = decision.ok() && decision->waive;
      return absl::StrCat("gate ", event.gate_signed().gate(), waived ? " waived by " : " signed by ",
                          event.gate_signed().signer(), decision.ok() ? Because(decision->reason) : "",
                          waived ? absl::StrCat(", until ", FormatTime(decision->expires)) : "");
    }
    case Event::kGateOpened:
      return absl::StrCat(
          GateOf(event.gate_opened().gate(), names, run, event.gate_opened().stage(), event.gate_opened().wave()),
          " is ", NameOf(event.gate_opened().state()));
    case Event::kStageStarted:
      return absl::StrCat("stage ", names.Stage(run, event.stage_started().stage()), " begun");
    case Event::kWaveStarted:
      return absl::StrCat("wave ", names.Wave(run, event.wave_started().stage(), event.wave_started().wave()),
                          " begun");
    case Event::kTaskDispatched: {
      const auto& task = event.task_dispatched();
      return absl::StrCat(names.Host(run, task.host()), " ", names.Step(run, task.stage(), task.step()),
                          " sent, attempt ", task.attempt(), task.rollback() ? ", to undo" : "");
    }
    case Event::kTaskAccepted: {
      const auto& task = event.task_accepted();
      return absl::StrCat(names.Host(run, task.host()), " ", names.Step(run, task.stage(), task.step()), " accepted");
    }
    case Event::kTaskFinished:
      return TextOf(event.task_finished(), names);
    case Event::kTaskLost: {
      const auto& task = event.task_lost();
      return absl::StrCat(names.Host(run, task.host()), " ", names.Step(run, task.stage(), task.step()),
                          ": fate unknown until the host speaks");
    }
    case Event::kTargetMoved: {
      const auto& moved = event.target_moved();
      return absl::StrCat(names.Host(run, moved.host()), " in ", names.Stage(run, moved.stage()), " is ",
                          NameOf(moved.to()), Because(moved.reason()), Code(moved.code()));
    }
    case Event::kWaveEnded:
      return absl::StrCat("wave ", names.Wave(run, event.wave_ended().stage(), event.wave_ended().wave()), " ",
                          NameOf(event.wave_ended().state()), Because(event.wave_ended().reason()));
    case Event::kStageRepeated:
      return absl::StrCat("stage ", names.Stage(run, event.stage_repeated().stage()), " is done again");
    case Event::kStageSettled:
      return absl::StrCat("stage ", names.Stage(run, event.stage_settled().stage()), " settled");
    case Event::kRunPaused:
      return absl::StrCat("paused", Code(event.run_paused().code()), Because(event.run_paused().reason()));
    case Event::kRunResumed:
      return "resumed; failures so far are accepted";
    case Event::kRunAborting:
      return absl::StrCat("being aborted", Because(event.run_aborting().reason()));
    case Event::kRunRetried:
      return absl::StrCat("round ", event.run_retried().round(), ": ", event.run_retried().targets_size(),
                          " host(s) tried again");
    case Event::kRunCatchingUp:
      return "catching up: only deferred hosts are left";
    case Event::kRunEnded:
      return absl::StrCat(NameOf(event.run_ended().state()), Because(event.run_ended().reason()));
    default:
      return "an event that this version does not know";
  }
}

}  // namespace

uint64_t RunOfEvent(const Event& event) {
  const auto* kind = event.GetReflection()->GetOneofFieldDescriptor(event, event.GetDescriptor()->oneof_decl(0));
  const auto* run = kind == nullptr ? nullptr : kind->message_type()->FindFieldByName("run");
  if (run == nullptr) return 0;
  const auto& body = event.GetReflection()->GetMessage(event, kind);
  return body.GetReflection()->GetUInt64(body, run);
}

std::string TextOfEvent(const Event& event, const PlanNames& names) {
  const uint64_t run = RunOfEvent(event);
  return OneLine(run == 0 ? TextOfSite(event) : absl::StrCat("run ", run, ": ", TextOfRun(event, names)));
}

}  // namespace reprise::cli
