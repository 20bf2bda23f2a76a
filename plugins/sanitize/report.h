// What an examination has found, could not look at, and passed over; and the verdict that follows. Safe for threads.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "plugins/sanitize/finding.h"
#include "plugins/sanitize/profile.h"
#include "plugins/sdk/results.h"

namespace reprise::sanitize {

inline constexpr const char* kCleanClaim = "sanitize.clean";

class Report {
 public:
  // Both outlive it. `golden`: SHA-256 by path; a file that is as it has it is no finding.
  Report(const Profile& profile, const std::unordered_map<std::string, std::string>& golden)
      : profile_(profile), golden_(golden) {}
  Report(const Report&) = delete;

  // A finding that the profile or the golden manifest explains is noted instead.
  void Add(Finding finding);
  // Not looked at: it is not known to be clean then.
  void Unseen(const std::string& what, const std::string& why);
  // Worth knowing, and no finding: counted by `topic`, the first few are named.
  void Note(const std::string& topic, const std::string& what);
  void Count(const std::string& what, uint64_t more);
  bool Flagged(const std::string& path) const;
  bool Complete() const;

  // In their order of gravity. Call when nobody adds any more.
  const std::vector<Finding>& Findings();
  // clean, suspicious, compromised, unknown.
  std::string Verdict() const;
  sdk::ClaimState State() const;
  std::string Summary() const;
  Json Observed(size_t shown_max);
  std::vector<sdk::Evidence> Evidence(size_t shown_max);

 private:
  struct Topic {
    uint64_t count = 0;
    std::vector<std::string> first;
  };
  static void AddTo(std::map<std::string, Topic>& topics, const std::string& topic, const std::string& what);
  static Json Shown(const std::map<std::string, Topic>& topics);

  std::string WhyNone(const Finding& finding) const;

  const Profile& profile_;
  const std::unordered_map<std::string, std::string>& golden_;
  mutable std::mutex mutex_;
  std::vector<Finding> findings_;
  std::set<std::string> ids_, paths_;
  std::map<std::string, Topic> unseen_, notes_;
  std::map<std::string, uint64_t> counts_;
};

}  // namespace reprise::sanitize
