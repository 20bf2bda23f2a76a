// Mailboxes moved from an old server to a new one. See README.md.
#include "plugins/mail/look_action.h"
#include "plugins/mail/move_action.h"
#include "plugins/sdk/sdk.h"

using reprise::mail::Compare;
using reprise::mail::CutOver;
using reprise::mail::Delta;
using reprise::mail::Prestage;
using reprise::mail::Verify;
REPRISE_PLUGIN("mail", "1.0.0", "Mailboxes moved in batches: copied once, verified on both sides, cut over", Compare, Prestage, Delta, CutOver, Verify)
