// Targets that say that they put a message where it is not (APPENDUID): real Dovecots, with other words put into their mouths.
#include <gmock/gmock.h>

#include "tests/unit/plugins/mail/altering_proxy.h"
#include "tests/unit/plugins/mail/move_bench.h"
#include "tests/unit/plugins/mail/simulated_store.h"

namespace reprise::mail {
namespace {

using std::chrono::seconds;

// "3 OK [APPENDUID 17 5:8] done", with the numbers as `tell` has them.
std::string Told(const std::string& line, const std::function<std::string(uint32_t first, uint32_t last)>& tell) {
  const size_t code = line.find("[APPENDUID ");
  if (code == std::string::npos) return line;
  const size_t begin = line.find(' ', code + 11) + 1, end = line.find(']', begin);
  const std::string set = line.substr(begin, end - begin);
  const size_t colon = set.find(':');
  const uint32_t first = uint32_t(std::stoul(set)), last = colon == std::string::npos ? first : uint32_t(std::stoul(set.substr(colon + 1)));
  return line.substr(0, begin) + tell(first, last) + line.substr(end);
}
std::string Range(uint32_t first, uint32_t last) { return std::to_string(first) + (last > first ? ":" + std::to_string(last) : ""); }

struct WrongNumbers {
  std::string what, capability;
  std::function<std::string(uint32_t first, uint32_t last)> tell;
};

TEST(MailMisplaced, WrongNumbersOfARealServerAreNamedByVerifyAndMendedByTheNextDelta) {
  const WrongNumbers all[] = {
      {"one too high", "", [](uint32_t first, uint32_t last) { return Range(first + 1, last + 1); }},
      {"each other's", "IMAP4rev1 UIDPLUS LITERAL+", [](uint32_t first, uint32_t) { return std::to_string(first % 2 == 1 ? first + 1 : first - 1); }},
  };
  ON_MAIL_HOST([&](PluginBench& bench) {
    for (const WrongNumbers& wrong : all) {
      SCOPED_TRACE(wrong.what);
      fs::remove_all(kStateFolder);
      MoveSite site({{"anne@hr1.example", 0}}, {}, {.fields = {{"CAPABILITY", wrong.capability}}});
      // Of one length and one second, so that only their bytes tell them apart; then all kinds.
      {
        auto anne = site.Connect(site.old_server(), "anne@hr1.example");
        for (int i = 10; i < 16; ++i) Put(*anne, {"INBOX"}, {"Subject: " + std::to_string(i) + "\r\n\r\nalike\r\n"});
      }
      site.Fill("anne@hr1.example", {"INBOX"}, 1, 130);
      std::atomic<bool> lies = true;
      const AlteringProxy proxy(site.scratch.path / "proxy", site.ca, site.new_server().port(),
                                [&](const std::string& line) { return lies ? Told(line, wrong.tell) : line; });
      json profile = site.ProfileJson(site.new_server());
      profile["port"] = proxy.port();
      site.Write("new.profile.json", profile.dump());
      ASSERT_TRUE(bench.Run(VERB_APPLY, "prestage", site.Params(), seconds(60)).done());
      EXPECT_EQ(site.New("anne@hr1.example"), site.Old("anne@hr1.example")) << "each is there once, wherever";
      lies = false;
      const Answer named = bench.Run(VERB_PROBE, "verify", site.Params(), seconds(60));
      EXPECT_EQ(ClaimIn(named, "mail.verified"), "fails");
      const Answer delta = bench.Run(VERB_APPLY, "delta", site.Params(), seconds(60));
      ASSERT_TRUE(delta.done()) << ::testing::PrintToString(delta);
      EXPECT_EQ(site.New("anne@hr1.example"), site.Old("anne@hr1.example"));
      const Answer proven = bench.Run(VERB_PROBE, "verify", site.Params(), seconds(60));
      EXPECT_EQ(ClaimIn(proven, "mail.verified"), "holds") << ::testing::PrintToString(proven);
      EXPECT_THAT(proven.value.at("summary").get<std::string>(), Not(HasSubstr("out of order")));
      // What vanishes in the source goes, and nothing instead of it.
      {
        auto anne = site.Connect(site.old_server(), "anne@hr1.example");
        anne->Open({"INBOX"});
        for (const uint32_t uid : {2, 3, 40, 100}) anne->Remove(uid);
      }
      ASSERT_TRUE(bench.Run(VERB_APPLY, "delta", site.Params(), seconds(60)).done());
      EXPECT_EQ(site.New("anne@hr1.example"), site.Old("anne@hr1.example"));
      std::printf("%s: %s\n", wrong.what.c_str(), named.value.at("summary").get<std::string>().c_str());
    }
  });
}

// Killed at each instant besides.
TEST(MailMisplaced, WrongNumbersDoubleAndLoseNothingAtWhateverInstantItIsKilled) {
  const std::pair<std::string, std::function<uint32_t(uint32_t)>> lies[] = {
      {"one too high", [](uint32_t uid) { return uid + 1; }},
      {"far too high", [](uint32_t uid) { return uid + 900; }},
      {"each other's", [](uint32_t uid) { return uid % 2 == 1 ? uid + 1 : uid - 1; }},
      {"one and the same", [](uint32_t) { return 4u; }},
      {"now and then", [](uint32_t uid) { return uid % 3 == 0 ? uid + 2 : uid; }},
  };
  for (const auto& [what, lie] : lies) {
    SCOPED_TRACE(what);
    uint64_t instants = 1;
    for (uint64_t at = 1; at <= instants && !HasFailure(); ++at) {
      SCOPED_TRACE(at);
      SimMove move;
      for (int i = 1; i <= 9; ++i) move.source.folders[{"INBOX"}].Add(MessageOf(i));
      move.source.folders[{"INBOX"}].Add(MessageOf(3));
      move.target.lie = lie;
      Fate fate{.at = at};
      try {
        move.Pass(fate);
      } catch (const Killed&) {
      }
      instants = std::max(instants, fate.passed + (fate.passed == at));
      move.target.lie = nullptr;
      move.source.folders[{"INBOX"}].messages.erase(2);
      move.source.folders[{"INBOX"}].messages.erase(7);
      move.Finish();
      EXPECT_EQ(Sorted(InOrder(move.target, {"INBOX"})), Sorted(InOrder(move.source, {"INBOX"})));
    }
    EXPECT_GT(instants, 30u);
  }
}

}  // namespace
}  // namespace reprise::mail
