// The plugin "backup": copies are attached, taken into custody, and judged. See README.md.
#include "plugins/backup/actions/attach.h"
#include "plugins/backup/actions/custody.h"
#include "plugins/backup/actions/judge.h"
#include "plugins/backup/actions/reader_host.h"

using reprise::backup::Attach;
using reprise::backup::Custody;
using reprise::backup::Judge;
using reprise::backup::JudgeResumable;
using reprise::backup::ReaderHost;
REPRISE_PLUGIN("backup", "1.0.0", "Backups attached read-only, taken into custody, and judged", ReaderHost, Attach, Custody, Judge,
               JudgeResumable)
