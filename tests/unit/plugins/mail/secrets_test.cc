// Who is let in, by whom, and that nobody else learns how: certificates, passwords, tokens, against real Dovecots.
#include <gmock/gmock.h>

#include "plugins/sdk/sha256.h"
#include "tests/unit/plugins/mail/mailboxes.h"

namespace reprise::mail {
namespace {

const std::string kSmall = "Subject: x\r\n\r\ny\r\n";

json With(json profile, const std::string& key, const json& value) {
  profile[key] = value;
  return profile;
}

void WriteSecret(const fs::path& path, const std::string& text, unsigned mode = 0600) {
  Spit(path, text);
  fs::permissions(path, fs::perms(mode));
}

TEST(MailTls, RefusesAServerThatCannotProveWhoItIs) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& good = site.Server("good");
  Dovecot& expired = site.Server("expired", {.certificate = {.seconds = -60}});
  Dovecot& other = site.Server("other", {.certificate = {.names = "DNS:mail.elsewhere.example,IP:127.0.0.9"}});
  const ThrowawayCa stranger(site.scratch.path / "stranger");

  EXPECT_EQ(CodeOf([&] { site.Connect(good); }), "");
  EXPECT_EQ(CodeOf([&] { site.Connect(With(With(site.ProfileJson(good), "host", "localhost"), "address", "127.0.0.1")); }), "");
  EXPECT_EQ(CodeOf([&] { site.Connect(With(site.ProfileJson(good), "ca_file", stranger.file.string())); }), "certificate_refused");
  EXPECT_EQ(CodeOf([&] { site.Connect(With(site.ProfileJson(good), "ca_file", "")); }), "certificate_refused") << "not among the system's";
  EXPECT_EQ(CodeOf([&] { site.Connect(With(site.ProfileJson(good), "ca_file", "/absent.pem")); }), "certificate_refused");
  EXPECT_EQ(CodeOf([&] { site.Connect(With(With(site.ProfileJson(good), "host", "mail.hr1.example"), "address", "127.0.0.1")); }),
            "certificate_refused");
  EXPECT_EQ(CodeOf([&] { site.Connect(expired); }), "certificate_refused");
  EXPECT_EQ(CodeOf([&] { site.Connect(other); }), "certificate_refused");
  EXPECT_THAT(good.log() + expired.log() + other.log(), Not(HasSubstr("auth failed"))) << "no password was sent";
  json nobody = With(site.ProfileJson(good), "port", 1);
  EXPECT_EQ(CodeOf([&] { site.Connect(nobody); }), "unreachable");
}

TEST(MailLogin, WorksInEachWayAndFailsWithoutSayingTheSecret) {
  NEEDS_DOVECOT();
  MailSite site;
  const std::string canary = "p\"a\\s s-CANARY-4711";
  Dovecot& server = site.Server("old", {.users = {{kUser, {canary}}}});
  const fs::path file = site.scratch.path / "own-password";
  WriteSecret(file, canary + "\n");
  for (const char* auth : {"plain", "login"}) {
    json profile = With(With(site.ProfileJson(server), "login", "{user}"), "password_file", file.string());
    profile["auth"] = auth;
    EXPECT_EQ(site.Connect(profile)->Open({"INBOX"}).messages, 0u) << auth;
    WriteSecret(file, canary + "wrong");
    try {
      site.Connect(profile);
      ADD_FAILURE() << "let in with a wrong password";
    } catch (const StoreError& error) {
      EXPECT_EQ(error.code(), "auth_failed");
      EXPECT_THAT(error.what() + error.hint() + error.said(), Not(HasSubstr("CANARY")));
      EXPECT_THAT(error.what(), Not(HasSubstr("durand")));
    }
    WriteSecret(file, canary);
  }
  json master = site.ProfileJson(server);
  // The master user is let in, and then there is nobody whose mailbox it could be.
  const std::string code = CodeOf([&] { site.Connect(master, "nobody@hr1.example"); });
  EXPECT_NE(code, "");
  EXPECT_NE(code, "connection_lost") << "nothing was under way";
}

TEST(MailSecrets, AreTakenOnlyFromFilesThatNobodyElseReads) {
  Scratch scratch;
  const fs::path file = scratch.path / "secret";
  WriteSecret(file, "sesame\n");
  EXPECT_EQ(ReadSecretFile(file)->text(), "sesame");
  for (const unsigned mode : {0640u, 0604u, 0620u, 0666u}) {
    fs::permissions(file, fs::perms(mode));
    EXPECT_EQ(CodeOf([&] { ReadSecretFile(file); }), "auth_changed") << std::oct << mode;
  }
  WriteSecret(file, "");
  EXPECT_EQ(CodeOf([&] { ReadSecretFile(file); }), "auth_changed");
  WriteSecret(file, std::string(100000, 'x'));
  EXPECT_EQ(CodeOf([&] { ReadSecretFile(file); }), "auth_changed");
  WriteSecret(file, "sesame");
  fs::create_symlink(file, scratch.path / "link");
  EXPECT_EQ(CodeOf([&] { ReadSecretFile(scratch.path / "link"); }), "auth_changed");
  EXPECT_EQ(CodeOf([&] { ReadSecretFile(scratch.path / "absent"); }), "auth_changed");
  EXPECT_EQ(CodeOf([&] { ReadSecretFile(scratch.path); }), "auth_changed");
  if (geteuid() == 0 && chown(file.c_str(), 12345, 0) == 0) {
    EXPECT_EQ(CodeOf([&] { ReadSecretFile(file); }), "auth_changed") << "another user's";
  }
}

// A program that prints the token in `next`, and counts how often it was asked.
fs::path TokenProgram(const fs::path& folder) {
  const fs::path program = folder / "token";
  Spit(program, "#!/bin/sh\nread user\nprintf '%s ' \"$user\" >>" + (folder / "asked").string() + "\n/bin/cat " +
                             (folder / "next").string() + "\n");
  fs::permissions(program, fs::perms(0700));
  return program;
}

size_t Asked(const fs::path& folder) {
  const std::string text = Slurp(folder / "asked");
  return static_cast<size_t>(std::count(text.begin(), text.end(), ' '));
}

TEST(MailTokens, AreRenewedWhenTheyExpireInTheMiddle) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("new", {.storage = kSdbox, .xoauth2 = true});
  json profile = site.ProfileJson(server);
  profile.erase("password_file");
  profile["auth"] = "xoauth2", profile["login"] = "{user}";
  profile["token_command"] = {TokenProgram(site.scratch.path).string()};
  const Profile parsed = ParseProfile(profile);
  Credentials credentials(site.context, parsed);
  const fs::path next = site.scratch.path / "next";

  constexpr int kLifeSeconds = 12;  // Good while two connections are made, on a busy machine too.
  Spit(next, server.Token(kUser, kLifeSeconds) + "\n");
  const auto over = std::chrono::steady_clock::now() + std::chrono::seconds(kLifeSeconds + 1);
  {
    ImapStore store(site.context, parsed, kUser, credentials, site.flow);
    Put(store, {"INBOX"}, {kSmall});
    ImapStore second(site.context, parsed, kUser, credentials, site.flow);
    EXPECT_EQ(Asked(site.scratch.path), 1u) << "one token for all connections while it is good";
    EXPECT_EQ(Slurp(site.scratch.path / "asked"), std::string(kUser) + " ") << "the user's name comes by standard input";
    // Its end by its own words: a new one is asked for before the server can refuse it.
    Spit(next, json{{"access_token", server.Token(kUser, 300)}, {"expires_in", 300}}.dump());
    std::this_thread::sleep_until(over);
    ImapStore third(site.context, parsed, kUser, credentials, site.flow);
    EXPECT_EQ(third.Open({"INBOX"}).messages, 1u);
    EXPECT_EQ(Asked(site.scratch.path), 2u);
    EXPECT_EQ(store.Open({"INBOX"}).messages, 1u) << "sessions go on";
  }
  // Its end by the server's word: it does not take what still looks good (another key).
  server.End();
  Dovecot& other = site.Server("other", {.storage = kSdbox, .xoauth2 = true});
  json moved = profile;
  moved["port"] = other.port();
  Credentials shared(site.context, ParseProfile(moved));
  Spit(next, server.Token(kUser, 300));
  EXPECT_NE(shared.For(kUser), nullptr);
  Spit(next, other.Token(kUser, 300));
  ImapStore fourth(site.context, ParseProfile(moved), kUser, shared, site.flow);
  EXPECT_EQ(fourth.Open({"INBOX"}).messages, 0u);
  EXPECT_EQ(Asked(site.scratch.path), 4u);
  // No better one: once more, and no endless asking.
  Spit(next, server.Token(kUser, 299));
  Credentials stale(site.context, ParseProfile(moved));
  EXPECT_EQ(CodeOf([&] { ImapStore(site.context, ParseProfile(moved), kUser, stale, site.flow); }), "auth_failed");
  EXPECT_EQ(Asked(site.scratch.path), 6u);
  EXPECT_THAT(other.log() + server.log(), Not(HasSubstr(server.Token(kUser, 299).substr(0, 40))));
}

TEST(MailTokens, OfFilesAreForAllOrForEachUser) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("new", {.users = {{kUser, {"x"}}, {"bob@hr1.example", {"x"}}}, .xoauth2 = true});
  const fs::path file = site.scratch.path / "tokens";
  json profile = site.ProfileJson(server);
  profile.erase("password_file");
  profile["auth"] = "xoauth2", profile["login"] = "{user}", profile["token_file"] = file.string();
  WriteSecret(file, json{{kUser, server.Token(kUser)}, {"bob@hr1.example", server.Token("bob@hr1.example")}}.dump());
  EXPECT_EQ(CodeOf([&] { site.Connect(profile); }), "");
  EXPECT_EQ(CodeOf([&] { site.Connect(profile, "bob@hr1.example"); }), "");
  EXPECT_EQ(CodeOf([&] { site.Connect(profile, "eve@hr1.example"); }), "auth_changed");
  WriteSecret(file, server.Token(kUser));
  EXPECT_EQ(CodeOf([&] { site.Connect(profile); }), "");
  EXPECT_EQ(CodeOf([&] { site.Connect(profile, "bob@hr1.example"); }), "auth_failed") << "another's token";
  WriteSecret(file, server.Token(kUser, -10));
  EXPECT_EQ(CodeOf([&] { site.Connect(profile); }), "auth_failed");
}

TEST(MailTokens, OfCommandsThatFailSayNothingOfWhatTheyPrinted) {
  MailSite site;
  const fs::path program = site.scratch.path / "broken";
  Spit(program, "#!/bin/sh\necho CANARY-0815\necho CANARY-0816 >&2\nexit 3\n");
  fs::permissions(program, fs::perms(0700));
  json profile = {{"host", "127.0.0.1"}, {"auth", "xoauth2"}, {"token_command", {program.string()}}};
  Credentials credentials(site.context, ParseProfile(profile));
  try {
    credentials.For(kUser);
    ADD_FAILURE();
  } catch (const sdk::Error& error) {
    EXPECT_EQ(error.code(), "auth_failed");
    EXPECT_THAT(error.what() + error.hint(), Not(HasSubstr("CANARY")));
    EXPECT_THAT(error.what(), HasSubstr("exit code 3"));
  }
}

}  // namespace
}  // namespace reprise::mail
