// The journal as a stream: from an event on, to its end or for ever. Reads the file beside the loop, so that a long
// reading delays nobody; sees only what is durable.
#pragma once

#include <filesystem>
#include <memory>

#include "core/coordinator/feed.h"
#include "core/coordinator/loop.h"
#include "core/coordinator/workers.h"
#include "reprise/operators/v1/operators.pb.h"

namespace reprise::coordinator {

// `loop` and `workers` outlive the feed.
void StartJournalFeed(const std::filesystem::path& journal, const operators::v1::ReadJournalRequest& request,
                      const Loop& loop, Workers& workers, std::shared_ptr<Feed<operators::v1::JournalRecord>> feed);

}  // namespace reprise::coordinator
