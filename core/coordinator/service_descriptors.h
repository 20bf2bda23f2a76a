// The services as descriptors, for reflection and for the test of permissions. Nothing else names them, and a linker
// leaves out what nobody names.
#pragma once

namespace google::protobuf {
class ServiceDescriptor;
}

namespace reprise::coordinator {

const google::protobuf::ServiceDescriptor& DescribeAgentService();
const google::protobuf::ServiceDescriptor& DescribeOperatorService();

}  // namespace reprise::coordinator
