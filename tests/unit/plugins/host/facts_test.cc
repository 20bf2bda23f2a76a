// host.facts, on this machine itself: it only reads.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::plugins {
namespace {

class HostFacts : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = fs::temp_directory_path() / "reprise-facts-XXXXXX";
    ASSERT_NE(mkdtemp(made.data()), nullptr);
    folder_ = made;
    bench_ = std::make_unique<PluginBench>(folder_, PluginFile("host"), PluginHost(), Artifacts{});
  }
  void TearDown() override {
    bench_.reset();
    fs::remove_all(folder_);
  }
  fs::path folder_;
  std::unique_ptr<PluginBench> bench_;
};

TEST_F(HostFacts, SayWhatThisMachineIs) {
  const Answer answer = bench_->Run(VERB_PROBE, "facts");
  ASSERT_TRUE(answer.holds()) << ::testing::PrintToString(answer);
  const json& facts = answer.value.at("observed");
  EXPECT_NE(Slurp("/etc/os-release").find("ID=" + facts.at("os").at("id").get<std::string>()), std::string::npos);
  EXPECT_EQ(facts.at("cpu").at("count"), sysconf(_SC_NPROCESSORS_ONLN));
  EXPECT_EQ(facts.at("memory").at("total_bytes"), sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
  EXPECT_EQ(facts.at("kernel").at("release").get<std::string>() + "\n", Slurp("/proc/sys/kernel/osrelease"));
  EXPECT_GT(facts.at("packages").at("count"), 50);
  EXPECT_EQ(facts.at("packages").at("sha256").get<std::string>().size(), 64u);
  const json claim = answer.value.at("claims").at(0);
  EXPECT_EQ(claim.at("name"), "host.os_known");
  EXPECT_EQ(claim.at("state"), "holds");
}

TEST_F(HostFacts, SeeThePortsAndAddressesOfTheHostNotOfTheSandbox) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const json wanted = {{"protocol", "tcp"}, {"address", "127.0.0.1"}, {"port", ntohs(address.sin_port)}};
  const Answer answer = bench_->Run(VERB_PROBE, "facts");
  close(fd);
  ASSERT_TRUE(answer.done()) << ::testing::PrintToString(answer);
  EXPECT_THAT(answer.value.at("observed").at("listening"), ::testing::Contains(wanted));
  EXPECT_THAT(answer.value.at("observed").at("addresses"),
              ::testing::Contains(json{{"interface", "lo"}, {"address", "127.0.0.1"}}));
}

TEST_F(HostFacts, CountADiskOnce) {
  const Answer answer = bench_->Run(VERB_PROBE, "facts");
  ASSERT_TRUE(answer.done()) << ::testing::PrintToString(answer);
  std::set<std::string> mounts;
  for (const json& disk : answer.value.at("observed").at("disks")) {
    EXPECT_TRUE(mounts.insert(disk.at("mount")).second);
    if (disk.contains("size_bytes")) {
      EXPECT_LE(disk.at("free_bytes"), disk.at("size_bytes"));
    }
  }
  EXPECT_TRUE(mounts.contains("/"));
}

TEST_F(HostFacts, AreHeldAgainstWhatTheInventorySays) {
  const Answer facts = bench_->Run(VERB_PROBE, "facts");
  ASSERT_TRUE(facts.done()) << ::testing::PrintToString(facts);
  const json os = facts.value.at("observed").at("os");
  const json declared = {{"hostname", facts.value.at("observed").at("hostname")},
                         {"os", os.at("id").get<std::string>() + "-" + os.at("version").get<std::string>()},
                         {"address", "127.0.0.1"}};
  const Answer same = bench_->Run(VERB_PROBE, "as-declared", declared);
  EXPECT_TRUE(same.holds()) << ::testing::PrintToString(same);
  EXPECT_EQ(same.value.at("claims").at(0).at("state"), "holds");
  for (const auto& [what, wrong] : {std::pair("hostname", "ws-other"), std::pair("os", "windows-10"), std::pair("address", "192.0.2.7")}) {
    json other = declared;
    other[what] = wrong;
    const Answer differs = bench_->Run(VERB_PROBE, "as-declared", other);
    ASSERT_TRUE(differs.done()) << ::testing::PrintToString(differs);
    EXPECT_FALSE(differs.holds());
    const json claim = differs.value.at("claims").at(0);
    EXPECT_EQ(claim.at("state"), "fails");
    EXPECT_THAT(claim.at("detail").get<std::string>(), ::testing::StartsWith(std::string(what) + ": declared " + wrong + ", found "));
  }
  EXPECT_EQ(bench_->Run(VERB_PROBE, "as-declared").code(), "bad_params");
}

}  // namespace
}  // namespace reprise::plugins
