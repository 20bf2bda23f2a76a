// The server as another DICOM node sees it, with dcmtk's programs: neither Orthanc nor this adapter counts what they count.
// A program that ends with 0 has not always been served: findscu does when it was turned away. Only the server's final
// "success" is one.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/pacs/settings.h"
#include "plugins/sdk/context.h"

namespace reprise::pacs {

// A response of C-FIND: tag ("0008,0018") -> value.
using Found = std::map<std::string, std::string>;

// From what findscu -v says. Throws Error "refused" unless it ends with the server's success.
std::vector<Found> ReadFindings(std::string_view text);

class DicomNode {
 public:
  // `title`: as whom it asks.
  DicomNode(const sdk::Context& context, const Settings& settings, std::string title = kOwnTitle)
      : context_(context), settings_(settings), title_(std::move(title)) {}

  // C-ECHO: empty if the server answers, else why not.
  std::string WhyNoEcho() const;
  // C-FIND at the level of studies: all of them.
  std::vector<Found> Studies() const;
  // C-FIND at the level of images, of these studies.
  std::vector<Found> Images(const std::vector<std::string>& studies) const;
  // C-GET of one image into `folder`. Empty: there it is; else why not.
  std::string WhyNotFetched(const std::string& study, const std::string& series, const std::string& instance,
                            const std::filesystem::path& folder) const;
  // C-STORE of a file. True if the server took it.
  bool Stores(const std::filesystem::path& file) const;
  // True if the server turns a question of this node away.
  bool IsTurnedAway() const;

 private:
  std::vector<std::string> Command(const char* program, std::vector<std::string> options) const;
  std::vector<Found> Find(const std::vector<std::string>& keys) const;

  const sdk::Context& context_;
  const Settings& settings_;
  std::string title_;
};

}  // namespace reprise::pacs
