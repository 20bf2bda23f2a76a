// What the mail lead reads, and nobody else: which box is where, and what of it did not come along, by name. On the mover's own disk,
// readable by root only; everything else that this plugin says has counts. In French and English, as text and as CSV.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "plugins/mail/batch_box.h"

namespace reprise::mail {

// One message that is held or failed.
struct Trouble {
  FolderPath folder;
  InternalDate date;
  uint64_t bytes = 0;
  std::string why;
};

struct BoxReport {
  BoxResult result;
  uint64_t there = 0, bytes = 0;    // Messages in the target.
  std::vector<Trouble> troubles;    // At most kTroublesMax.
  uint64_t more_troubles = 0;
};

inline constexpr size_t kTroublesMax = 50;

// `ledger` may be none.
BoxReport ReportOf(BoxResult result, const Ledger* ledger);

std::string ReportText(const std::string& batch, const std::string& doing, const std::string& when, const std::vector<BoxReport>& boxes);
std::string ReportCsv(const std::string& batch, const std::vector<BoxReport>& boxes);

// <folder>/<batch>.txt and .csv, 0600; the former ones are replaced.
void WriteReport(const std::filesystem::path& folder, const std::string& batch, const std::string& doing, const std::vector<BoxReport>& boxes);

}  // namespace reprise::mail
