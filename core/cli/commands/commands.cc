#include "core/cli/commands/commands.h"

#include "core/cli/commands/declarations.h"

namespace reprise::cli {

const std::vector<GroupRow>& Groups() {
  static const std::vector<GroupRow> groups = {
      {"inventory", "The hosts that people declared"},
      {"host", "Hosts: who joined, who is admitted, who is on hold"},
      {"run", "Plans being carried out"},
      {"gate", "Decisions that runs wait for"},
      {"stop", "The emergency stop of everything"},
      {"key", "People, their keys and what they may do"},
      {"plugin", "Adapters: write, verify, sign, publish"},
      {"artifact", "Files that steps need"},
      {"journal", "The hash-chained log"},
      {"report", "What people print"},
      {"backup", "Backups: judged before anything is restored from them"},
  };
  return groups;
}

const std::vector<CommandRow>& Commands() {
  static const std::vector<CommandRow> commands = {
      {"", "init", "Found a site: data folder, authority, first keyring, first profile", DeclareInit},
      {"", "status", "The coordinator in one look", DeclareStatus},
      {"", "check", "Read a dossier and say what is wrong with it; needs no coordinator", DeclareCheck},
      {"", "plan", "Compile a workflow into a plan, and say who gets what", DeclarePlan},
      {"", "approve", "Read a plan and sign it with your key", DeclareApprove},
      {"", "coverage", "Who is covered by a claim, and everyone who is not, by name", DeclareCoverage},
      {"", "board", "How far each application is back, with its evidence", DeclareBoard},
      {"", "events", "What happened, as it happens", DeclareEvents},
      {"", "completion", "Completion for bash", DeclareCompletion},

      {"inventory", "import", "Declare the hosts of a dossier to the coordinator", DeclareInventoryImport},

      {"host", "ls", "Hosts, as they really stand", DeclareHostLs},
      {"host", "show", "All that is known of one host", DeclareHostShow},
      {"host", "token", "Join codes for new hosts, and the join window", DeclareHostToken},
      {"host", "admit", "Sign hosts out of quarantine", DeclareHostAdmit},
      {"host", "hold", "Put hosts under evidence hold: nothing on them may change", DeclareHostHold},
      {"host", "release", "Take hosts out of evidence hold", DeclareHostRelease},
      {"host", "zone", "Sign hosts into another zone", DeclareHostZone},
      {"host", "expel", "End a host's identity: its certificates count no more", DeclareHostExpel},

      {"run", "start", "Carry out a plan that is signed", DeclareRunStart},
      {"run", "ls", "Runs, the newest last", DeclareRunLs},
      {"run", "show", "One run: stages, waves, gates, and who did not come through", DeclareRunShow},
      {"run", "watch", "Follow a run until it ends", DeclareRunWatch},
      {"run", "pause", "Send nothing new; what is at work goes on", DeclareRunPause},
      {"run", "resume", "Go on; failures so far are accepted", DeclareRunResume},
      {"run", "abort", "End a run: cancel what is at work, begin nothing", DeclareRunAbort},
      {"run", "retry", "Failed hosts again, from the step that failed", DeclareRunRetry},

      {"gate", "ls", "Gates, and who is still to decide", DeclareGateLs},
      {"gate", "approve", "Sign that a run may pass a gate", DeclareGateApprove},
      {"gate", "waive", "Set a gate aside, with a reason and an expiry", DeclareGateWaive},

      {"stop", "raise", "Kill every action on every host, start none", DeclareStopRaise},
      {"stop", "lift", "Let work begin again; runs stay paused", DeclareStopLift},
      {"stop", "show", "The newest stop and how fast it was", DeclareStopShow},

      {"key", "new", "Make a signing key (minisign's format)", DeclareKeyNew},
      {"key", "ls", "The keyring: who may sign what", DeclareKeyLs},
      {"key", "add", "Add a person to the keyring, or change roles or key", DeclareKeyAdd},
      {"key", "revoke", "Revoke a person's key", DeclareKeyRevoke},
      {"key", "sign", "Add your signature to a keyring statement that needs more than one", DeclareKeySign},
      {"key", "certify", "Make or renew a person's connection certificate", DeclareKeyCertify},

      {"plugin", "new", "A compiling, tested skeleton of a plugin", DeclarePluginNew},
      {"plugin", "verify", "Try a plugin against the contract", DeclarePluginVerify},
      {"plugin", "sign", "Sign a plugin's bytes with your key", DeclarePluginSign},
      {"plugin", "add", "Put a signed plugin into the coordinator's store", DeclarePluginAdd},
      {"plugin", "ls", "Plugins in the store", DeclarePluginLs},
      {"plugin", "show", "A plugin's actions and parameters", DeclarePluginShow},

      {"artifact", "add", "Put files into the coordinator's store", DeclareArtifactAdd},
      {"artifact", "ls", "Files in the store", DeclareArtifactLs},

      {"journal", "verify", "Prove that a journal was not altered; needs only the file", DeclareJournalVerify},
      {"journal", "export", "The journal as JSON lines; needs only the file", DeclareJournalExport},

      {"backup", "judge", "Decode backups to their end and give a verdict; needs no coordinator", DeclareBackupJudge},
      {"backup", "ls", "Copies that were judged, and their verdicts", DeclareBackupLs},

      {"report", "run", "Where a run stands, as plain text in French or English", DeclareReportRun},
      {"report", "coverage", "Who is covered and who is not, likewise", DeclareReportCoverage},
      {"report", "board", "How far each application is back, likewise", DeclareReportBoard},
  };
  return commands;
}

}  // namespace reprise::cli
