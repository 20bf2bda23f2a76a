// The port to what runs verbs of plugins. Knows nothing of plans, tasks or signatures: whoever asks has judged already.
#pragma once

#include <functional>

#include "agents/engine/verb.h"

namespace reprise::runner {

class Runner {
 public:
  using OnProgress = std::function<void(agents::VerbProgress)>;
  using OnEnd = std::function<void(agents::VerbResult)>;

  // Ends what still runs, without waiting for it to agree; every `on_end` has been called when it returns.
  virtual ~Runner() = default;

  // Returns at once. The callbacks come on a thread of the runner and must not block it: `on_progress` any number of
  // times, `on_end` exactly once, after the last process of the verb is gone. REQUIRES: request.id is not running.
  virtual void Start(const agents::VerbRequest& request, OnProgress on_progress, OnEnd on_end) = 0;

  // Asks the verb to end, and kills it 2 seconds later; it ends as kCancelled. Nothing happens if it is not running.
  virtual void Kill(uint64_t id) = 0;
};

}  // namespace reprise::runner
