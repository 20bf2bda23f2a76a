#include "core/coordinator/service_descriptors.h"

#include <google/protobuf/descriptor.h>

#include <cstdlib>

#include "reprise/agent/v1/agent_service.pb.h"
#include "reprise/operators/v1/operators_service.pb.h"

namespace reprise::coordinator {
namespace {

[[gnu::used]] const void* const kLinkedIn[] = {
    &descriptor_table_reprise_2fagent_2fv1_2fagent_5fservice_2eproto,
    &descriptor_table_reprise_2foperators_2fv1_2foperators_5fservice_2eproto,
};

const google::protobuf::ServiceDescriptor& Find(const char* name) {
  const auto* found = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
  if (found == nullptr) std::abort();  // A fault of the build.
  return *found;
}

}  // namespace

const google::protobuf::ServiceDescriptor& DescribeAgentService() { return Find("reprise.agent.v1.AgentService"); }

const google::protobuf::ServiceDescriptor& DescribeOperatorService() {
  return Find("reprise.operators.v1.OperatorService");
}

}  // namespace reprise::coordinator
