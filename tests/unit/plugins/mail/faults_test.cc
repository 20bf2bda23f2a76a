// What goes wrong between here and a mail server, against real Dovecots: refusals are told apart, and nothing is half there.
#include <gmock/gmock.h>

#include <thread>

#include "plugins/sdk/sha256.h"
#include "tests/unit/plugins/mail/mailboxes.h"

namespace reprise::mail {
namespace {

const std::string kSmall = "Subject: x\r\n\r\ny\r\n";
Message Large(size_t bytes) { return {"Subject: large\r\n\r\n" + std::string(bytes, 'x') + "\r\n"}; }

TEST(MailFaults, TellAFullMailboxFromALargeMessage) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("new", {.users = {{kUser, {"x", 100'000}}}, .storage = kSdbox, .fields = {{"MESSAGE_MAX", "60k"}}});
  auto store = site.Connect(server);
  std::string why;
  try {
    Put(*store, {"INBOX"}, Large(70'000));
  } catch (const StoreError& error) {
    why = error.code() + " " + error.said();
  }
  EXPECT_THAT(why, ::testing::StartsWith("too_large"));
  Put(*store, {"INBOX"}, Large(40'000));
  Put(*store, {"INBOX"}, Large(40'000));
  EXPECT_EQ(CodeOf([&] { Put(*store, {"INBOX"}, Large(40'000)); }), "over_quota");
  // Of many, those that fit are there, and each other one is told.
  const auto results = store->AppendAll({"INBOX"}, {ToSend({kSmall}), ToSend(Large(70'000)), ToSend({kSmall}), ToSend(Large(40'000)), ToSend({kSmall})});
  std::vector<std::string> codes;
  for (const AppendResult& result : results) codes.push_back(result.refused ? result.refused->code() : std::to_string(result.appended.uid));
  // What is behind the one that has no room is not put before it.
  EXPECT_THAT(codes, ElementsAre("3", "too_large", "4", "over_quota", "over_quota"));
  EXPECT_EQ(store->Open({"INBOX"}).messages, 4u);
}

TEST(MailFaults, SayWhatALimitOfTheServerIs) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("new", {.fields = {{"CAPABILITY", "+APPENDLIMIT=35651584"}, {"CONNECTIONS_MAX", "2"}}});
  auto one = site.Connect(server);
  EXPECT_EQ(one->LargestMessage(), 35'651'584u);
  auto two = site.Connect(server);
  const std::string code = CodeOf([&] { site.Connect(server); });
  EXPECT_TRUE(code == "limited" || code == "unavailable") << code;
  EXPECT_EQ(WhetherAgain(code), Again::kLater);
  two.reset();
  EXPECT_TRUE(plugins::Eventually([&] { return CodeOf([&] { site.Connect(server); }).empty(); })) << "later there is room";
}

TEST(MailFaults, LeaveNothingWhenABodyIsNotAsLongAsItWasSaid) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("new");
  const auto body = [](size_t bytes) { return [bytes](const Sink& sink) { sink(std::string(bytes, 'x')); }; };
  for (const size_t bytes : {99u, 101u, 0u}) {
    auto store = site.Connect(server);
    EXPECT_EQ(CodeOf([&] { store->Append({"INBOX"}, {0, 100, {}, {}}, body(bytes)); }), "changed");
    EXPECT_EQ(CodeOf([&] { store->Open({"INBOX"}); }), "connection_lost") << "this connection is half said";
  }
  auto store = site.Connect(server);
  EXPECT_EQ(CodeOf([&] {
    store->Append({"INBOX"}, {0, 100, {}, {}}, [](const Sink& sink) {
      sink(std::string(50, 'x'));
      throw sdk::Error("connection_lost", "the source");
    });
  }), "connection_lost");
  EXPECT_EQ(site.Connect(server)->Open({"INBOX"}).messages, 0u);
}

TEST(MailFaults, EndTheSessionWhenTheServerIsKilledInTheMiddle) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("new", {.storage = kSdbox});
  auto store = site.Connect(server);
  Put(*store, {"INBOX"}, {kSmall});
  const std::string code = CodeOf([&] {
    store->Append({"INBOX"}, {0, 10 << 20, {}, {}}, [&](const Sink& sink) {
      for (int i = 0; i < 160; ++i) {
        sink(std::string(64 << 10, 'x'));
        if (i == 80) server.Kill();
      }
    });
  });
  EXPECT_EQ(code, "connection_lost");
  EXPECT_EQ(CodeOf([&] { store->Open({"INBOX"}); }), "connection_lost");
  EXPECT_EQ(CodeOf([&] { site.Connect(server); }), "unreachable");
  server.Start();
  auto later = site.Connect(server);
  EXPECT_EQ(later->Open({"INBOX"}).messages, 1u);
  EXPECT_EQ(ReadAll(*later, 1), kSmall);
  // An orderly end, with a message of many under way.
  std::vector<Outgoing> many(1000, ToSend({kSmall}));
  std::thread end([&] { server.End(); });
  std::string last;
  for (int i = 0; i < 100 && last.empty(); ++i) last = CodeOf([&] { later->AppendAll({"INBOX"}, many); });
  end.join();
  EXPECT_EQ(last, "connection_lost");
  server.Start();
  const uint64_t there = site.Connect(server)->Open({"INBOX"}).messages;
  EXPECT_EQ((there - 1) % 100, 0u) << "each batch is there whole or not at all";
}

TEST(MailFaults, EndInTimeWhenTheVerbIsCancelled) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("new");
  auto sending = site.Connect(server), waiting = site.Connect(server);
  const auto children = Dovecot::ChildrenOf(server.pid());
  EXPECT_EQ(CodeOf([&] {
    sending->Append({"INBOX"}, {0, 1 << 20, {}, {}}, [&](const Sink& sink) {
      sink(std::string(1 << 19, 'x'));
      site.Cancel();
      sink(std::string(1 << 19, 'x'));
    });
  }), "cancelled");
  for (const pid_t child : children) kill(child, SIGSTOP);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(CodeOf([&] { waiting->Open({"INBOX"}); }), "cancelled");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(1500));
  for (const pid_t child : children) kill(child, SIGCONT);
}

TEST(MailFaults, KeepToTheBandwidthThatIsAllowed) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("new");
  const Profile profile = ParseProfile(site.ProfileJson(server));
  Credentials credentials(site.context, profile);
  Flow slow(1 << 20);
  ImapStore store(site.context, profile, kUser, credentials, slow);
  const auto start = std::chrono::steady_clock::now();
  Put(store, {"INBOX"}, Large(3 << 19));
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GT(took, std::chrono::milliseconds(1200)) << "1.5 MiB at 1 MiB/s";
  EXPECT_GT(slow.sent(), 3u << 19);
  EXPECT_LT(slow.sent(), (3u << 19) + 8192);
  store.Open({"INBOX"});
  ReadAll(store, 1);
  EXPECT_GT(slow.received(), 3u << 19);
  EXPECT_GT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(2500));
}

TEST(MailFaults, WaitNoLongerForASilentServerThanTheProfileAllows) {
  NEEDS_DOVECOT();
  MailSite site;
  Dovecot& server = site.Server("new");
  json profile = site.ProfileJson(server);
  profile["silence_max"] = "1s";
  auto store = site.Connect(profile);
  const auto children = Dovecot::ChildrenOf(server.pid());
  for (const pid_t child : children) kill(child, SIGSTOP);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(CodeOf([&] { store->Open({"INBOX"}); }), "connection_lost");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  for (const pid_t child : children) kill(child, SIGCONT);
}

}  // namespace
}  // namespace reprise::mail
