#include "plugins/mail/scanner.h"

#include <atomic>
#include <chrono>

#include "plugins/sdk/clamd.h"

namespace reprise::mail {
namespace {

class ClamdScanner final : public Scanner {
 public:
  ClamdScanner(const sdk::Context& context, const std::string& where) : clamd_(context, where) {}

  void MustAnswer() override { clamd_.Version(); }

  ScanResult Scan(const std::function<void(const Sink&)>& body) override {
    // One that went away is not waited for again and again: each message would wait for its silence.
    if (Clock::now().time_since_epoch().count() < away_until_) return {Judgement::kNotScanned, "it did not answer a moment ago"};
    try {
      return Judged(clamd_.Stream(body));
    } catch (const sdk::Error& error) {
      if (error.code() != "clamd_absent" && error.code() != "clamd_silent") throw;
      away_until_ = (Clock::now() + kAway).time_since_epoch().count();
      return {Judgement::kNotScanned, error.what()};
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kAway{5};

  const sdk::Clamd clamd_;
  std::atomic<Clock::rep> away_until_ = 0;
};

}  // namespace

std::unique_ptr<Scanner> MakeClamdScanner(const sdk::Context& context, const std::string& where) {
  return std::make_unique<ClamdScanner>(context, where);
}

ScanResult Judged(const sdk::ClamdReply& reply) {
  switch (reply.what) {
    case sdk::ClamdReply::kOk: return {Judgement::kClean, ""};
    case sdk::ClamdReply::kFound: {
      const bool limited = reply.name.starts_with("Heuristics.Limits.Exceeded") || reply.name.starts_with("Heuristics.Encrypted");
      return {limited ? Judgement::kNotScanned : Judgement::kInfected, reply.name.empty() ? "(no name)" : reply.name};
    }
    case sdk::ClamdReply::kOther: return {Judgement::kNotScanned, "it says " + reply.name};
    case sdk::ClamdReply::kNothing: break;
  }
  return {Judgement::kNotScanned, "it says nothing"};
}

}  // namespace reprise::mail
