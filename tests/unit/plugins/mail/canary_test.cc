// While a batch moves, and after it: its secrets are in no argument, no environment, no result, no file but their own.
#include <gmock/gmock.h>

#include "tests/unit/plugins/mail/move_bench.h"

namespace reprise::mail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What all processes show to whoever looks: arguments and environments.
struct Shown {
  size_t hosts = 0, environments = 0, programs = 0;  // Of plugins; of them, read; of tokens.
  std::vector<std::string> leaks;
};

void LookAtProcesses(const std::vector<std::string>& secrets, Shown& shown) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos || pid == std::to_string(getpid())) continue;
    const std::string arguments = Slurp(entry.path() / "cmdline"), environment = Slurp(entry.path() / "environ");
    if (arguments.find("reprise-plugin-host") != std::string::npos) {
      ++shown.hosts;
      shown.environments += !environment.empty();
    }
    shown.programs += arguments.find("print-the-token") != std::string::npos;
    for (const std::string& secret : secrets) {
      if ((arguments + environment).find(secret) == std::string::npos) continue;
      std::string readable = arguments;
      std::replace(readable.begin(), readable.end(), '\0', ' ');
      shown.leaks.push_back(readable.substr(0, 200));
    }
  }
}

TEST(MailCanary, NoSecretIsShownByAnyProcessResultOrFileWhileABatchMoves) {
  ON_MAIL_HOST([](PluginBench& bench) {
    MoveSite site({{"anne@hr1.example", 0}, {"bert@hr1.example", 0}}, {}, {.xoauth2 = true});
    for (const char* user : {"anne@hr1.example", "bert@hr1.example"}) site.Fill(user, {"INBOX"}, 1, 1200);
    const fs::path tokens = site.scratch.path / "tokens", program = site.scratch.path / "print-the-token";
    std::vector<std::string> secrets = {site.old_server().master_password(), site.new_server().master_password()};
    fs::create_directories(tokens);
    for (const char* user : {"anne@hr1.example", "bert@hr1.example"}) {
      const std::string token = site.new_server().Token(user, 300);
      site.Write(std::string("tokens/") + user, token + "\n");
      secrets.push_back(token);
      secrets.push_back(token.substr(token.rfind('.') + 1));  // What proves it.
    }
    Spit(program, "#!/bin/sh\nread user\nsleep 0.2\nexec /bin/cat " + tokens.string() + "/\"$user\"\n");
    fs::permissions(program, fs::perms(0700));
    json profile = site.ProfileJson(site.new_server());
    profile.erase("password_file");
    profile["auth"] = "xoauth2", profile["login"] = "{user}", profile["token_command"] = {program.string()};
    site.Write("new.profile.json", profile.dump());

    auto running = bench.Start(VERB_APPLY, "prestage", site.Params(), seconds(60));
    Shown shown;
    size_t looks = 0;
    for (; running.wait_for(milliseconds(2)) == std::future_status::timeout; ++looks) LookAtProcesses(secrets, shown);
    const Answer applied = running.get();
    ASSERT_TRUE(applied.changed()) << ::testing::PrintToString(applied);
    EXPECT_EQ(site.CountNew("anne@hr1.example"), 1199u);
    EXPECT_THAT(shown.leaks, IsEmpty());
    // It looked at what it was to look at.
    EXPECT_GT(shown.hosts, 10u);
    EXPECT_GT(shown.environments, 0u);
    EXPECT_GT(shown.programs, 0u);
    Shown control;
    LookAtProcesses({"reprise-plugin-host", "/usr/sbin/dovecot"}, control);
    EXPECT_THAT(control.leaks, Not(IsEmpty())) << "it would find nothing";

    const Answer proven = bench.Run(VERB_VERIFY, "prestage", site.Params());
    for (const std::string& secret : secrets) {
      for (const Answer* answer : {&applied, &proven}) EXPECT_EQ((answer->value.dump() + answer->result.message).find(secret), std::string::npos);
      for (const fs::path& folder : {fs::path(kStateFolder), fs::path("/var/log"), fs::path("/run")}) {
        std::error_code none;
        for (const auto& entry : fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, none)) {
          if (entry.is_regular_file(none)) {
            EXPECT_EQ(Slurp(entry.path()).find(secret), std::string::npos) << entry.path();
          }
        }
      }
    }
    std::printf("%zu looks at all processes: plugin hosts seen %zu times, the tokens' program %zu times\n", looks, shown.hosts, shown.programs);
  });
}

}  // namespace
}  // namespace reprise::mail
