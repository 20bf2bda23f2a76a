// Everything that a kept storage has, as dcmtk reads it: which instances, in which series, studies, patients; and by name
// what is damaged. The measure that an index is held against; the server is not asked for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "plugins/pacs/dcmdump.h"
#include "plugins/sdk/context.h"

namespace reprise::pacs {

struct Instance {
  std::filesystem::path file;  // Relative to the storage.
  bool compressed = false;
  bool native = false;         // Its pixels are not encoded: any DICOM node takes it as it is.
  std::string study;
  std::string series;
};

struct Damage {
  std::string file;  // Relative to the storage.
  std::string why;
};

struct Counts {
  uint64_t patients = 0, studies = 0, series = 0, instances = 0;
  bool operator==(const Counts&) const = default;
  // "3 patients, 4 studies, 9 series, 120 instances"
  std::string Shown() const;
};

struct Census {
  std::map<std::string, Instance> instances;  // By SOPInstanceUID.
  std::set<std::string> patients;             // Hashes of their identifiers.
  std::set<std::string> studies;
  std::set<std::string> series;
  std::vector<Damage> damaged;                // Sorted by file.
  std::vector<std::string> foreign;           // What is no part of a storage: ransom notes, renamed files.
  std::vector<Damage> conflicts;              // A second file of an instance, with other content.
  uint64_t attachments = 0, copies = 0;       // Orthanc's notes; second files of an instance, with the same content.

  Counts counts() const { return {patients.size(), studies.size(), series.size(), instances.size()}; }
  bool IsWhole() const { return !instances.empty() && damaged.empty() && foreign.empty() && conflicts.empty(); }
  // What keeps it from being whole, the first of each kind by name; empty if it is.
  std::string WhyNotWhole() const;
};

// `done`: so many of so many files. Throws Error "not_restored" if there is no such folder.
Census TakeCensus(const sdk::Context& context, const std::filesystem::path& storage,
                  const std::function<void(uint64_t done, uint64_t of)>& done = nullptr);

// The instance's file as it was before Orthanc compressed it: itself, or a copy in the verb's work folder.
class PlainFile {
 public:
  PlainFile(const sdk::Context& context, const std::filesystem::path& storage, const Instance& instance);
  ~PlainFile();
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool copy_ = false;
};

}  // namespace reprise::pacs
