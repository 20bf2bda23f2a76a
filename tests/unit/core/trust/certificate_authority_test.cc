#include "core/trust/certificate_authority.h"

#include "core/trust/certificate_request.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/core/trust/certificates.h"

namespace reprise::trust {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::_;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr UnixMs kNoon = 1'790'000'000'000;

class AuthorityTest : public ::testing::Test {
 protected:
  AuthorityTest()
      : authority(*CertificateAuthority::Create("HR-1", kNoon)),
        key(*NewKey()),
        request(*NewRequest(key, "anything")) {}

  CertificateAuthority authority;
  std::string key;
  std::string request;
};

TEST_F(AuthorityTest, IsTheSameAfterItWasSavedAndLoaded) {
  ASSERT_OK_AND_ASSIGN(const std::string key_pem, authority.KeyPem());
  ASSERT_OK_AND_ASSIGN(const CertificateAuthority loaded, CertificateAuthority::Load(authority.certificate(), key_pem));
  EXPECT_EQ(loaded.fingerprint(), authority.fingerprint());
  EXPECT_EQ(loaded.certificate(), authority.certificate());
  ASSERT_OK_AND_ASSIGN(const std::string issued, loaded.IssueHost(request, "ws-001", kNoon));
  EXPECT_EQ(testing::Verify(authority.certificate(), issued, X509_PURPOSE_SSL_CLIENT, kNoon), "ok");
}

TEST_F(AuthorityTest, NamesItsSite) {
  ASSERT_OK_AND_ASSIGN(const Certificate own, ReadCertificate(authority.certificate()));
  EXPECT_EQ(own.subject, "Reprise CA HR-1");
  EXPECT_TRUE(own.authority);
  EXPECT_EQ(own.fingerprint, authority.fingerprint());
  EXPECT_OK(CertificateAuthority::Create("Hôpital du Sud", kNoon));
  EXPECT_THAT(CertificateAuthority::Create("", kNoon), StatusIs(kInvalid, HasSubstr("plain text")));
  EXPECT_THAT(CertificateAuthority::Create("two\nlines", kNoon), StatusIs(kInvalid, HasSubstr("plain text")));
  EXPECT_THAT(CertificateAuthority::Create(std::string(51, 'x'), kNoon), StatusIs(kInvalid, HasSubstr("has 51")));
}

TEST_F(AuthorityTest, DoesNotLoadWhatIsNotOne) {
  const std::string key_pem = *authority.KeyPem();
  const std::string leaf = *authority.IssueHost(request, "ws-001", kNoon);
  EXPECT_THAT(CertificateAuthority::Load("", key_pem), StatusIs(kInvalid, HasSubstr("certificate cannot be read")));
  EXPECT_THAT(CertificateAuthority::Load(authority.certificate(), "x"),
              StatusIs(kInvalid, HasSubstr("key cannot be read")));
  EXPECT_THAT(CertificateAuthority::Load(authority.certificate(), key), StatusIs(kInvalid, HasSubstr("not the one")));
  EXPECT_THAT(CertificateAuthority::Load(leaf, key), StatusIs(kInvalid, HasSubstr("may sign others")));
}

TEST_F(AuthorityTest, CertifiesAHostForADay) {
  ASSERT_OK_AND_ASSIGN(const std::string pem, authority.IssueHost(request, "ws-001", kNoon));
  ASSERT_OK_AND_ASSIGN(const Certificate issued, ReadCertificate(pem));
  EXPECT_EQ(issued.subject, "ws-001");
  EXPECT_THAT(issued.uris, ElementsAre("reprise://host/ws-001"));
  EXPECT_FALSE(issued.authority);
  EXPECT_EQ(issued.not_before, kNoon - kClockTolerance);
  EXPECT_EQ(issued.not_after, kNoon + 24 * kHour);
  EXPECT_OK(CheckKeyBelongs(key, pem));
  const auto verify = [&](int purpose, UnixMs now) {
    return testing::Verify(authority.certificate(), pem, purpose, now);
  };
  EXPECT_EQ(verify(X509_PURPOSE_SSL_CLIENT, kNoon - kClockTolerance), "ok");
  EXPECT_EQ(verify(X509_PURPOSE_SSL_CLIENT, kNoon + 24 * kHour - 1000), "ok");
  EXPECT_THAT(verify(X509_PURPOSE_SSL_CLIENT, kNoon + 25 * kHour), HasSubstr("expired"));
  EXPECT_THAT(verify(X509_PURPOSE_SSL_CLIENT, kNoon - kHour), HasSubstr("not yet valid"));
  EXPECT_THAT(verify(X509_PURPOSE_SSL_SERVER, kNoon), HasSubstr("purpose")) << "a host is no server";
  const CertificateAuthority other = *CertificateAuthority::Create("HR-1", kNoon);
  EXPECT_NE(testing::Verify(other.certificate(), pem, X509_PURPOSE_SSL_CLIENT, kNoon), "ok");
}

TEST_F(AuthorityTest, CertifiesAnOperatorForAMonth) {
  ASSERT_OK_AND_ASSIGN(const std::string pem, authority.IssueOperator(request, "alice", kNoon));
  ASSERT_OK_AND_ASSIGN(const Certificate issued, ReadCertificate(pem));
  EXPECT_THAT(issued.uris, ElementsAre("reprise://operator/alice"));
  EXPECT_EQ(issued.not_after, kNoon + 30 * 24 * kHour);
  EXPECT_EQ(testing::Verify(authority.certificate(), pem, X509_PURPOSE_SSL_CLIENT, kNoon), "ok");
}

TEST_F(AuthorityTest, CertifiesTheServerUnderEveryNameAndAddress) {
  ASSERT_OK_AND_ASSIGN(const std::string pem,
                       authority.IssueServer(request, {"10.77.0.1", "fd00::1", "coordinator.hr1.example"}, kNoon));
  ASSERT_OK_AND_ASSIGN(const Certificate issued, ReadCertificate(pem));
  EXPECT_THAT(issued.dns_names, ElementsAre("reprise-coordinator", "coordinator.hr1.example"));
  EXPECT_THAT(issued.addresses, ElementsAre("10.77.0.1", "fd00::1"));
  const auto verify = [&](const char* name, UnixMs now) {
    return testing::Verify(authority.certificate(), pem, X509_PURPOSE_SSL_SERVER, now, name);
  };
  EXPECT_EQ(verify("reprise-coordinator", kNoon), "ok");
  EXPECT_EQ(verify("coordinator.hr1.example", kNoon), "ok");
  EXPECT_THAT(verify("elsewhere.example", kNoon), HasSubstr("mismatch"));
  EXPECT_EQ(verify("reprise-coordinator", kNoon - 20 * kHour), "ok") << "a host's clock may be behind";
  EXPECT_THAT(authority.IssueServer(request, {"10.77.0.1:7443"}, kNoon), StatusIs(kInvalid, HasSubstr("without port")));
  EXPECT_THAT(authority.IssueServer(request, {"a,DNS:*"}, kNoon), StatusIs(kInvalid, _));
}

TEST_F(AuthorityTest, TakesNothingFromARequestButItsKey) {
  const testing::Key own = testing::ReadKey(key);
  ASSERT_OK_AND_ASSIGN(const std::string pem,
                       authority.IssueHost(testing::GreedyRequest(own.get(), own.get()), "ws-001", kNoon));
  ASSERT_OK_AND_ASSIGN(const Certificate issued, ReadCertificate(pem));
  EXPECT_EQ(issued.subject, "ws-001");
  EXPECT_THAT(issued.uris, ElementsAre("reprise://host/ws-001"));
  EXPECT_FALSE(issued.authority);
}

TEST_F(AuthorityTest, RefusesRequestsItCannotTrust) {
  const testing::Key own = testing::ReadKey(key);
  const testing::Key other(EVP_EC_gen("P-256"));
  const testing::Key large(EVP_EC_gen("P-384"));
  const testing::Key rsa(EVP_RSA_gen(2048));
  const testing::Key edwards(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const auto issue = [&](const std::string& text) { return authority.IssueHost(text, "ws-001", kNoon); };
  EXPECT_THAT(issue(testing::GreedyRequest(own.get(), other.get())),
              StatusIs(kInvalid, HasSubstr("not signed by the key")));
  EXPECT_THAT(issue(testing::GreedyRequest(large.get(), large.get())), StatusIs(kInvalid, HasSubstr("P-256")));
  EXPECT_THAT(issue(testing::GreedyRequest(rsa.get(), rsa.get())), StatusIs(kInvalid, HasSubstr("P-256")));
  EXPECT_THAT(issue(""), StatusIs(kInvalid, HasSubstr("cannot be read")));
  EXPECT_THAT(issue(authority.certificate()), StatusIs(kInvalid, HasSubstr("cannot be read")));
  EXPECT_THAT(issue(std::string(100'000, 'A')), StatusIs(kInvalid, HasSubstr("at most")));
}

TEST_F(AuthorityTest, RefusesNamesThatAreNone) {
  for (const char* name : {"", "WS-001", "a/b", "a\nb", "admin,URI:reprise://coordinator", "-x"}) {
    EXPECT_THAT(authority.IssueHost(request, name, kNoon), StatusIs(kInvalid, HasSubstr("is not a name"))) << name;
    EXPECT_THAT(authority.IssueOperator(request, name, kNoon), StatusIs(kInvalid, HasSubstr("is not a name"))) << name;
  }
  EXPECT_OK(authority.IssueHost(request, std::string(64, 'a'), kNoon));
  EXPECT_THAT(authority.IssueHost(request, std::string(65, 'a'), kNoon), StatusIs(kInvalid, _));
}

TEST_F(AuthorityTest, NeverIssuesBeyondItsOwnEnd) {
  const UnixMs late = kNoon + kAuthorityLife - kHour;
  ASSERT_OK_AND_ASSIGN(const std::string pem, authority.IssueHost(request, "ws-001", late));
  EXPECT_EQ(ReadCertificate(pem)->not_after, ReadCertificate(authority.certificate())->not_after);
}

TEST_F(AuthorityTest, GivesEveryCertificateAFingerprintOfItsOwn) {
  const std::string one = *authority.IssueHost(request, "ws-001", kNoon);
  const std::string two = *authority.IssueHost(request, "ws-001", kNoon);
  EXPECT_NE(ReadCertificate(one)->fingerprint, ReadCertificate(two)->fingerprint);
}

TEST(TlsTest, IsSpokenByWhatTheAuthorityCertifiesAndByNobodyElse) {
  const UnixMs now = SystemClock().Now();
  const CertificateAuthority site = *CertificateAuthority::Create("HR-1", now);
  const CertificateAuthority other = *CertificateAuthority::Create("HR-1", now);
  const std::string server_key = *NewKey();
  const std::string host_key = *NewKey();
  const std::string server_cert = *site.IssueServer(*NewRequest(server_key, "x"), {}, now);
  const std::string host_cert = *site.IssueHost(*NewRequest(host_key, "x"), "ws-001", now);
  const testing::TlsEnd server{server_key, server_cert, site.certificate()};
  const testing::TlsEnd host{host_key, host_cert, site.certificate()};
  EXPECT_TRUE(testing::Handshake(server, host, kServerDnsName));
  EXPECT_FALSE(testing::Handshake(server, host, "elsewhere"));
  EXPECT_FALSE(testing::Handshake(host, host, kServerDnsName)) << "a host posing as the coordinator";
  EXPECT_FALSE(testing::Handshake(server, server, kServerDnsName)) << "the server's certificate is no client's";
  const std::string stranger = *other.IssueHost(*NewRequest(host_key, "x"), "ws-001", now);
  EXPECT_FALSE(testing::Handshake(server, {host_key, stranger, site.certificate()}, kServerDnsName));
  EXPECT_FALSE(testing::Handshake(server, {host_key, host_cert, other.certificate()}, kServerDnsName));
  const std::string expired = *site.IssueHost(*NewRequest(host_key, "x"), "ws-001", now - 30 * kHour);
  EXPECT_FALSE(testing::Handshake(server, {host_key, expired, site.certificate()}, kServerDnsName));
}

TEST(RequestTest, TellsAKeyFromAnother) {
  const CertificateAuthority authority = *CertificateAuthority::Create("HR-1", kNoon);
  const std::string key = *NewKey();
  const std::string certificate = *authority.IssueHost(*NewRequest(key, "x"), "ws-001", kNoon);
  EXPECT_OK(CheckKeyBelongs(key, certificate));
  EXPECT_THAT(CheckKeyBelongs(*NewKey(), certificate),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("another key")));
  EXPECT_THAT(CheckKeyBelongs("", certificate), StatusIs(kInvalid, _));
  EXPECT_THAT(NewRequest("not a key", "x"), StatusIs(kInvalid, HasSubstr("private key")));
  EXPECT_NE(*NewKey(), *NewKey());
}

}  // namespace
}  // namespace reprise::trust
