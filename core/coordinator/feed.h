// A stream of answers to one operator, as those see it who fill it. Any thread.
#pragma once

#include "absl/status/status.h"

namespace reprise::coordinator {

template <class Message>
class Feed {
 public:
  virtual ~Feed() = default;
  // Queued, in order. False: nobody listens any more, or it was ended.
  virtual bool Offer(Message message) = 0;
  // After what was offered.
  virtual void End(const absl::Status& status) = 0;
  // All that was offered has gone out: whoever fills it waits for this before he offers more.
  virtual bool Drained() const = 0;
  // Nobody listens any more, or it was ended.
  virtual bool Over() const = 0;
};

}  // namespace reprise::coordinator
