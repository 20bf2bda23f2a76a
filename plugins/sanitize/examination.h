// One look at a whole host: what it is made of, shared by the actions that look (check, evidence, clean's verify, signoff).
#pragma once

#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/sanitize/dpkg_records.h"
#include "plugins/sanitize/profile.h"
#include "plugins/sanitize/report.h"
#include "plugins/sanitize/tree.h"
#include "plugins/sdk/action.h"

namespace reprise::sanitize {

// What every hunt is given. Not copied: the report refers to the profile.
struct Examination {
  explicit Examination(const sdk::Context& context);
  Examination(const Examination&) = delete;

  // False once the time that `budget` and the deadline give is over; that is then reported as not looked at, once.
  bool GoOn(const std::string& where);
  // By the step: neither walked, nor compared, nor scanned.
  bool IsExcluded(const std::string& path) const;
  // Runs `hunt`; what it throws, but for the end on request, is reported as `what` not looked at.
  template <typename Hunt>
  void Try(const std::string& what, Hunt hunt) {
    if (!GoOn(what)) return;
    try {
      hunt();
    } catch (const sdk::Error& error) {
      if (error.code() == "cancelled" || error.code() == "bad_golden") throw;
      report.Unseen(what, error.what());
    } catch (const std::system_error& error) {
      report.Unseen(what, error.what());
    }
  }

  const sdk::Context& context;
  const Tree tree;
  const Profile profile;
  const std::unordered_map<std::string, std::string> golden;
  Report report;
  DpkgRecords records;
  std::vector<std::string> scan;  // For YARA, besides what is flagged: code that nobody vouches for.

 private:
  const std::set<std::string, std::less<>> exclude_;
  const sdk::Context::Clock::time_point until_;
  bool over_ = false;
};

// All hunts, in order.
void ExamineAll(Examination& on);

// The parameters by which these actions say where and how long they look, and `more`.
sdk::Params ExaminationParams(std::vector<sdk::Param> more = {});

}  // namespace reprise::sanitize
