// The holder as a service of this host, under runit or systemd, and what it answers.
#pragma once

#include <optional>
#include <string>

#include "plugins/backup/holder/wanted.h"
#include "plugins/sdk/sdk.h"

namespace reprise::backup {

class HolderService {
 public:
  // REQUIRES: `name` passes IsName.
  HolderService(const sdk::Context& context, const std::string& name);

  // Where it answers, and where copies are seen unless another place is asked for.
  std::string Socket() const { return "/run/reprise-backup/" + name_ + "/ask"; }
  std::string DefaultTarget() const { return "/run/reprise-backup/" + name_ + "/copy"; }

  // A new proof; nothing: nobody answers. {"error": …} when it could not attach.
  std::optional<sdk::Json> Ask() const;
  // Returns once it answers. Throws Error "attach_failed" with what it said.
  void Start(const Wanted& wanted, const std::string& program) const;
  // Returns once it is gone. True if there was one.
  bool Stop() const;

 private:
  std::string Unit() const { return "reprise-backup-" + name_; }
  sdk::Json WaitForAnswer() const;

  const sdk::Context& context_;
  const std::string name_;
};

}  // namespace reprise::backup
