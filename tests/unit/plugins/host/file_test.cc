// host.file, host.file-absent, host.file-present: under the real runner, on a throw-away host.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::plugins {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const fs::path kData = "/srv/reprise-test";

struct stat Stat(const fs::path& path) {
  struct stat found {};
  EXPECT_EQ(lstat(path.c_str(), &found), 0) << path;
  return found;
}

std::vector<std::string> Names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

// With the plugin "host", and an empty folder for data.
std::string OnHost(const Artifacts& artifacts, const std::function<void(PluginBench&)>& body) {
  return OnThrowawayHost("host", artifacts, [&](PluginBench& bench) {
    fs::create_directories(kData);
    body(bench);
  });
}
#define ON_HOST(...) \
  if (const std::string why_not = OnHost(__VA_ARGS__); !why_not.empty()) GTEST_SKIP() << why_not

TEST(HostFile, IsWrittenWithItsModeAndOwnerAndPutBackAsItWas) {
  ON_HOST({}, [](PluginBench& bench) {
    const fs::path file = kData / "motd";
    Spit(file, "before\n");
    ASSERT_EQ(chmod(file.c_str(), 0640), 0);
    ASSERT_EQ(chown(file.c_str(), 7, 8), 0);
    const json params = {{"path", file}, {"content", "after\n"}, {"mode", "0604"}, {"owner", "daemon"}, {"group", "9"}};
    EXPECT_FALSE(bench.Run(VERB_PROBE, "file", params).holds());
    EXPECT_EQ(bench.Run(VERB_PLAN, "file", params).value.at("changes").size(), 3u);
    EXPECT_EQ(Slurp(file), "before\n");
    const Answer applied = bench.Run(VERB_APPLY, "file", params);
    ASSERT_TRUE(applied.changed()) << ::testing::PrintToString(applied);
    EXPECT_EQ(Slurp(file), "after\n");
    EXPECT_EQ(Stat(file).st_mode & 07777, 0604u);
    EXPECT_EQ(Stat(file).st_uid, 1u);
    EXPECT_EQ(Stat(file).st_gid, 9u);
    EXPECT_TRUE(bench.Run(VERB_PROBE, "file", params).holds());
    const Answer verified = bench.Run(VERB_VERIFY, "file", params);
    EXPECT_TRUE(verified.holds()) << ::testing::PrintToString(verified);
    EXPECT_FALSE(bench.Run(VERB_APPLY, "file", params).changed());
    const Answer undone = bench.Run(VERB_ROLLBACK, "file", params);
    ASSERT_TRUE(undone.done()) << ::testing::PrintToString(undone);
    EXPECT_EQ(Slurp(file), "before\n");
    EXPECT_EQ(Stat(file).st_mode & 07777, 0640u);
    EXPECT_EQ(Stat(file).st_uid, 7u);
    EXPECT_EQ(Stat(file).st_gid, 8u);
    EXPECT_EQ(Names(kData), std::vector<std::string>{"motd"});
    EXPECT_EQ(Names("/var/lib/reprise-plugins/host"), std::vector<std::string>{}) << "nothing is kept any longer";
  });
}

TEST(HostFile, ThatWasNotThereIsTakenAwayWithTheFoldersMadeForIt) {
  ON_HOST({}, [](PluginBench& bench) {
    json params = {{"path", kData / "a/b/motd"}, {"content", "x"}};
    EXPECT_EQ(bench.Run(VERB_APPLY, "file", params).code(), "no_folder");
    EXPECT_EQ(bench.Run(VERB_PLAN, "file", params).code(), "no_folder");
    params["make_folders"] = true;
    ASSERT_TRUE(bench.Run(VERB_APPLY, "file", params).changed());
    EXPECT_EQ(Slurp(kData / "a/b/motd"), "x");
    EXPECT_EQ(Stat(kData / "a/b/motd").st_mode & 07777, 0644u);
    ASSERT_TRUE(bench.Run(VERB_ROLLBACK, "file", params).done());
    EXPECT_EQ(Names(kData), std::vector<std::string>{});
  });
}

TEST(HostFile, KeepsAFolderMadeForItThatHasSomethingElseSince) {
  ON_HOST({}, [](PluginBench& bench) {
    const json params = {{"path", kData / "a/motd"}, {"content", "x"}, {"make_folders", true}};
    ASSERT_TRUE(bench.Run(VERB_APPLY, "file", params).changed());
    Spit(kData / "a/other", "of somebody else");
    ASSERT_TRUE(bench.Run(VERB_ROLLBACK, "file", params).done());
    EXPECT_EQ(Names(kData / "a"), std::vector<std::string>{"other"});
  });
}

TEST(HostFile, IsNotPutBackOverWhatAPersonWroteSince) {
  ON_HOST({}, [](PluginBench& bench) {
    const json params = {{"path", kData / "motd"}, {"content", "after"}};
    Spit(kData / "motd", "before");
    ASSERT_TRUE(bench.Run(VERB_APPLY, "file", params).changed());
    Spit(kData / "motd", "a person's");
    const Answer undone = bench.Run(VERB_ROLLBACK, "file", params);
    EXPECT_EQ(undone.code(), "changed_since");
    EXPECT_EQ(Slurp(kData / "motd"), "a person's");
    const std::string hint = undone.result.hint;
    EXPECT_EQ(Slurp(hint.substr(hint.find('/'))), "before") << hint;
  });
}

TEST(HostFile, IsUndoneTwiceWithoutHarmAndNotAtAllIfItChangedNothing) {
  ON_HOST({}, [](PluginBench& bench) {
    const json params = {{"path", kData / "motd"}, {"content", "as wanted"}};
    Spit(kData / "motd", "as wanted");
    EXPECT_FALSE(bench.Run(VERB_APPLY, "file", params).changed());
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "file", params).done());
    EXPECT_EQ(Slurp(kData / "motd"), "as wanted");
    Spit(kData / "motd", "other");
    EXPECT_TRUE(bench.Run(VERB_APPLY, "file", params).changed());
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "file", params).done());
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "file", params).done());
    EXPECT_EQ(Slurp(kData / "motd"), "other");
  });
}

TEST(HostFile, NeverFollowsASymbolicLinkInItsPlace) {
  ON_HOST({}, [](PluginBench& bench) {
    Spit(kData / "target", "precious");
    fs::create_symlink(kData / "target", kData / "link");
    const json params = {{"path", kData / "link"}, {"content", "evil"}};
    EXPECT_EQ(bench.Run(VERB_APPLY, "file", params).code(), "not_a_file");
    EXPECT_FALSE(bench.Run(VERB_PROBE, "file", {{"path", kData / "link"}, {"content", "precious"}}).holds());
    EXPECT_FALSE(bench.Run(VERB_PROBE, "file-present", {{"path", kData / "link"}}).holds());
    EXPECT_TRUE(bench.Run(VERB_APPLY, "file-absent", {{"path", kData / "link"}}).changed());
    EXPECT_EQ(Names(kData), std::vector<std::string>{"target"});
    EXPECT_EQ(Slurp(kData / "target"), "precious");
  });
}

TEST(HostFile, FollowsALinkOnTheWayOnlyIfRootMadeIt) {
  ON_HOST({}, [](PluginBench& bench) {
    fs::create_directories(kData / "real");
    fs::create_symlink("real", kData / "ours");
    fs::create_symlink(kData / "real", kData / "theirs");
    ASSERT_EQ(lchown((kData / "theirs").c_str(), 65534, 65534), 0);
    EXPECT_TRUE(bench.Run(VERB_APPLY, "file", {{"path", kData / "ours/f"}, {"content", "x"}}).changed());
    EXPECT_EQ(Slurp(kData / "real/f"), "x");
    EXPECT_EQ(bench.Run(VERB_APPLY, "file", {{"path", kData / "theirs/g"}, {"content", "x"}}).code(), "unsafe_path");
    EXPECT_EQ(bench.Run(VERB_PROBE, "file-present", {{"path", kData / "theirs/f"}}).code(), "unsafe_path");
    EXPECT_EQ(Names(kData / "real"), std::vector<std::string>{"f"});
  });
}

TEST(HostFile, SurvivesAKillAtAnyInstantAsTheOldFileOrTheNew) {
  const fs::path artifact = fs::temp_directory_path() / ("reprise-host-big-" + std::to_string(getpid()));
  const std::string big(48 << 20, 'n');
  Spit(artifact, big);
  const std::string before(8 << 20, 'o');
  const std::string why_not = OnHost({{"big", artifact}}, [&](PluginBench& bench) {
    const fs::path file = kData / "image";
    const json params = {{"path", file}, {"artifact", "big"}};
    int killed = 0;
    for (int ms = 5; ms < 400; ms += ms < 100 ? 12 : 60) {
      Spit(file, before);
      auto running = bench.Start(VERB_APPLY, "file", params);
      if (running.wait_for(std::chrono::milliseconds(ms)) == std::future_status::timeout) ++killed;
      bench.KillAll();
      const std::string now = Slurp(file);
      ASSERT_TRUE(now == before || now == big) << "after " << ms << " ms: " << now.size() << " bytes";
      const Answer undone = bench.Run(VERB_ROLLBACK, "file", params);
      ASSERT_TRUE(undone.done()) << ::testing::PrintToString(undone);
      ASSERT_TRUE(Slurp(file) == before) << "undone after a kill at " << ms << " ms";
    }
    EXPECT_GT(killed, 2) << "hardly any kill met it: make the file larger";
    ASSERT_TRUE(bench.Run(VERB_APPLY, "file", params).changed());
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "file", params).holds());
    EXPECT_EQ(Names(kData), std::vector<std::string>{"image"}) << "what killed verbs left is gone";
  });
  fs::remove(artifact);
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(HostFile, SaysThatTheDiskIsFullAndLeavesTheOldFile) {
  ON_HOST({}, [](PluginBench& bench) {
    ASSERT_EQ(mount("none", kData.c_str(), "tmpfs", 0, "size=64k"), 0);
    Spit(kData / "motd", "before");
    Spit(kData / "filler", std::string(32 << 10, 'f'));
    const json params = {{"path", kData / "motd"}, {"content", std::string(60'000, 'x')}};
    EXPECT_EQ(bench.Run(VERB_APPLY, "file", params).code(), "disk_full");
    EXPECT_EQ(Slurp(kData / "motd"), "before");
    EXPECT_EQ(Names(kData), (std::vector<std::string>{"filler", "motd"}));
    EXPECT_TRUE(bench.Run(VERB_ROLLBACK, "file", params).done());
    EXPECT_EQ(Slurp(kData / "motd"), "before");
  });
}

TEST(HostFile, ShowsNoContentThatNotEverybodyMayRead) {
  ON_HOST({}, [](PluginBench& bench) {
    Spit(kData / "open", "readable before");
    Spit(kData / "closed", "hidden-before");
    ASSERT_EQ(chmod((kData / "closed").c_str(), 0600), 0);
    const auto plan = [&](const char* name, bool sensitive) {
      const json params = {{"path", kData / name}, {"content", "text-after"}, {"sensitive", sensitive}};
      return bench.Run(VERB_PLAN, "file", params).value.dump() + bench.Run(VERB_PROBE, "file", params).value.dump();
    };
    EXPECT_THAT(plan("open", false), HasSubstr("readable before"));
    EXPECT_THAT(plan("open", false), HasSubstr("text-after"));
    EXPECT_THAT(plan("open", true), Not(HasSubstr("readable before")));
    EXPECT_THAT(plan("open", true), Not(HasSubstr("text-after")));
    EXPECT_THAT(plan("closed", false), Not(HasSubstr("hidden-before")));
    EXPECT_THAT(plan("closed", false), Not(HasSubstr("text-after")));
  });
}

TEST(HostFile, RefusesWhatIsNoFileNoModeAndNoUser) {
  ON_HOST({}, [](PluginBench& bench) {
    const auto code = [&](json more) {
      json params = {{"path", kData / "f"}, {"content", "x"}};
      params.update(more);
      return bench.Run(VERB_APPLY, "file", params).code();
    };
    EXPECT_EQ(code({{"mode", "rwx"}}), "bad_params");
    EXPECT_EQ(code({{"mode", "99999"}}), "bad_params");
    EXPECT_EQ(code({{"owner", "nobody-of-that-name"}}), "unknown_user");
    EXPECT_EQ(code({{"group", "nobody-of-that-name"}}), "unknown_group");
    EXPECT_EQ(code({{"artifact", "both"}}), "bad_params");
    EXPECT_EQ(code({{"path", kData / "f/"}}), "bad_params");
    EXPECT_EQ(code({{"path", "/"}}), "bad_params");
    EXPECT_EQ(code({{"path", kData}}), "not_a_file");
    EXPECT_EQ(code({{"path", "/etc/passwd/f"}, {"make_folders", true}}), "not_a_folder");
    EXPECT_EQ(bench.Run(VERB_APPLY, "file", {{"path", kData / "f"}, {"artifact", "absent"}}).code(),
              "artifact_missing");
    EXPECT_EQ(Names(kData), std::vector<std::string>{});
  });
}

TEST(HostFileAbsent, RemovesTheFileThatWasMeantAndNoOther) {
  ON_HOST({}, [](PluginBench& bench) {
    Spit(kData / "dropper", "malware");
    const std::string other(64, '0');
    EXPECT_EQ(bench.Run(VERB_APPLY, "file-absent", {{"path", kData / "dropper"}, {"only_sha256", other}}).code(),
              "other_content");
    EXPECT_TRUE(fs::exists(kData / "dropper"));
    const json params = {{"path", kData / "dropper"}, {"only_sha256", ToHex(crypto::Sha256("malware"))}};
    EXPECT_FALSE(bench.Run(VERB_VERIFY, "file-absent", params).holds());
    EXPECT_EQ(bench.Run(VERB_PLAN, "file-absent", params).value.at("changes").size(), 1u);
    EXPECT_TRUE(bench.Run(VERB_APPLY, "file-absent", params).changed());
    EXPECT_TRUE(bench.Run(VERB_VERIFY, "file-absent", params).holds());
    EXPECT_FALSE(bench.Run(VERB_APPLY, "file-absent", params).changed());
    EXPECT_TRUE(bench.Run(VERB_PROBE, "file-absent", {{"path", "/no/such/folder/f"}}).holds());
    EXPECT_EQ(bench.Run(VERB_APPLY, "file-absent", {{"path", kData}}).code(), "not_a_file");
  });
}

TEST(HostFilePresent, LooksAtTheContentAndClaimsWhatItSaw) {
  ON_HOST({}, [](PluginBench& bench) {
    Spit(kData / "log", std::string((64 << 10) - 3, '.') + "needle" + std::string(1000, '.'));
    const auto probe = [&](json more) {
      json params = {{"path", kData / "log"}};
      params.update(more);
      return bench.Run(VERB_PROBE, "file-present", params);
    };
    EXPECT_TRUE(probe(json::object()).holds());
    EXPECT_TRUE(probe({{"contains", "needle"}}).holds()) << "a text that lies across two pieces";
    EXPECT_FALSE(probe({{"contains", "needles"}}).holds());
    EXPECT_FALSE(probe({{"sha256", std::string(64, '0')}}).holds());
    EXPECT_TRUE(probe({{"sha256", ToHex(crypto::Sha256(Slurp(kData / "log")))}}).holds());
    const json claim = probe({{"path", kData / "none"}, {"claim", "edr.config"}}).value.at("claims").at(0);
    EXPECT_EQ(claim.at("name"), "edr.config");
    EXPECT_EQ(claim.at("state"), "fails");
  });
}

}  // namespace
}  // namespace reprise::plugins
