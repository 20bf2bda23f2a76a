// The imaging server. See README.md.
#include "plugins/pacs/actions.h"
#include "plugins/sdk/sdk.h"

using reprise::pacs::Health;
using reprise::pacs::RebuildIndex;
using reprise::pacs::Restore;
using reprise::pacs::Start;
using reprise::pacs::Stop;
REPRISE_PLUGIN("pacs", "1.0.0", "Imaging server: storage restored, index rebuilt and proven", Restore, Start, RebuildIndex, Health, Stop)
