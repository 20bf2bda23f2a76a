// What agents call: their stream, files by content, renewal of their certificate. Identity comes from the certificate;
// what an agent says about itself is never believed.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/coordinator/enrolment.h"
#include "core/coordinator/loop.h"
#include "core/coordinator/session_table.h"

namespace grpc {
class Service;
}

namespace reprise::coordinator {

class BlobStore;
class Doorkeeper;
class Throttle;
class Workers;

// Who calls, as the certificate says, and from where.
struct AgentCaller {
  std::string host;
  engine::ShownCertificate certificate;
  std::string address;
};

// What agents say that the engine need not hear. Called from gRPC's threads; must not block.
struct SideTalk {
  std::function<void(const std::string& host, agent::v1::Preview preview)> preview;
  std::function<void(const std::string& host, agent::v1::Progress progress)> progress;
};

struct AgentServiceParts {
  Loop& loop;
  SessionTable& sessions;
  BlobStore& blobs;
  Throttle& throttle;
  Workers& workers;
  Doorkeeper& doorkeeper;
  SideTalk side_talk;
  CertificateMaker issue;
};

std::unique_ptr<grpc::Service> MakeAgentService(AgentServiceParts parts);

}  // namespace reprise::coordinator
