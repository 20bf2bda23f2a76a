// What goes wrong on request. Called at the start of every verb.
#pragma once

#include "plugins/sdk/sdk.h"

namespace reprise::mock {

// The parameters that all actions share.
sdk::Params CommonParams(const char* default_at);

// Does what `mode` says if this is the verb of `at` and `fail_times` is not used up: may throw, never return, or end the
// process. Returns normally for ok, lie and what goes wrong beside the work (slow, fork_bomb_small, tell, meddle).
void Strike(sdk::Context& context);

// mode is "lie" and this is its verb: say that all is well, do nothing.
bool Lies(const sdk::Context& context);

// mode is "huge" and this is its verb: a summary that no limit allows.
std::string Summary(const sdk::Context& context, const std::string& honest);

}  // namespace reprise::mock
