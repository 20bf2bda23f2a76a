#include "core/cli/context.h"

#include <ostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/trust/certificate.h"

namespace reprise::cli {
namespace {

constexpr UnixMs kWarnBefore = 5 * 24 * UnixMs{3'600'000};

}  // namespace

absl::StatusOr<const Profile*> Context::profile() {
  if (!profile_) {
    ASSIGN_OR_RETURN(profile_, LoadProfile(ProfileFolder(flags.profile), clock.Now()));
    const auto certificate = trust::ReadCertificate(profile_->certificate_pem);
    if (certificate.ok() && certificate->not_after < clock.Now() + kWarnBefore) {
      Note(absl::StrCat("your certificate expires at ", FormatTime(certificate->not_after),
                        "; an admin renews it with `reprise key certify ", profile_->operator_name, "`"));
    }
  }
  return &*profile_;
}

absl::StatusOr<Client*> Context::client() {
  if (!client_) {
    ASSIGN_OR_RETURN(const Profile* mine, profile());
    client_ = connect_(*mine, flags.timeout_ms);
  }
  return client_.get();
}

void Context::PrintJson(const Json& value) {
  terminal.out() << value.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

void Context::Say(const std::string& line) {
  if (!json()) terminal.out() << line << '\n';
}

void Context::Note(const std::string& line) { terminal.err() << line << '\n' << std::flush; }

absl::Status Context::Confirm(const std::string& question) {
  if (flags.yes) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string answer, terminal.Ask(question + " [y/N] "));
  const std::string word = absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer));
  if (word == "y" || word == "yes" || word == "o" || word == "oui") return absl::OkStatus();
  return absl::CancelledError("not confirmed; nothing was done");
}

std::string Context::Ago(UnixMs at) const {
  if (at == 0) return "never";
  const int64_t seconds = (clock.Now() - at) / 1000;
  if (seconds < 0) return FormatTime(at);
  if (seconds < 120) return absl::StrCat(seconds, " s ago");
  if (seconds < 2 * 3600) return absl::StrCat(seconds / 60, " min ago");
  if (seconds < 48 * 3600) return absl::StrCat(seconds / 3600, " h ago");
  return absl::StrCat(seconds / 86'400, " d ago");
}

}  // namespace reprise::cli
