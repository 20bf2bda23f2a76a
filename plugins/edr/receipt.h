// What installing changed on this host, written before each change: so that rollback puts back exactly that, whatever was
// killed in between. A folder with receipt.json and the files as they were.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plugins/sdk/results.h"

namespace reprise::edr {

class Receipt {
 public:
  // Reads it if there is one. `folder` differs in tests only. Throws Error "bad_receipt".
  explicit Receipt(const std::string& profile, const std::filesystem::path& folder = "/var/lib/reprise-edr");

  bool exists() const { return exists_; }

  // Each remembers once, durably; what is known already stays as it was first.
  void BeforePackage(const std::string& package, const std::optional<std::string>& version);
  // A file, or a folder: one that was not there goes with all that is in it by then.
  void BeforeFile(const std::filesystem::path& path);

  // Packages that were not there before, in the order of their installation.
  std::vector<std::string> PackagesAdded() const;
  // Packages that were there before, and in which version.
  std::vector<std::pair<std::string, std::string>> PackagesRaised() const;
  // Puts every file back as it was. Returns what it put back or took away.
  std::vector<std::string> RestoreFiles() const;

  void Remove();

 private:
  void Save();

  std::filesystem::path folder_;
  sdk::Json content_;
  bool exists_ = false;
};

}  // namespace reprise::edr
