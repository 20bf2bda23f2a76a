// The plugin "host": what is common to all hosts. See README.md.
#include "plugins/host/as_declared_action.h"
#include "plugins/host/facts_action.h"
#include "plugins/host/file_absent_action.h"
#include "plugins/host/file_action.h"
#include "plugins/host/file_present_action.h"
#include "plugins/host/service_actions.h"

using reprise::host::AsDeclaredAction;
using reprise::host::FactsAction;
using reprise::host::FileAbsentAction;
using reprise::host::FileAction;
using reprise::host::FilePresentAction;
using reprise::host::ServiceAction;
using reprise::host::ServiceRunningAction;
REPRISE_PLUGIN("host", "1.0.0", "Facts, files and services of a host", FactsAction, AsDeclaredAction, FileAction,
               FileAbsentAction, FilePresentAction, ServiceAction, ServiceRunningAction)
