#include "plugins/mail/scanner.h"

#include "plugins/sdk/clamd.h"

namespace reprise::mail {
namespace {

class ClamdScanner final : public Scanner {
 public:
  ClamdScanner(const sdk::Context& context, const std::string& where) : clamd_(context, where) {}

  ScanResult Scan(const std::function<void(const Sink&)>& body) override {
    try {
      return Judged(clamd_.Stream(body));
    } catch (const sdk::Error& error) {
      if (error.code() != "clamd_absent" && error.code() != "clamd_silent") throw;
      return {Judgement::kNotScanned, error.what()};
    }
  }

 private:
  const sdk::Clamd clamd_;
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
