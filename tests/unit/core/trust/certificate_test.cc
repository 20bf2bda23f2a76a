#include "core/trust/certificate.h"

#include "core/trust/certificate_authority.h"
#include "core/trust/certificate_request.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/trust/certificates.h"

namespace reprise::trust {
namespace {

using ::reprise::testing::StatusIs;
using testing::Forged;
using ::testing::HasSubstr;

constexpr UnixMs kNoon = 1'790'000'000'000;
constexpr auto kRefused = absl::StatusCode::kUnauthenticated;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(PeerIdentityTest, IsReadFromWhatTheAuthorityIssues) {
  const CertificateAuthority authority = *CertificateAuthority::Create("HR-1", kNoon);
  const std::string request = *NewRequest(*NewKey(), "x");
  const std::string host_pem = *authority.IssueHost(request, "ws-001", kNoon);
  ASSERT_OK_AND_ASSIGN(const PeerIdentity host, IdentityOfPem(host_pem));
  EXPECT_TRUE(host.IsHost());
  EXPECT_EQ(host.Text(), "host ws-001");
  EXPECT_EQ(host.fingerprint, ReadCertificate(host_pem)->fingerprint);
  ASSERT_OK_AND_ASSIGN(const PeerIdentity alice, IdentityOfPem(*authority.IssueOperator(request, "alice", kNoon)));
  EXPECT_TRUE(alice.IsOperator());
  EXPECT_FALSE(alice.IsHost());
  EXPECT_EQ(alice.Text(), "operator alice");
  ASSERT_OK_AND_ASSIGN(const PeerIdentity server, IdentityOfPem(*authority.IssueServer(request, {}, kNoon)));
  EXPECT_EQ(server.kind, PeerIdentity::Kind::kCoordinator);
  EXPECT_FALSE(server.IsHost() || server.IsOperator());
}

TEST(PeerIdentityTest, IsTheSameFromPemAndDer) {
  const std::string pem = Forged({"ws-001"}, "URI:reprise://host/ws-001");
  ASSERT_OK_AND_ASSIGN(const PeerIdentity identity, IdentityOfDer(testing::Der(pem)));
  EXPECT_EQ(identity.name, "ws-001");
  EXPECT_EQ(identity.fingerprint, IdentityOfPem(pem)->fingerprint);
  EXPECT_THAT(IdentityOfDer(testing::Der(pem) + "x"), StatusIs(kInvalid, HasSubstr("DER")));
  EXPECT_THAT(IdentityOfDer("hello"), StatusIs(kInvalid, HasSubstr("DER")));
  EXPECT_THAT(IdentityOfPem("hello"), StatusIs(kInvalid, HasSubstr("PEM")));
}

TEST(PeerIdentityTest, IsRefusedWhereACertificateLeavesDoubt) {
  const auto identity = [](const std::vector<std::string>& names, const std::string& alternative) {
    return IdentityOfPem(Forged(names, alternative));
  };
  EXPECT_THAT(identity({"ws-001"}, ""), StatusIs(kRefused, HasSubstr("no peer")));
  EXPECT_THAT(identity({"ws-001"}, "DNS:ws-001,URI:https://host/ws-001"), StatusIs(kRefused, HasSubstr("no peer")));
  EXPECT_THAT(identity({"ws-001"}, "URI:reprise://host/ws-001,URI:reprise://operator/alice"),
              StatusIs(kRefused, HasSubstr("more than one")));
  EXPECT_THAT(identity({"alice"}, "URI:reprise://host/ws-001"), StatusIs(kRefused, HasSubstr("something else")));
  for (const char* uri : {"reprise://host/", "reprise://host/WS", "reprise://host/a/b", "reprise://admin/alice",
                          "reprise://operator", "reprise://coordinator/x", "reprise://host/../alice"}) {
    EXPECT_THAT(identity({"alice"}, std::string("URI:") + uri), StatusIs(kRefused, HasSubstr("names nobody"))) << uri;
  }
  EXPECT_THAT(identity({}, "URI:reprise://host/ws-001"), StatusIs(kInvalid, HasSubstr("one common name")));
  EXPECT_THAT(identity({"ws-001", "alice"}, "URI:reprise://host/ws-001"),
              StatusIs(kInvalid, HasSubstr("one common name")));
}

TEST(PeerIdentityTest, DoesNotStopReadingANameAtAZeroByte) {
  EXPECT_THAT(IdentityOfPem(Forged({std::string("ws-001\0.evil", 12)}, "URI:reprise://host/ws-001")),
              StatusIs(kRefused, HasSubstr("something else")));
}

TEST(CertificateTest, IsRenewedAtHalfItsLife) {
  Certificate certificate;
  certificate.not_before = 1000;
  certificate.not_after = 3000;
  EXPECT_EQ(certificate.RenewAt(), 2000);
}

}  // namespace
}  // namespace reprise::trust
