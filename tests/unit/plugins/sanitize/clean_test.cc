// Evidence, cleaning, undoing, under the agent's own runner on a throw-away host: of a tree that stands for a mounted disk.
#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>

#include "tests/unit/plugins/sanitize/small_host.h"
#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::sanitize {
namespace {

using plugins::Answer;
using plugins::OnThrowawayHost;
using plugins::PluginBench;
using plugins::VERB_APPLY;
using plugins::VERB_PLAN;
using plugins::VERB_PROBE;
using plugins::VERB_ROLLBACK;
using plugins::VERB_VERIFY;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kDisk = "/var/tmp/sanitize-disk";
constexpr const char* kCrontab = "/var/spool/cron/crontabs/root";

Json Common() { return {{"root", kDisk}, {"yara_paths", {"/tmp"}}}; }
Json With(Json params, const Json& more) {
  params.update(more);
  return params;
}

// Planted in five ways.
SmallHost Planted() {
  SmallHost host(kDisk);
  host.Put(kCrontab, "0 4 * * * /usr/bin/ls\n* * * * * /dev/shm/.x\n# end\n", 0600);
  host.Put("/root/.ssh/authorized_keys", std::string(kKey) + "\nssh-rsa broken\n", 0600);
  host.Put("/etc/systemd/system/x.service", "[Service]\nExecStart=/dev/shm/.x\n", 0640);
  host.Put("/opt/.sh", "\x7f" "ELF sh", 04755);
  host.Put("/usr/bin/ls", "\x7f" "ELF ls of mine", 0755);
  // Names are bytes.
  host.Put("/etc/cron.d/\xff\xfe", "* * * * * root /dev/shm/.x\n");
  return host;
}

// The package whose file was altered, as dpkg-deb builds it.
fs::path BuildDeb(const fs::path& folder, const std::string& ls = "\x7f" "ELF ls") {
  fs::create_directories(folder / "deb/DEBIAN");
  fs::create_directories(folder / "deb/usr/bin");
  Spit(folder / "deb/DEBIAN/control", "Package: base\nVersion: 1\nArchitecture: all\nMaintainer: x <x@y>\nDescription: x\n");
  Spit(folder / "deb/usr/bin/ls", ls);
  chmod((folder / "deb/usr/bin/ls").c_str(), 0755);
  const fs::path deb = folder / "base.deb";
  const std::string from = folder / "deb", to = deb;
  const char* const argv[] = {"dpkg-deb", "--root-owner-group", "--build", from.c_str(), to.c_str(), nullptr};
  pid_t pid = 0;
  if (posix_spawnp(&pid, argv[0], nullptr, nullptr, const_cast<char* const*>(argv), environ) == 0) waitpid(pid, nullptr, 0);
  return deb;
}

class SanitizeClean : public ::testing::Test {
 protected:
  SanitizeClean() {
    std::string name = fs::temp_directory_path() / "sanitize-XXXXXX";
    if (mkdtemp(name.data()) != nullptr) folder_ = name;
    artifacts_["base.deb"] = BuildDeb(folder_);
  }
  ~SanitizeClean() override { fs::remove_all(folder_); }

  fs::path folder_;
  plugins::Artifacts artifacts_;
};

Json Ids(PluginBench& bench) {
  Json ids = Json::array();
  const Answer found = bench.Run(VERB_PROBE, "check", Common());
  for (const Json& finding : found.value.at("observed").at("findings")) {
    ids.push_back(finding.at("id"));
  }
  return ids;
}

TEST_F(SanitizeClean, TakesAwayExactlyWhatWasFoundAndPutsItBack) {
  ON_THROWAWAY_HOST("sanitize", artifacts_, [](PluginBench& bench) {
    const SmallHost host = Planted();
    const Answer found = bench.Run(VERB_PROBE, "check", Common());
    ASSERT_TRUE(found.done()) << ::testing::PrintToString(found);
    EXPECT_EQ(found.value.at("observed").at("verdict"), "compromised");
    const Json ids = Ids(bench);
    ASSERT_THAT(ids, SizeIs(8)) << found.value.dump(1);

    const Json evidence = With(Common(), {{"case", "c1"}});
    const Json clean = With(evidence, {{"findings", ids}});
    EXPECT_EQ(bench.Run(VERB_PROBE, "clean", clean).code(), "no_evidence");
    EXPECT_EQ(bench.Run(VERB_APPLY, "clean", clean).code(), "no_evidence");
    EXPECT_FALSE(bench.Run(VERB_PROBE, "evidence", evidence).holds());
    const Answer taken = bench.Run(VERB_APPLY, "evidence", evidence);
    ASSERT_TRUE(taken.changed()) << ::testing::PrintToString(taken);
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "evidence", evidence).holds());
    EXPECT_FALSE(bench.Run(VERB_APPLY, "evidence", evidence).changed());
    const std::string manifest = bench.Run(VERB_PROBE, "evidence", evidence).value.at("observed").at("manifest_sha256");
    EXPECT_EQ(sdk::Sha256OfFile("/var/lib/reprise-evidence/c1/MANIFEST"), manifest);
    EXPECT_EQ(fs::status("/var/lib/reprise-evidence/c1").permissions(), fs::perms::owner_all);

    EXPECT_EQ(bench.Run(VERB_APPLY, "clean", With(clean, {{"manifest_sha256", std::string(64, '0')}})).code(), "other_evidence");
    EXPECT_EQ(bench.Run(VERB_APPLY, "clean", With(clean, {{"findings", Json::array({"0123456789abcdef"})}})).code(), "not_in_evidence");
    EXPECT_THAT(bench.Run(VERB_PLAN, "clean", clean).value.at("changes"), SizeIs(8));
    const Answer done = bench.Run(VERB_APPLY, "clean", With(clean, {{"manifest_sha256", manifest}}));
    ASSERT_TRUE(done.changed()) << ::testing::PrintToString(done);
    EXPECT_TRUE(bench.Run(VERB_PROBE, "clean", clean).holds());
    const Answer verified = bench.Run(VERB_VERIFY, "clean", clean);
    EXPECT_TRUE(verified.holds()) << ::testing::PrintToString(verified);
    EXPECT_EQ(verified.value.at("claims").at(0).at("state"), "holds") << verified.value.dump(1);
    EXPECT_FALSE(bench.Run(VERB_APPLY, "clean", clean).changed());
    EXPECT_EQ(Slurp(host.At("/usr/bin/ls")), "\x7f" "ELF ls");
    EXPECT_EQ(Slurp(host.At(kCrontab)), "# end\n");
    EXPECT_FALSE(fs::exists(host.At("/etc/systemd/system/x.service")));
    EXPECT_EQ(fs::status(host.At("/opt/.sh")).permissions(), fs::perms(0755));
    const Answer signed_off = bench.Run(VERB_PROBE, "signoff", evidence);
    EXPECT_TRUE(signed_off.holds()) << ::testing::PrintToString(signed_off);

    ASSERT_TRUE(bench.Run(VERB_ROLLBACK, "clean", clean).done());
    EXPECT_FALSE(bench.Run(VERB_PROBE, "clean", clean).holds());
    EXPECT_FALSE(bench.Run(VERB_PROBE, "signoff", evidence).holds());
    EXPECT_EQ(Slurp(host.At(kCrontab)), "0 4 * * * /usr/bin/ls\n* * * * * /dev/shm/.x\n# end\n");
    EXPECT_EQ(Slurp(host.At("/usr/bin/ls")), "\x7f" "ELF ls of mine");
    struct stat unit {};
    ASSERT_EQ(stat(host.At("/etc/systemd/system/x.service").c_str(), &unit), 0);
    EXPECT_EQ(unit.st_mode & 07777, 0640u);
    EXPECT_EQ(Ids(bench), ids);
  });
}

TEST_F(SanitizeClean, TouchesNothingThatWasNotNamed) {
  ON_THROWAWAY_HOST("sanitize", artifacts_, [](PluginBench& bench) {
    const SmallHost host = Planted();
    const Json evidence = With(Common(), {{"case", "c1"}});
    ASSERT_TRUE(bench.Run(VERB_APPLY, "evidence", evidence).changed());
    Json unit;
    const Answer found = bench.Run(VERB_PROBE, "check", Common());
    for (const Json& finding : found.value.at("observed").at("findings")) {
      if (finding.at("kind") == "systemd_unit") unit = finding.at("id");
    }
    ASSERT_TRUE(bench.Run(VERB_APPLY, "clean", With(evidence, {{"findings", Json::array({unit})}})).changed());
    const Json left = Ids(bench);
    EXPECT_THAT(left, SizeIs(7));
    EXPECT_THAT(left, ::testing::Not(Contains(unit)));
    EXPECT_FALSE(bench.Run(VERB_PROBE, "signoff", evidence).holds());
  });
}

TEST_F(SanitizeClean, RefusesWhatTheEvidenceDoesNotHold) {
  ON_THROWAWAY_HOST("sanitize", artifacts_, [](PluginBench& bench) {
    const SmallHost host = Planted();
    const Json evidence = With(Common(), {{"case", "c1"}});
    ASSERT_TRUE(bench.Run(VERB_APPLY, "evidence", evidence).changed());
    const Json clean = With(evidence, {{"findings", Ids(bench)}});
    // Another content than that which was kept.
    host.Put("/etc/systemd/system/x.service", "[Service]\nExecStart=/dev/shm/.y\n");
    EXPECT_EQ(bench.Run(VERB_APPLY, "clean", clean).code(), "changed_since");
    EXPECT_EQ(Slurp(host.At("/usr/bin/ls")), "\x7f" "ELF ls of mine") << "refused before anything was touched";
    host.Put("/etc/systemd/system/x.service", "[Service]\nExecStart=/dev/shm/.x\n");
    // Evidence that somebody changed.
    const fs::path kept = "/var/lib/reprise-evidence/c1";
    for (const auto& entry : fs::directory_iterator(kept / "files")) {
      chmod(entry.path().c_str(), 0600);
      std::ofstream(entry.path(), std::ios::app) << "x";
      break;
    }
    EXPECT_EQ(bench.Run(VERB_APPLY, "clean", clean).code(), "bundle_broken");
    EXPECT_EQ(bench.Run(VERB_VERIFY, "evidence", evidence).code(), "bundle_broken");
    EXPECT_TRUE(fs::exists(host.At("/etc/systemd/system/x.service")));
  });
}

TEST_F(SanitizeClean, RefusesToRestoreFromAnotherPackage) {
  artifacts_["base.deb"] = BuildDeb(folder_, "\x7f" "ELF another ls");
  ON_THROWAWAY_HOST("sanitize", artifacts_, [](PluginBench& bench) {
    const SmallHost host = Planted();
    const Json evidence = With(Common(), {{"case", "c1"}});
    ASSERT_TRUE(bench.Run(VERB_APPLY, "evidence", evidence).changed());
    EXPECT_EQ(bench.Run(VERB_APPLY, "clean", With(evidence, {{"findings", Ids(bench)}})).code(), "wrong_package");
    EXPECT_TRUE(fs::exists(host.At("/etc/systemd/system/x.service")));
  });
}

TEST_F(SanitizeClean, KilledAtAnyMomentItIsFinishedByTheNext) {
  ON_THROWAWAY_HOST("sanitize", artifacts_, [](PluginBench& bench) {
    const SmallHost host = Planted();
    const Json ids = Ids(bench);
    for (const int delay : {2, 10, 25, 40, 60, 90, 140}) {
      const std::string name = "k" + std::to_string(delay);
      const Json evidence = With(Common(), {{"case", name}});
      const auto wait = [&](const char* action, const Json& params) {
        auto running = bench.Start(VERB_APPLY, action, params);
        running.wait_for(std::chrono::milliseconds(delay));
        bench.KillAll();
        running.wait();
      };
      wait("evidence", evidence);
      const Answer probed = bench.Run(VERB_PROBE, "evidence", evidence);
      ASSERT_TRUE(probed.done()) << delay << ::testing::PrintToString(probed);
      ASSERT_TRUE(bench.Run(VERB_APPLY, "evidence", evidence).done());
      const Json clean = With(evidence, {{"findings", ids}});
      wait("clean", clean);
      const Answer done = bench.Run(VERB_APPLY, "clean", clean);
      ASSERT_TRUE(done.done()) << delay << ::testing::PrintToString(done);
      ASSERT_TRUE(bench.Run(VERB_VERIFY, "clean", clean).holds()) << delay;
      // Undone as a whole, whatever was done by whom.
      ASSERT_TRUE(bench.Run(VERB_ROLLBACK, "clean", clean).done()) << delay;
      ASSERT_EQ(Ids(bench), ids) << delay;
    }
  });
}

TEST_F(SanitizeClean, SaysThatEvidenceIsIncompleteRatherThanCutIt) {
  ON_THROWAWAY_HOST("sanitize", artifacts_, [](PluginBench& bench) {
    const SmallHost host = Planted();
    host.Put("/opt/.sh", std::string(2 << 20, 'x'), 04755);
    const Json evidence = With(Common(), {{"case", "c1"}, {"evidence_mb", 1}});
    EXPECT_EQ(bench.Run(VERB_APPLY, "evidence", evidence).code(), "evidence_incomplete");
    EXPECT_FALSE(fs::exists("/var/lib/reprise-evidence/c1"));
    EXPECT_EQ(bench.Run(VERB_APPLY, "clean", With(Common(), {{"case", "c1"}, {"findings", Ids(bench)}})).code(), "no_evidence");
    EXPECT_EQ(bench.Run(VERB_APPLY, "evidence", With(Common(), {{"case", "c1"}, {"evidence", "/etc"}})).code(), "bad_params");
  });
}

}  // namespace
}  // namespace reprise::sanitize
