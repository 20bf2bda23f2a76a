#include "agents/daemon/facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/unit/agents/daemon/temporary_folder.h"

namespace reprise::daemon {
namespace {

using nlohmann::json;
using testing::TemporaryFolder;

class FactsTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, const std::string& content) {
    std::filesystem::create_directories((folder.path() / path).parent_path());
    std::ofstream(folder.path() / path) << content;
  }
  json Gather() { return json::parse(GatherFacts(folder.path())); }
  TemporaryFolder folder;
};

TEST_F(FactsTest, ReadsWhatAHostIs) {
  Write("etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n");
  Write("proc/cpuinfo", "processor\t: 0\nmodel name\t: Test CPU\n\nprocessor\t: 1\nmodel name\t: Test CPU\n");
  Write("proc/meminfo", "MemTotal:        2048000 kB\nMemFree: 1 kB\n");
  Write("proc/uptime", "4711.30 1.00\n");
  Write("etc/service/clamd/supervise/stat", "run\n");
  Write("etc/service/off/supervise/stat", "down\n");
  const json facts = Gather();
  EXPECT_EQ(facts["os"]["id"], "debian");
  EXPECT_EQ(facts["os"]["version"], "12");
  EXPECT_EQ(facts["cpu"]["count"], 2);
  EXPECT_EQ(facts["cpu"]["model"], "Test CPU");
  EXPECT_EQ(facts["memory_bytes"], 2048000ull * 1024);
  EXPECT_EQ(facts["uptime_s"], 4711);
  EXPECT_EQ(facts["services"], json::parse(R"([{"name":"clamd","manager":"runit"}])"));
}

TEST_F(FactsTest, CountsInstalledPackagesAndTellsTwoListsApart) {
  const std::string bash = "Package: bash\nStatus: install ok installed\nVersion: 5.2\n\n";
  const std::string gone = "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n";
  Write("var/lib/dpkg/status", bash + gone);
  const json before = Gather()["packages"];
  EXPECT_EQ(before["count"], 1);
  Write("var/lib/dpkg/status", bash + "Package: clamav\nStatus: install ok installed\nVersion: 1.4\n");
  const json after = Gather()["packages"];
  EXPECT_EQ(after["count"], 2);
  EXPECT_NE(before["sha256"], after["sha256"]);
}

TEST_F(FactsTest, ListsListeningPorts) {
  Write("proc/self/net/tcp",
        "  sl  local_address rem_address   st\n"
        "   0: 0100007F:0CEA 00000000:0000 0A 0\n"
        "   1: 0100007F:1F90 0100007F:0001 01 0\n");
  EXPECT_EQ(Gather()["listening"], json::parse(R"([{"protocol":"tcp","address":"127.0.0.1","port":3306}])"));
}

TEST_F(FactsTest, LeavesOutWhatItCannotReadAndIsStillAnObject) {
  const json facts = Gather();
  EXPECT_TRUE(facts.is_object());
  EXPECT_FALSE(facts.contains("os"));
  EXPECT_FALSE(facts.contains("packages"));
}

TEST_F(FactsTest, IsValidUtf8WhateverAFileHolds) {
  Write("etc/os-release", "ID=\xff\xfe\n");
  EXPECT_TRUE(Gather().contains("os"));
}

TEST(Facts, OfThisMachineStayBounded) {
  const std::string facts = GatherFacts();
  EXPECT_LT(facts.size(), 256u << 10);
  EXPECT_TRUE(json::parse(facts).contains("kernel"));
}

}  // namespace
}  // namespace reprise::daemon
