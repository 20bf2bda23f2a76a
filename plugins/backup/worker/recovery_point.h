// A recovery point from its path to its verdict: lists what there is, has it judged by the pool, and adds it up.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "plugins/backup/judge/verdict.h"
#include "plugins/backup/worker/pool.h"

namespace reprise::backup {

struct Judgement {
  std::string path;
  Verdict verdict = Verdict::kNotEvaluated;
  Facts facts;
  std::map<std::string, uint64_t> formats;  // Files of each.
  std::vector<Finding> evidence;            // The worst first; at most kEvidenceMax.
  uint64_t evidence_left_out = 0;
  std::vector<std::string> missing;
  std::string basis;  // Why a sound one is no more than it is, or what a verdict stands on.

  // Shares of the bytes, 0 to 1.
  double Coverage() const;
  double Checked() const;
};

inline constexpr size_t kEvidenceMax = 100;

struct Steps {
  std::function<void(const std::string& path, uint64_t bytes)> begin;
  std::function<void(uint64_t read)> read;
};

// Throws std::system_error when no child can be started.
Judgement JudgeRecoveryPoint(const std::string& path, Pool& pool, const Steps& steps);

}  // namespace reprise::backup
