// A recovery point from its path to its verdict: lists what there is, has it judged by the pool, and adds it up.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "plugins/backup/judge/verdict.h"
#include "plugins/backup/worker/pool.h"
#include "plugins/backup/worker/resume.h"
#include "plugins/sdk/manifest.h"

namespace reprise::backup {

struct Judgement {
  std::string path;
  Verdict verdict = Verdict::kNotEvaluated;
  Facts facts;
  std::map<std::string, uint64_t> formats;  // Files of each.
  std::vector<Finding> evidence;            // The worst first; at most kEvidenceMax.
  uint64_t evidence_left_out = 0;
  std::vector<std::string> missing;
  // Where it was asked for and every file could be read: the manifest, its SHA-256, and when its newest file was written.
  std::vector<sdk::ManifestFile> manifest;
  std::string manifest_sha256;
  int64_t newest_unix_ms = 0;
  uint64_t resumed = 0;  // Jobs whose outcome was known already.
  std::string basis;  // Why a sound one is no more than it is, or what a verdict stands on.

  // Shares of the bytes, 0 to 1.
  double Coverage() const;
  double Checked() const;
};

inline constexpr size_t kEvidenceMax = 100;

struct Steps {
  // `bytes`: what is still to be read.
  std::function<void(const std::string& path, uint64_t bytes)> begin;
  std::function<void(uint64_t read)> read;
};

struct JudgeOptions {
  bool manifest = false;                     // Hash every file, in the same pass.
  const sdk::Manifest* expected = nullptr;   // An earlier manifest: what there must be, and vouches for it.
  Resume* resume = nullptr;
};

// Throws std::system_error when no child can be started, and what `steps` throw, which ends it.
Judgement JudgeRecoveryPoint(const std::string& path, Pool& pool, const Steps& steps, const JudgeOptions& options = {});

// Files and bytes that JudgeRecoveryPoint would have to read. Reads none.
struct Ahead {
  uint64_t jobs = 0;
  uint64_t bytes = 0;
};
Ahead AheadOf(const std::string& path, const JudgeOptions& options);

}  // namespace reprise::backup
