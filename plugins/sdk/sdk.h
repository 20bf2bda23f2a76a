// All that a plugin's author needs; REPRISE_PLUGIN comes from here. The helpers are included one by one:
// process.h (run a program), file.h, service.h (systemd, runit), sha256.h, notes.h (what rollback must know).
#pragma once

#include "plugins/sdk/action.h"
#include "plugins/sdk/context.h"
#include "plugins/sdk/entry.h"
#include "plugins/sdk/error.h"
#include "plugins/sdk/params.h"
#include "plugins/sdk/results.h"
