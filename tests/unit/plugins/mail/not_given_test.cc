// Messages that a source lists and does not give: each is held by name, in time, and all others go on, in their order.
#include <gmock/gmock.h>

#include "plugins/mail/report.h"
#include "tests/unit/plugins/mail/move_bench.h"
#include "tests/unit/plugins/mail/odd_server.h"
#include "tests/unit/plugins/mail/simulated_store.h"

namespace reprise::mail {
namespace {

using std::chrono::seconds;

constexpr const char* kAnne = "anne@hr1.example";

std::vector<fs::path> FilesOf(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const char* part : {"cur", "new"}) {
    for (const auto& entry : fs::directory_iterator(folder / part)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(MailNotGiven, FilesThatARealServerCannotReadAreHeldByNameAndAllOthersComeAlong) {
  ON_MAIL_HOST([](PluginBench& bench) {
    MoveSite site({{kAnne, 0}});
    site.Fill(kAnne, {"INBOX"}, 1, 301);
    site.Fill(kAnne, {"Archives"}, 400, 420);
    std::vector<fs::path> files = FilesOf(site.old_server().home(kAnne) / "Maildir");
    ASSERT_EQ(files.size(), 300u);
    // As a broken disk leaves them: cut short, whereupon Dovecot ends the session each time; or nobody's to read.
    for (const size_t cut : {3u, 4u}) fs::resize_file(files[cut], cut);
    fs::permissions(files[250], fs::perms::none);
    ASSERT_EQ(chown(files[250].c_str(), 0, 0), 0);
    OnDisk expected = site.Old(kAnne);
    for (const size_t one : {3u, 4u, 250u}) {
      const std::string sha256 = sdk::Sha256OfFile(files[one]);
      const auto found = std::find_if(expected.begin(), expected.end(), [&](const std::string& line) { return line.find(sha256) != std::string::npos; });
      ASSERT_NE(found, expected.end());
      expected.erase(found);
    }
    const auto start = std::chrono::steady_clock::now();
    const Answer applied = bench.Run(VERB_APPLY, "prestage", site.Params({{"failures_max", "1"}}), seconds(100));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    ASSERT_TRUE(applied.done()) << ::testing::PrintToString(applied);
    EXPECT_THAT(applied.value.at("summary").get<std::string>(), HasSubstr("1 failed (not_given 1)"));
    EXPECT_EQ(site.New(kAnne), expected);
    const std::string report = Slurp(std::string(kStateFolder) + "/reports/lot-1.txt");
    size_t named = 0;
    for (size_t at = 0; (at = report.find("lists and does not give\n", at)) != std::string::npos; ++at) ++named;
    EXPECT_EQ(named, 4u) << report;  // Of the box, and of each message.
    EXPECT_THAT(report, HasSubstr("INBOX, 2020-"));
    // Mended, it comes along; what is still broken stays named.
    fs::permissions(files[250], fs::perms(0644));
    EXPECT_THAT(bench.Run(VERB_APPLY, "delta", site.Params({{"failures_max", "1"}}), seconds(100)).value.at("summary").get<std::string>(),
                HasSubstr("1 messages copied"));
    EXPECT_EQ(site.CountNew(kAnne), 318u);
    EXPECT_EQ(ClaimIn(bench.Run(VERB_PROBE, "verify", site.Params(), seconds(60)), "mail.verified"), "fails");
    std::printf("three of 320 were not given; the rest took %.1f s\n", took.count());
  });
}

// It says all's well, and leaves one out: of all, and when it is asked for alone.
TEST(MailNotGiven, OneThatTheServerLeavesOutForeverIsHeldAndTheRestGoesOn) {
  Scratch scratch;
  const ThrowawayCa ca(scratch.path / "ca");
  OddServer odd(scratch.path / "odd", ca, [](OddServer::Talk& talk, const OddServer::Command& command) {
    if (command.name != "UID FETCH" || command.rest.find("BODY") == std::string::npos) return false;
    std::string data;
    for (uint32_t uid = 1; uid <= 12; ++uid) {
      const std::string body = MessageOf(int(uid)).content;
      const std::string set = command.rest.substr(0, command.rest.find(' '));
      const bool asked = set.find(':') != std::string::npos || set == std::to_string(uid);
      if (asked && uid != 5) data += "* " + std::to_string(uid) + " FETCH (UID " + std::to_string(uid) + " BODY[] {" + std::to_string(body.size()) + "}\r\n" + body + ")\r\n";
    }
    return talk.Say(data + command.tag + " OK done\r\n"), true;
  });
  for (int i = 1; i <= 12; ++i) odd.Add({"", "\"09-Aug-2022 01:06:40 +0200\"", MessageOf(i).content});
  sdk::FakeCall call(json{{"verb", "apply"}, {"work_dir", scratch.path.string()}});
  const sdk::Context context(call.call(), call.request());
  Spit(scratch.path / "password", "sesame\n");
  fs::permissions(scratch.path / "password", fs::perms(0600));
  const Profile profile = ParseProfile({{"host", "127.0.0.1"}, {"port", odd.port()}, {"ca_file", ca.file.string()}, {"auth", "plain"},
                                        {"password_file", (scratch.path / "password").string()}, {"silence_max", "2s"}});
  Credentials credentials(context, profile);
  Flow flow;
  SimServer target;
  target.folders[{"INBOX"}];
  Fate fate;
  BoxOptions options;
  options.state = scratch.path / "state";
  options.pause_min = std::chrono::milliseconds(1);
  const Stores stores = {[&](const Box&) { return std::make_unique<ImapStore>(context, profile, kUser, credentials, flow); },
                         [&](const Box&) { return std::make_unique<SimStore>(target, fate); }};
  const BoxResult result = MoveBox({2, "Anne", kUser, kUser, "lot-1", "", ""}, stores, options, Watch{});
  EXPECT_EQ(result.state, BoxState::kFailed);
  EXPECT_EQ(result.why, "not_given");
  std::vector<std::string> there, expected;
  for (int i = 1; i <= 12; ++i) {
    if (i != 5) expected.push_back(MessageOf(i).content);
  }
  for (const auto& [uid, one] : target.folders[{"INBOX"}].messages) there.push_back(one.content);
  EXPECT_EQ(there, expected);
  const auto ledger = Ledger::OpenToRead(LedgerFile(options.state, result.box), scratch.path);
  const BoxReport report = ReportOf(result, &*ledger);
  ASSERT_EQ(report.troubles.size(), 1u);
  EXPECT_EQ(report.troubles[0].why, "not_given");
}

}  // namespace
}  // namespace reprise::mail
