#include "core/trust/coordinator_folder.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "core/base/files.h"
#include "core/trust/certificate.h"
#include "core/trust/certificate_request.h"
#include "tests/support/status_matchers.h"

namespace reprise::trust {
namespace {

using ::reprise::testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr UnixMs kNoon = 1'790'000'000'000;
constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

class CoordinatorFolderTest : public ::testing::Test {
 protected:
  CoordinatorFolderTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "reprise-site-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    config_.site = "HR-1";
    config_.names = {"10.77.0.1"};
  }
  ~CoordinatorFolderTest() override { std::filesystem::remove_all(root_); }

  static unsigned Mode(const std::filesystem::path& path) {
    struct stat found {};
    return stat(path.c_str(), &found) == 0 ? found.st_mode & 0777 : 0;
  }

  std::filesystem::path root_;
  CoordinatorConfig config_;
};

TEST_F(CoordinatorFolderTest, HoldsAllThatACoordinatorStartsWith) {
  const CoordinatorFolder folder(root_ / "deep" / "data");
  ASSERT_OK(folder.Create(config_, kNoon));
  EXPECT_EQ(Mode(folder.path()), 0700u);
  EXPECT_EQ(Mode(folder.AuthorityKey()), 0600u);
  EXPECT_EQ(Mode(folder.ServerKey()), 0600u);
  EXPECT_TRUE(std::filesystem::is_directory(folder.Blobs()));
  ASSERT_OK_AND_ASSIGN(const CoordinatorConfig config, folder.ReadConfig());
  EXPECT_EQ(config.Json(), config_.Json());
  ASSERT_OK_AND_ASSIGN(const CertificateAuthority authority, folder.LoadAuthority());
  ASSERT_OK_AND_ASSIGN(const auto server, folder.LoadServerIdentity(kNoon));
  EXPECT_OK(CheckKeyBelongs(server.key, server.certificate_chain));
  EXPECT_THAT(ReadCertificate(server.certificate_chain)->addresses, ElementsAre("10.77.0.1"));
  EXPECT_THAT(server.certificate_chain, HasSubstr(authority.certificate())) << "a joining agent must see the authority";
}

TEST_F(CoordinatorFolderTest, IsNeverMadeTwice) {
  const CoordinatorFolder folder(root_ / "data");
  ASSERT_OK(folder.Create(config_, kNoon));
  const std::string key = *ReadFile(folder.AuthorityKey());
  EXPECT_THAT(folder.Create(config_, kNoon), StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("already")));
  EXPECT_EQ(*ReadFile(folder.AuthorityKey()), key);
}

TEST_F(CoordinatorFolderTest, SaysWhatToDoWhereThereIsNone) {
  EXPECT_THAT(CoordinatorFolder(root_).ReadConfig(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("reprise init")));
}

TEST_F(CoordinatorFolderTest, MakesNothingFromAConfigurationThatCouldNotStart) {
  config_.listen = "no port";
  EXPECT_THAT(CoordinatorFolder(root_ / "data").Create(config_, kNoon), StatusIs(kInvalid, HasSubstr("listen")));
  EXPECT_FALSE(std::filesystem::exists(root_ / "data"));
}

TEST_F(CoordinatorFolderTest, KeepsTheServersCertificateUntilItIsTimeForAnother) {
  const CoordinatorFolder folder(root_);
  ASSERT_OK(folder.Create(config_, kNoon));
  const std::string first = *ReadFile(folder.ServerCertificate());
  ASSERT_OK(folder.LoadServerIdentity(kNoon + 100 * kHour));
  EXPECT_EQ(*ReadFile(folder.ServerCertificate()), first);
  ASSERT_OK_AND_ASSIGN(const auto renewed, folder.LoadServerIdentity(kNoon + kServerCertificateLife / 2));
  EXPECT_NE(*ReadFile(folder.ServerCertificate()), first);
  EXPECT_OK(CheckKeyBelongs(renewed.key, renewed.certificate_chain));
}

TEST_F(CoordinatorFolderTest, GivesTheServerANewCertificateForANewName) {
  const CoordinatorFolder folder(root_);
  ASSERT_OK(folder.Create(config_, kNoon));
  config_.names.push_back("new.example");
  ASSERT_OK(WriteFileDurably(folder.Config(), config_.Json()));
  ASSERT_OK_AND_ASSIGN(const auto server, folder.LoadServerIdentity(kNoon));
  EXPECT_THAT(ReadCertificate(server.certificate_chain)->dns_names, Contains("new.example"));
}

TEST_F(CoordinatorFolderTest, MendsAKeyThatWasWrittenWithoutItsCertificate) {
  const CoordinatorFolder folder(root_);
  ASSERT_OK(folder.Create(config_, kNoon));
  ASSERT_OK(WriteFileDurably(folder.ServerKey(), *NewKey(), 0600));
  ASSERT_OK_AND_ASSIGN(const auto server, folder.LoadServerIdentity(kNoon));
  EXPECT_OK(CheckKeyBelongs(server.key, server.certificate_chain));
}

TEST_F(CoordinatorFolderTest, SaysWhichFileIsDamagedAndWhatToTry) {
  const CoordinatorFolder folder(root_);
  ASSERT_OK(folder.Create(config_, kNoon));
  ASSERT_OK(WriteFileDurably(folder.AuthorityCertificate(), "rubbish"));
  EXPECT_THAT(folder.LoadAuthority(), StatusIs(kInvalid, AllOf(HasSubstr(folder.AuthorityCertificate().string()),
                                                               HasSubstr("from one copy of this folder"))));
  std::filesystem::remove(folder.AuthorityKey());
  EXPECT_THAT(folder.LoadAuthority(),
              StatusIs(absl::StatusCode::kNotFound, AllOf(HasSubstr(folder.AuthorityKey().string()),
                                                          HasSubstr("from one copy of this folder"))));
  ASSERT_OK(WriteFileDurably(folder.Config(), ""));
  EXPECT_THAT(folder.ReadConfig(), StatusIs(kInvalid, AllOf(HasSubstr(folder.Config().string() + ": not a JSON object"),
                                                            HasSubstr("restore it from a copy"))));
}

TEST(CoordinatorConfigTest, NamesTheFieldThatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {R"({})", "\"site\""},
      {R"({"site": 1})", "\"site\": expected a text"},
      {R"({"site": "x", "listen": "x"})", "\"listen\": expected HOST:PORT"},
      {R"({"site": "x", "web_listen": ":"})", "\"web_listen\""},
      {R"({"site": "x", "join_listen": "0.0.0.0:65536"})", "\"join_listen\""},
      {R"({"site": "x", "names": "a"})", "\"names\": expected a list"},
      {R"({"site": "x", "names": [1]})", "\"names\": expected a list"},
      {R"({"site": "x", "bandwidth_bytes_per_s": -1})", "\"bandwidth_bytes_per_s\""},
      {R"({"site": "x", "web_listne": "a"})", "did you mean \"web_listen\""},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT(CoordinatorConfig::Parse(text), StatusIs(kInvalid, HasSubstr(message))) << text;
  }
  ASSERT_OK_AND_ASSIGN(const CoordinatorConfig config,
                       CoordinatorConfig::Parse(R"({"site": "x", "listen": "[::1]:0"})"));
  EXPECT_EQ(config.web_listen, "0.0.0.0:7444");
}

}  // namespace
}  // namespace reprise::trust
