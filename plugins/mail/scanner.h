// Looks into messages on their way, by clamd: over a socket in the file system, or TCP. Not scanned is never clean.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "plugins/mail/store.h"
#include "plugins/sdk/clamd.h"

namespace reprise::mail {

enum class Judgement { kNotScanned, kClean, kInfected };

struct ScanResult {
  Judgement judgement = Judgement::kNotScanned;
  std::string what;  // The signature's name, or why it was not scanned.
};

class Scanner {
 public:
  virtual ~Scanner() = default;
  // Before anything is moved: throws Error "clamd_absent" or "clamd_silent" when nobody would look.
  virtual void MustAnswer() = 0;
  // The whole message. Throws only "cancelled" and "timed_out"; a scanner that is down has not scanned.
  virtual ScanResult Scan(const std::function<void(const Sink&)>& body) = 0;
};

// "/run/clamav/clamd.ctl", or "10.77.4.9:3310" (an address, not a name). Throws Error "bad_params". May be used by several threads.
std::unique_ptr<Scanner> MakeClamdScanner(const sdk::Context& context, const std::string& where);

// What a limit or a password kept clamd from looking into is not scanned.
ScanResult Judged(const sdk::ClamdReply& reply);

}  // namespace reprise::mail
