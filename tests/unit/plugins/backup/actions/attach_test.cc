// Copies attached on a throw-away host, by the real holder under runit: images with a file system, and folders.
#include <gmock/gmock.h>

#include "tests/unit/plugins/backup/actions/reader_host.h"

namespace reprise::backup {
namespace {

using ::testing::HasSubstr;
using namespace plugins;  // NOLINT: the verbs' names.

json Params(const std::string& source, const json& more = json::object()) {
  json params = {{"source", source}, {"name", "test"}, {"program", Program("reprise-backup-holder").string()}};
  params.update(more);
  return params;
}

bool MountedAt(const std::string& target) {
  MountLine line;
  return FindMount(Slurp("/proc/self/mountinfo"), target, line);
}

// An ext4 image whose journal has been left dirty is not needed to see that nothing is written: the image is compared.
bool MakeImage(const fs::path& image, const fs::path& content) {
  std::ofstream(image).close();
  fs::resize_file(image, 16 << 20);
  return RunProgram({"mkfs.ext4", "-q", "-F", "-d", content.string(), image.string()});
}

TEST(Attach, AnImageIsAttachedReadOnlyAndProvenAndDetached) {
  Program("");
  ON_THROWAWAY_HOST("backup", {}, [](PluginBench& bench) {
    plugins::OwnRunit runit;
    ASSERT_TRUE(runit.there());
    mount("sysfs", "/sys", "sysfs", 0, nullptr);
    PutTables("/srv/content");
    ASSERT_TRUE(MakeImage("/srv/disk.img", "/srv/content"));
    const auto before = crypto::Sha256OfFile("/srv/disk.img");
    const json params = Params("/srv/disk.img");

    Answer answer = bench.Run(VERB_PROBE, "attach", params);
    ASSERT_TRUE(answer.done()) << ::testing::PrintToString(answer);
    EXPECT_FALSE(answer.holds());
    EXPECT_EQ(StateOf(answer, "backup.readonly"), "fails");
    EXPECT_EQ(bench.Run(VERB_PLAN, "attach", params).value.at("changes").size(), 1u);

    answer = bench.Run(VERB_APPLY, "attach", params);
    ASSERT_TRUE(answer.changed()) << ::testing::PrintToString(answer);
    const std::string target = "/run/reprise-backup/test/copy";
    EXPECT_TRUE(MountedAt(target));
    EXPECT_EQ(Slurp(target + "/b.txt"), "Planning de la semaine\n");
    EXPECT_FALSE(bench.Run(VERB_APPLY, "attach", params).changed());

    answer = bench.Run(VERB_VERIFY, "attach", params);
    EXPECT_TRUE(answer.holds()) << ::testing::PrintToString(answer);
    EXPECT_EQ(StateOf(answer, "backup.readonly"), "holds");
    const std::string evidence = answer.value.at("evidence").dump();
    EXPECT_THAT(evidence, HasSubstr("Read-only file system"));
    EXPECT_THAT(evidence, HasSubstr("super ro,norecovery"));
    EXPECT_THAT(evidence, HasSubstr("BLKROGET /dev/loop"));
    EXPECT_THAT(evidence, HasSubstr("by verify itself: Read-only file system"));

    answer = bench.Run(VERB_ROLLBACK, "attach", params);
    ASSERT_TRUE(answer.done()) << ::testing::PrintToString(answer);
    EXPECT_FALSE(MountedAt(target));
    EXPECT_FALSE(bench.Run(VERB_PROBE, "attach", params).holds());
    EXPECT_EQ(*crypto::Sha256OfFile("/srv/disk.img"), *before);
    umount2("/sys", MNT_DETACH);
  });
}

TEST(Attach, AFolderIsSeenReadOnlyElsewhere) {
  Program("");
  ON_THROWAWAY_HOST("backup", {}, [](PluginBench& bench) {
    plugins::OwnRunit runit;
    PutTables("/srv/backup");
    const json params = Params("/srv/backup", {{"target", "/srv/copy"}});
    Answer answer = bench.Run(VERB_APPLY, "attach", params);
    ASSERT_TRUE(answer.changed()) << ::testing::PrintToString(answer);
    answer = bench.Run(VERB_VERIFY, "attach", params);
    EXPECT_TRUE(answer.holds()) << ::testing::PrintToString(answer);
    EXPECT_THAT(answer.value.at("evidence").dump(), HasSubstr("ro,nosuid,nodev,noexec"));
    std::ofstream("/srv/copy/new") << "x";
    EXPECT_FALSE(fs::exists("/srv/backup/new"));
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "attach", params).done());
    EXPECT_FALSE(fs::exists("/srv/copy"));
  });
}

TEST(Attach, AMountThatBecameWritableIsNotReadOnlyAnyMore) {
  Program("");
  ON_THROWAWAY_HOST("backup", {}, [](PluginBench& bench) {
    plugins::OwnRunit runit;
    PutTables("/srv/backup");
    const json params = Params("/srv/backup", {{"target", "/srv/copy"}});
    ASSERT_TRUE(bench.Run(VERB_APPLY, "attach", params).changed());
    ASSERT_EQ(mount(nullptr, "/srv/copy", nullptr, MS_BIND | MS_REMOUNT, nullptr), 0);
    const Answer answer = bench.Run(VERB_VERIFY, "attach", params);
    EXPECT_FALSE(answer.holds());
    EXPECT_EQ(StateOf(answer, "backup.readonly"), "fails") << ::testing::PrintToString(answer);
    EXPECT_FALSE(fs::exists("/srv/backup/.reprise-write-probe"));
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "attach", params).done());
  });
}

TEST(Attach, AHolderThatIsKilledTakesItsMountOverAgain) {
  Program("");
  ON_THROWAWAY_HOST("backup", {}, [](PluginBench& bench) {
    plugins::OwnRunit runit;
    PutTables("/srv/backup");
    const json params = Params("/srv/backup", {{"target", "/srv/copy"}});
    ASSERT_TRUE(bench.Run(VERB_APPLY, "attach", params).changed());
    const json proof = bench.Run(VERB_PROBE, "attach", params).value.at("observed").at("proof");
    ASSERT_EQ(kill(proof.at("pid").get<pid_t>(), SIGKILL), 0);
    EXPECT_TRUE(Eventually([&] {
      const Answer answer = bench.Run(VERB_PROBE, "attach", params);
      return answer.holds() && answer.value.at("observed").at("proof").at("pid") != proof.at("pid");
    }));
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "attach", params).done());
    EXPECT_FALSE(MountedAt("/srv/copy"));
  });
}

TEST(Attach, WhatCannotBeAttachedIsSaidAndLeavesNothing) {
  Program("");
  ON_THROWAWAY_HOST("backup", {}, [](PluginBench& bench) {
    plugins::OwnRunit runit;
    fs::create_directories("/srv");
    Spit("/srv/noise.img", std::string(1 << 20, 'x'));
    const Answer answer = bench.Run(VERB_APPLY, "attach", Params("/srv/noise.img"));
    EXPECT_EQ(answer.code(), "attach_failed");
    EXPECT_THAT(answer.result.message, HasSubstr("no file system that is known"));
    EXPECT_FALSE(fs::exists("/etc/service/reprise-backup-test"));
    EXPECT_EQ(bench.Run(VERB_APPLY, "attach", Params("/srv/gone")).code(), "no_source");
  });
}

TEST(MountInfo, TheLastMountAtAPlaceCounts) {
  const std::string text =
      "31 23 0:28 / /srv/a\\040b rw,relatime shared:5 - tmpfs tmpfs rw\n"
      "32 23 7:0 / /srv/a\\040b ro,nosuid - ext4 /dev/loop0 ro,norecovery\n";
  MountLine line;
  ASSERT_TRUE(FindMount(text, "/srv/a b", line));
  EXPECT_EQ(line.options, "ro,nosuid");
  EXPECT_EQ(line.super_options, "ro,norecovery");
  EXPECT_EQ(line.major_minor, "7:0");
  EXPECT_FALSE(FindMount(text, "/srv/a", line));
}

}  // namespace
}  // namespace reprise::backup
