// What the actions are made of: the step's parameters read, the roster, both servers, the scanner; one batch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plugins/mail/batch.h"
#include "plugins/mail/credentials.h"
#include "plugins/mail/profile.h"
#include "plugins/mail/quarantine.h"
#include "plugins/mail/scanner.h"
#include "plugins/mail/tls_flow.h"
#include "plugins/sdk/sdk.h"

namespace reprise::mail {

// Of all actions.
sdk::Params SiteParams();
// Of those that move.
void AddMoveParams(sdk::Params& params, const char* failures_max);

class Site {
 public:
  explicit Site(sdk::Context& context);

  sdk::Context& context() const { return context_; }
  const std::string& batch() const { return batch_; }
  const std::vector<Box>& boxes() const { return boxes_; }
  // Waits until so many more messages may be appended, all mailboxes together.
  void Pace(size_t messages);
  const std::filesystem::path& state() const { return state_; }
  size_t connections() const { return connections_; }
  const Profile& target_profile() const { return target_profile_; }

  // Throws Error when a scanner is configured and does not answer.
  void ScannerMustAnswer();
  Stores stores();
  // Ends a verb that is cancelled or has no time left.
  Watch watch() const;
  BoxOptions Options();

  // `work` for each box that is not excluded, with progress. What a box cannot do is its own failure.
  std::vector<BoxResult> Each(const std::string& doing, const std::function<BoxResult(const Box&, const Watch&)>& work);
  // From the ledgers alone.
  std::vector<BoxResult> AsKnown();
  std::optional<Ledger> LedgerOf(const Box& box) const;

  // The numbers that are worth a curve, from the ledgers.
  std::vector<sdk::Measure> Measures(const std::vector<BoxResult>& results) const;
  // "roster line 17: differs", for boxes that need somebody; at most kLinesMax.
  std::vector<sdk::Evidence> Lines(const std::vector<BoxResult>& results) const;

  static constexpr size_t kLinesMax = 40;

 private:
  sdk::Context& context_;
  const std::string batch_;
  const std::filesystem::path state_;
  const Profile source_profile_, target_profile_;
  std::vector<Box> boxes_;
  size_t connections_ = 1;
  Credentials source_credentials_, target_credentials_;
  Flow source_flow_, target_flow_;
  Flow message_flow_;  // Of thousandths of messages.
  std::unique_ptr<Scanner> scanner_;
  std::unique_ptr<Quarantine> quarantine_;
};

}  // namespace reprise::mail
