// Does one job: opens the file or folder, judges it, compares it with what a manifest says. In the child.
#pragma once

#include <functional>

#include "plugins/backup/worker/job.h"

namespace reprise::backup {

// `progress` hears of bytes that were read. Never throws: what goes wrong is an outcome.
JobOutcome JudgeOne(const Job& job, const std::function<void(uint64_t)>& progress);

// JudgeOne keeps the folder of the last file open, in which the next one mostly stands. Closes it: whoever waits holds no disk.
void CloseFolder();

}  // namespace reprise::backup
