// What operators call, over gRPC: who asks is read from the certificate, whether he may from the keyring and the table of
// permissions, then one of the answers (operator_answers.h) or feeds does the work.
#pragma once

#include <filesystem>
#include <memory>

#include "core/coordinator/operator_answers.h"

namespace grpc {
class Service;
}

namespace reprise::coordinator {

class BlobStore;
class PreviewBroker;
class RunWatch;
class Workers;

struct OperatorServiceParts {
  const Site& site;
  Loop& loop;
  BlobStore& blobs;
  PreviewBroker& previews;
  RunWatch& watch;
  Workers& workers;
  std::filesystem::path journal;
};

std::unique_ptr<grpc::Service> MakeOperatorService(OperatorServiceParts parts);

}  // namespace reprise::coordinator
