// A file on its way in from an operator: written by a worker, checked against its announced hash, and only then known.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <string>

#include "core/coordinator/blob_store.h"
#include "core/coordinator/loop.h"
#include "core/coordinator/workers.h"
#include "reprise/operators/v1/operators.pb.h"

namespace reprise::coordinator {

// `person` may upload: it has been checked.
grpc::ServerReadReactor<operators::v1::BlobUpload>* StartUpload(std::string person, Loop& loop, BlobStore& blobs,
                                                                Workers& workers, operators::v1::BlobList* response);

}  // namespace reprise::coordinator
