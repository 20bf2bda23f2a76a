// SIGKILL at random instants to whatever takes part: the plugin with all of the runner's processes, either server whole, one session of either.
// Meanwhile people work. Then another program finds each message once, with its flags, its date and its place.
//
// REPRISE_MAIL_KILLS: how many (12), REPRISE_MAIL_SEED: another course (7).
#include <gmock/gmock.h>

#include "plugins/sdk/process.h"
#include "tests/unit/plugins/mail/move_bench.h"

namespace reprise::mail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kAnne = "anne@hr1.example";

unsigned FromEnvironment(const char* name, unsigned otherwise) {
  const char* said = std::getenv(name);
  return said == nullptr ? otherwise : unsigned(std::stoul(said));
}

json TwoSides(const MoveSite& site, const Dovecot& old_server, const Dovecot& new_server) {
  const auto side = [](const Dovecot& server) {
    return json{{"port", server.port()}, {"login", server.master_login(kAnne)}, {"password", server.master_password()}};
  };
  sdk::RunOptions options;
  options.input = json{{"ca", site.ca.file.string()}, {"old", side(old_server)}, {"new", side(new_server)}}.dump();
  const sdk::RunResult done = sdk::Run(site.context, {"python3", (SourceFolder() / "tests/unit/plugins/mail/two_sides.py").string()}, options);
  if (!done.ok()) throw std::runtime_error("two_sides.py: " + done.Why() + done.err);
  return json::parse(done.out);
}

// One of its processes that serve somebody; false: there is none.
bool KillASession(const Dovecot& server) {
  for (const pid_t child : Dovecot::ChildrenOf(server.pid())) {
    if (Slurp("/proc/" + std::to_string(child) + "/comm") == "imap\n") return kill(child, SIGKILL) == 0;
  }
  return false;
}

class People {
 public:
  People(MoveSite& site, std::mt19937& random) : site_(site), random_(random) {}

  // Some messages come, of which many are equal to others, some are read, some go.
  void Work(int came) {
    auto anne = site_.Connect(site_.old_server(), kAnne);
    for (const FolderPath& path : {FolderPath{"INBOX"}, FolderPath{"Archives", "Ao\u00FBt"}}) {
      anne->Create({path});
      std::vector<Outgoing> messages;
      for (int i = 0; i < came; ++i) {
        const int number = int(random_() % 5 == 0 ? random_() % 7 : next_++);
        Message message = MoveSite::Numbered(number, 100 + size_t(number) % 900);
        if (number % 4 == 0) message.flags = {"\\Answered", "\\Seen", "urgent"};
        messages.push_back(ToSend(message));
      }
      for (const AppendResult& result : anne->AppendAll(path, messages)) {
        if (result.refused) throw *result.refused;
      }
      anne->Open(path);
      const std::vector<Listed> all = ListAll(*anne);
      for (int i = 0; i < 4; ++i) anne->SetFlags(all[random_() % all.size()].uid, {"\\Flagged", "\\Seen"});
      for (int i = 0; i < 3; ++i) anne->Remove(all[random_() % all.size()].uid);
    }
  }

 private:
  MoveSite& site_;
  std::mt19937& random_;
  int next_ = 100;
};

TEST(MailKills, OfWhateverTakesPartLeaveEachMessageOnceInItsPlace) {
  ON_MAIL_HOST([](PluginBench& bench) {
    MoveSite site({{kAnne, 0}});
    const unsigned kills = FromEnvironment("REPRISE_MAIL_KILLS", 12), seed = FromEnvironment("REPRISE_MAIL_SEED", 7);
    std::mt19937 random(seed);
    People people(site, random);
    people.Work(300);
    std::map<std::string, int> killed;
    int ended = 0;
    std::optional<std::future<Answer>> running;
    for (unsigned i = 0; i < kills;) {
      if (!running) running = bench.Start(VERB_APPLY, i < 3 ? "prestage" : "delta", site.Params(), seconds(120));
      // From its first connection to its last line, wherever that is.
      if (running->wait_for(std::chrono::microseconds(random() % 350'000)) == std::future_status::ready) {
        const Answer answer = running->get();
        EXPECT_TRUE(answer.done()) << ::testing::PrintToString(answer);
        running.reset();
        ++ended;
        people.Work(120);
        continue;
      }
      Dovecot& server = random() % 2 == 0 ? site.new_server() : site.old_server();
      const std::string side = &server == &site.new_server() ? "new" : "old";
      switch (random() % 4) {
        case 0:
          server.Kill();
          server.Start();
          ++killed[side + " server"];
          break;
        case 1:
          if (!KillASession(server)) continue;
          ++killed[side + " server's session"];
          break;
        default:
          bench.KillAll();
          running.reset();
          ++killed["plugin"];
      }
      ++i;
    }
    if (running) running->wait();
    for (int i = 0; i < 3; ++i) {
      const Answer last = bench.Run(VERB_APPLY, "delta", site.Params({{"deletions", "follow_all"}}), seconds(120));
      ASSERT_TRUE(last.done()) << ::testing::PrintToString(last);
      if (!last.changed()) break;
    }
    const json told = TwoSides(site, site.old_server(), site.new_server());
    EXPECT_GT(told.at("messages").get<int>(), 500);
    EXPECT_EQ(told.at("lost"), 0) << told;
    EXPECT_EQ(told.at("doubled"), 0) << told;
    EXPECT_EQ(told.at("differ"), json::array());
    EXPECT_EQ(told.at("disordered"), json::array());
    EXPECT_EQ(ClaimIn(bench.Run(VERB_PROBE, "verify", site.Params(), seconds(120)), "mail.verified"), "holds");
    std::printf("seed %u: %s, %d runs came to their end meanwhile; %s\n", seed, json(killed).dump().c_str(), ended, told.dump().c_str());
  });
}

}  // namespace
}  // namespace reprise::mail
