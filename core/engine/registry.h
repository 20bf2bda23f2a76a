// What people declare and bring: hosts, join codes, keys, certificates, files, plans. Judged, journalled, passed on.
// Internal to core/engine.
#pragma once

#include <string>

#include "core/engine/desk.h"

namespace reprise::engine {

// The status and subject of a Reply.
struct Answer {
  absl::Status status;
  std::string subject = {};
};

class Registry {
 public:
  explicit Registry(Desk& desk) : desk_(desk) {}

  // The subject counts hosts: "<added> <changed> <unchanged> <absent>".
  Answer Do(const std::string& person, const operators::v1::ImportInventoryRequest& request);
  Answer Do(const std::string& person, const Command::Issue& request);
  Answer Do(const std::string& person, const operators::v1::HostStatementsRequest& request);
  Answer Do(const std::string& person, const operators::v1::ExtendKeyringRequest& request);
  Answer Do(const std::string& person, const Command::CertifyOperator& request);
  Answer Do(const std::string& person, const plan::v1::BlobInfo& request);
  Answer Do(const std::string& person, const operators::v1::SubmitPlanRequest& request);
  Answer Do(const std::string& person, const Command::SignPlan& request);

  // The host is not enrolled any more, its session is over, its certificates count no more.
  Answer Do(const std::string& person, const operators::v1::ExpelHostRequest& request);

  // With a token: spends it. Without one, of a host that is enrolled: notes its new certificate.
  Answer Enrol(const EnrolRequested& request);

 private:
  Answer Renew(const EnrolRequested& request);
  void EndSession(const HostBook& host, const std::string& reason);
  absl::Status CheckHostIsKnown(const std::string& host) const;

  Desk& desk_;
};

}  // namespace reprise::engine
