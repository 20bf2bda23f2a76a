// Ends what a former life of the agent has left running, where dying with its parent did not reach it: bubblewrap's child is
// mortal only once it has asked for that, and an agent that is killed just before leaves one that waits for ever.
#pragma once

namespace reprise::runner {

// SIGKILL to every other process that has the same file open as `mark`: only what the agent started has. Without a look
// into other processes (/proc, or no right) it does nothing.
void EndHolders(int mark);

}  // namespace reprise::runner
