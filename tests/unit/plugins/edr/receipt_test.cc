// What installing remembers so that it can be undone, and how dpkg's failures are named.
#include "plugins/edr/receipt.h"

#include "plugins/edr/dpkg.h"
#include "plugins/edr/walk.h"
#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::edr {
namespace {

namespace fs = std::filesystem;

class ReceiptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = fs::temp_directory_path() / "reprise-receipt-XXXXXX";
    ASSERT_NE(mkdtemp(made.data()), nullptr);
    folder_ = made;
    fs::create_directories(folder_ / "host");
  }
  void TearDown() override { fs::remove_all(folder_); }
  Receipt Read() const { return Receipt("test", folder_ / "receipts"); }
  fs::path Host(const std::string& name) const { return folder_ / "host" / name; }
  fs::path folder_;
};

TEST_F(ReceiptTest, PutsEverythingBackAsItWasFirst) {
  Spit(Host("changed"), "old");
  Read().BeforeFile(Host("changed"));
  Spit(Host("changed"), "new");
  {
    Receipt receipt = Read();
    EXPECT_TRUE(receipt.exists());
    receipt.BeforeFile(Host("changed"));  // A second life must not take the new one for the old.
    receipt.BeforeFile(Host("made"));
    receipt.BeforeFile(Host("folder"));
  }
  Spit(Host("changed"), "newer");
  Spit(Host("made"), "x");
  fs::create_directories(Host("folder"));
  Spit(Host("folder") / "in", "a package's own");
  Read().BeforeFile(Host("folder") / "in");  // Not there at first, for its folder was not.
  EXPECT_EQ(Read().RestoreFiles().size(), 3u);
  EXPECT_EQ(Slurp(Host("changed")), "old");
  EXPECT_FALSE(fs::exists(Host("made")));
  EXPECT_FALSE(fs::exists(Host("folder")));
  EXPECT_EQ(Read().RestoreFiles().size(), 1u) << "once more does no harm";
  Read().Remove();
  EXPECT_FALSE(Read().exists());
  EXPECT_FALSE(fs::exists(folder_ / "receipts"));
}

TEST_F(ReceiptTest, LeavesAFolderThatWasThere) {
  fs::create_directories(Host("there"));
  Spit(Host("there") / "mine", "x");
  Read().BeforeFile(Host("there"));
  Read().RestoreFiles();
  EXPECT_TRUE(fs::exists(Host("there") / "mine"));
}

TEST_F(ReceiptTest, KnowsWhichPackagesAreItsOwn) {
  Receipt receipt = Read();
  receipt.BeforePackage("a", std::nullopt);
  receipt.BeforePackage("b", "1.0");
  Read().BeforePackage("a", "2.0");  // Installed by then, by the life before.
  EXPECT_EQ(Read().PackagesAdded(), std::vector<std::string>{"a"});
  EXPECT_EQ(Read().PackagesRaised().at(0).second, "1.0");
}

TEST_F(ReceiptTest, RefusesToUndoByADamagedOne) {
  fs::create_directories(folder_ / "receipts/test");
  for (const char* text : {"", "{", "[]", "{\"packages\":[],\"files\":[{\"path\":\"/etc/../x\",\"kept\":null}]}",
                           "{\"packages\":[{\"name\":\"-rf\",\"version\":null}],\"files\":[]}", "{\"packages\":7}"}) {
    Spit(folder_ / "receipts/test/receipt.json", text);
    EXPECT_THROW(Read(), sdk::Error) << text;
  }
}

TEST_F(ReceiptTest, NoDaemonsPutsThePolicyBackAlsoAfterALifeThatWasKilled) {
  const fs::path policy = Host("policy-rc.d");
  {
    const NoDaemons quiet(policy);
    EXPECT_NE(Slurp(policy).find("exit 101"), std::string::npos);
    EXPECT_NE(fs::status(policy).permissions() & fs::perms::owner_exec, fs::perms::none);
  }
  EXPECT_FALSE(fs::exists(policy));
  Spit(policy, "the host's own");
  { const NoDaemons quiet(policy); }
  EXPECT_EQ(Slurp(policy), "the host's own");
  // Killed in its middle: the host's own lies beside, ours is in its place.
  fs::rename(policy, policy.string() + ".before-reprise");
  Spit(policy, "#!/bin/sh\n# Written by Reprise (edr) while it installs packages.\nexit 101\n");
  EXPECT_TRUE(NoDaemons::Mend(policy));
  EXPECT_EQ(Slurp(policy), "the host's own");
  EXPECT_FALSE(NoDaemons::Mend(policy));
}

TEST(DpkgError, HasANameForEachCause) {
  const auto code = [](const std::string& said) {
    sdk::RunResult result;
    result.exit_code = 1;
    result.err = said;
    return DpkgError("dpkg", result).code();
  };
  EXPECT_EQ(code("dpkg: error: dpkg frontend lock was locked by another process with pid 7"), "dpkg_busy");
  EXPECT_EQ(code("cannot copy extracted data for './usr/sbin/clamd': failed to write (No space left on device)"), "disk_full");
  EXPECT_EQ(code(" clamav-daemon depends on ucf; however:\n  Package ucf is not installed."), "dependency_missing");
  EXPECT_EQ(code("dpkg: error: dpkg was interrupted, you must manually run 'dpkg --configure -a'"), "dpkg_broken");
}

TEST_F(ReceiptTest, AWalkSeesEachFileOnceAndSaysWhatItDidNotSee) {
  fs::create_directories(Host("a/b/c"));
  fs::create_directories(Host("a/left-out"));
  for (const char* name : {"a/1", "a/b/2", "a/b/c/3", "a/left-out/4"}) Spit(Host(name), "x");
  fs::create_directory_symlink(Host("a"), Host("a/b/loop"));
  std::multiset<std::string> seen, unseen;
  const WalkVisitor visitor = {.file = [&](const fs::path& path) { seen.insert(path.filename()); return true; },
                               .unseen = [&](const fs::path& path, const std::string&) { unseen.insert(path); },
                               .go_on = [] { return true; }};
  const std::string left_out = Host("a/left-out").string() + "/";
  Walk({Host("a").string() + "/", Host("a/left").string(), "/proc"}, {.exclude = {left_out}}, visitor);
  EXPECT_EQ(seen, (std::multiset<std::string>{"1", "2", "3"}));
  EXPECT_EQ(unseen, (std::multiset<std::string>{Host("a/left")})) << "the kernel's own views hold no stored files";
}

}  // namespace
}  // namespace reprise::edr
