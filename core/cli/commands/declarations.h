// One function for each command, each in a file of its own name (run_start.cc has DeclareRunStart): declares its flags and
// examples, and gives what to do once they are read.
#pragma once

#include "core/cli/command.h"

namespace reprise::cli {

Action DeclareInit(CommandLine& app);
Action DeclareStatus(CommandLine& app);
Action DeclareCheck(CommandLine& app);
Action DeclarePlan(CommandLine& app);
Action DeclareApprove(CommandLine& app);
Action DeclareCoverage(CommandLine& app);
Action DeclareBoard(CommandLine& app);
Action DeclareEvents(CommandLine& app);
Action DeclareCompletion(CommandLine& app);

Action DeclareInventoryImport(CommandLine& app);

Action DeclareHostLs(CommandLine& app);
Action DeclareHostShow(CommandLine& app);
Action DeclareHostToken(CommandLine& app);
Action DeclareHostAdmit(CommandLine& app);
Action DeclareHostHold(CommandLine& app);
Action DeclareHostRelease(CommandLine& app);
Action DeclareHostZone(CommandLine& app);
Action DeclareHostExpel(CommandLine& app);

Action DeclareRunStart(CommandLine& app);
Action DeclareRunLs(CommandLine& app);
Action DeclareRunShow(CommandLine& app);
Action DeclareRunWatch(CommandLine& app);
Action DeclareRunPause(CommandLine& app);
Action DeclareRunResume(CommandLine& app);
Action DeclareRunAbort(CommandLine& app);
Action DeclareRunRetry(CommandLine& app);

Action DeclareGateLs(CommandLine& app);
Action DeclareGateApprove(CommandLine& app);
Action DeclareGateWaive(CommandLine& app);

Action DeclareStopRaise(CommandLine& app);
Action DeclareStopLift(CommandLine& app);
Action DeclareStopShow(CommandLine& app);

Action DeclareKeyNew(CommandLine& app);
Action DeclareKeyLs(CommandLine& app);
Action DeclareKeyAdd(CommandLine& app);
Action DeclareKeyRevoke(CommandLine& app);
Action DeclareKeySign(CommandLine& app);
Action DeclareKeyCertify(CommandLine& app);

Action DeclarePluginNew(CommandLine& app);
Action DeclarePluginVerify(CommandLine& app);
Action DeclarePluginSign(CommandLine& app);
Action DeclarePluginAdd(CommandLine& app);
Action DeclarePluginLs(CommandLine& app);
Action DeclarePluginShow(CommandLine& app);

Action DeclareArtifactAdd(CommandLine& app);
Action DeclareArtifactLs(CommandLine& app);

Action DeclareJournalVerify(CommandLine& app);
Action DeclareJournalExport(CommandLine& app);

Action DeclareBackupJudge(CommandLine& app);
Action DeclareBackupLs(CommandLine& app);

Action DeclareReportRun(CommandLine& app);
Action DeclareReportCoverage(CommandLine& app);
Action DeclareReportBoard(CommandLine& app);

}  // namespace reprise::cli
