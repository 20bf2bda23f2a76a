// A file on its way to one agent: a chunk at a time, read by a worker, within the site's bandwidth.
#pragma once

#include <grpcpp/grpcpp.h>

#include "core/coordinator/blob_store.h"
#include "core/coordinator/throttle.h"
#include "core/coordinator/workers.h"
#include "reprise/agent/v1/agent.pb.h"

namespace reprise::coordinator {

grpc::ServerWriteReactor<agent::v1::FetchChunk>* StartFetch(OpenBlob blob, Throttle& throttle, Workers& workers);

}  // namespace reprise::coordinator
