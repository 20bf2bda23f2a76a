#include "core/coordinator/enrolment.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"
#include "core/model/names.h"
#include "core/trust/certificate.h"
#include "core/trust/join_code.h"

namespace reprise::coordinator {
namespace {

using nlohmann::json;

constexpr size_t kSecretMax = 128;

unsigned HttpCode(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kFailedPrecondition:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

web::Response Json(unsigned status, const json& body) { return {status, "application/json", body.dump() + "\n"}; }

struct Wanted {
  std::string host;
  std::string secret;
  std::string csr;
};

absl::StatusOr<Wanted> Read(const std::string& body) {
  const json object = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return absl::InvalidArgumentError("the request is not a JSON object");
  Wanted wanted;
  for (const auto& [key, text] : {std::pair("host", &wanted.host), std::pair("secret", &wanted.secret),
                                  std::pair("csr", &wanted.csr)}) {
    if (!object.contains(key) || !object[key].is_string()) {
      return absl::InvalidArgumentError(absl::StrCat("the request has no text \"", key, "\""));
    }
    *text = object[key].get<std::string>();
  }
  if (!model::IsName(wanted.host)) return absl::InvalidArgumentError("\"host\" is no name of a host");
  if (wanted.secret.empty() || wanted.secret.size() > kSecretMax) {
    return absl::InvalidArgumentError("\"secret\" is no secret of a join code");
  }
  return wanted;
}

json KeyringAsJson(const journal::v1::State& state) {
  json chain = json::array();
  for (const auto& link : state.keyring()) {
    json signatures = json::array();
    for (const auto& signature : link.signatures()) signatures.push_back(signature.minisig());
    chain.push_back({{"statement_b64", ToBase64(link.statement())}, {"signatures", signatures}});
  }
  return chain;
}

}  // namespace

CertificateMaker MakeCertificateMaker(const trust::CertificateAuthority& authority, const Clock& clock) {
  return [&](const std::string& host, const std::string& csr) -> absl::StatusOr<HostCertificate> {
    HostCertificate made;
    ASSIGN_OR_RETURN(made.pem, authority.IssueHost(csr, host, clock.Now()));
    ASSIGN_OR_RETURN(const trust::Certificate certificate, trust::ReadCertificate(made.pem));
    ASSIGN_OR_RETURN(made.sha256, FromHex(certificate.fingerprint));
    made.valid_from = certificate.not_before;
    return made;
  };
}

void JoinLimits::Turn(UnixMs now) {
  if (now >= window_began_ && now < window_began_ + kWindow) return;
  window_began_ = now;
  tries_ = 0;
  failures_.clear();
}

bool JoinLimits::MayTry(const std::string& address, UnixMs now) {
  Turn(now);
  if (++tries_ > kTriesMax) return false;
  const auto found = failures_.find(address);
  if (found == failures_.end()) return failures_.size() < kAddressesMax;
  return found->second < kFailuresMax;
}

void JoinLimits::Failed(const std::string& address, UnixMs now) {
  Turn(now);
  ++failures_[address];
}

void Enrolment::Handle(web::Request request, web::Respond respond) {
  if (request.target != "/v1/join") return respond(Json(404, {{"error", "only /v1/join is served here"}}));
  if (request.method != "POST") return respond(Json(405, {{"error", "POST it"}}));
  {
    std::lock_guard lock(mutex_);
    if (!limits_.MayTry(request.address, clock_.Now())) {
      return respond(Json(429, {{"error", "too many attempts; try again in a minute"}}));
    }
  }
  auto wanted = Read(request.body);
  if (!wanted.ok()) return Refuse(request.address, wanted.status(), respond);
  auto certificate = issue_(wanted->host, wanted->csr);
  if (!certificate.ok()) return Refuse(request.address, certificate.status(), respond);
  engine::EnrolRequested asked;
  asked.host = wanted->host;
  asked.token_sha256 = trust::HashJoinSecret(wanted->secret);
  asked.certificate_sha256 = certificate->sha256;
  asked.certificate_valid_from = certificate->valid_from;
  asked.address = request.address;
  loop_.Enrol(std::move(asked), [this, host = wanted->host, address = request.address, pem = certificate->pem,
                                 respond](const engine::Engine& engine, const engine::Reply& reply) {
    if (!reply.status.ok()) return Refuse(address, reply.status, respond);
    spdlog::info("host {} joined from {}", host, address);
    uint64_t statement_serial = 0;
    (void)absl::SimpleAtoi(reply.subject, &statement_serial);
    respond(Json(200, {{"certificate", pem},
                       {"statement_serial", statement_serial},
                       {"ca", ca_},
                       {"coordinator", agents_connect_},
                       {"keyring", KeyringAsJson(engine.state())}}));
  });
}

void Enrolment::Refuse(const std::string& address, const absl::Status& status, const web::Respond& respond) {
  {
    std::lock_guard lock(mutex_);
    limits_.Failed(address, clock_.Now());
  }
  spdlog::warn("join from {} refused: {}", address, std::string(status.message()));
  respond(Json(HttpCode(status.code()), {{"error", std::string(status.message())}}));
}

}  // namespace reprise::coordinator
