// A gateway that was restarted, or whose rules were taken away: nobody gets through before a new proof, and at no
// moment in between. With real packets, counted where they would arrive.
#include <atomic>

#include "plugins/bubble/boot.h"
#include "tests/unit/plugins/bubble/restarted.h"

namespace reprise::bubble {
namespace {

const json kLab = {{"bubble", "lab"}};

// Counts in a side's network what arrives there from the other.
class Watch {
 public:
  Watch(const Site& site, const std::string& name, const char* from4, const char* from6) : side_(site.side(name)) {
    In(side_, [&] {
      EXPECT_TRUE(Nft({"add", "table", "inet", "watch"}) &&
                  Nft({"add", "chain", "inet", "watch", "arrivals", "{ type filter hook prerouting priority 0; }"}) &&
                  Nft({"add", "rule", "inet", "watch", "arrivals", "ip", "saddr", from4, "counter"}) &&
                  Nft({"add", "rule", "inet", "watch", "arrivals", "ip6", "saddr", from6, "counter"}));
    });
  }
  int64_t Arrived() const {
    std::string said;
    In(side_, [&] { EXPECT_TRUE(Nft({"list", "chain", "inet", "watch", "arrivals"}, &said)); });
    int64_t packets = 0;
    for (size_t at = 0; (at = said.find("counter packets ", at)) != std::string::npos; ++at)
      packets += std::stoll(said.substr(at + 16));
    return packets;
  }

 private:
  int side_;
};

// Datagrams from inside to outside and the other way, in both families, all the time.
class Stream {
 public:
  explicit Stream(const Site& site) {
    for (const auto& [side, from, to] : {std::tuple("inside", "10.20.0.2", "10.1.0.9"),
                                         {"inside", "fd00:20::2", "fd00:1::9"},
                                         {"outside", "10.1.0.9", "10.20.0.2"},
                                         {"outside", "fd00:1::9", "fd00:20::2"},
                                         // A post's own way.
                                         {"outside", "10.1.0.11", "10.20.0.2"}}) {
      const int network = site.side(side);
      const std::string source = from, target = to;
      threads_.emplace_back([this, network, source, target] {
        if (setns(network, CLONE_NEWNET) != 0) return;
        socklen_t size = 0;
        sockaddr_storage address = SocketAddress(source, 0, size);
        const sdk::Fd fd(
            socket(source.find(':') == std::string::npos ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
        address = SocketAddress(target, 514, size);
        while (!ended_) {
          if (sendto(fd.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&address), size) == 1) ++sent_;
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
      });
    }
  }
  ~Stream() {
    ended_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  int64_t sent() const { return sent_; }

 private:
  std::atomic<bool> ended_ = false;
  std::atomic<int64_t> sent_ = 0;
  std::vector<std::thread> threads_;
};

TEST(Restart, LetsNobodyInBeforeAProofWasTakenAnew) {
  if (access("/usr/bin/runsvdir", X_OK) != 0) GTEST_SKIP() << "needs runit";
  ON_A_SITE([](Site& site) {
    plugins::OwnRunit runit;
    ASSERT_TRUE(runit.there());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", KeptBubble()).changed());
    for (int post = 1; post <= 4; ++post) ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(post)).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-1", "1h")).changed());
    ASSERT_TRUE(site.Reaches("10.1.0.11", "10.20.0.2", 5432) && site.Reaches("10.20.0.2", "10.1.0.9", 443));

    ASSERT_TRUE(Restarted());
    ASSERT_TRUE(Command({"sv", "-w", "20", "start", "/etc/service/reprise-bubble-lab"}));
    ASSERT_TRUE(plugins::Eventually([&] { return Forwards(true); }));
    ASSERT_TRUE(site.Reaches("10.20.0.2", "10.1.0.2", 7443))
        << "its rules return, and so do members' ways to be managed";
    EXPECT_FALSE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << "a post";
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 443)) << "a flow";
    const Answer probed = site.Gateway(VERB_PROBE, "gateway", KeptBubble());
    EXPECT_TRUE(probed.holds()) << PrintToString(probed);
    EXPECT_THAT(probed.value.at("summary").get<std::string>(),
                HasSubstr("sealed: 4 of 4 posts and 1 flow wait for bubble.readmit"));
    EXPECT_THAT(ClaimOf(probed), HasSubstr("at most 4 posts, sealed until bubble.readmit"));
    EXPECT_FALSE(site.Gateway(VERB_APPLY, "gateway", KeptBubble()).changed()) << "nor does that let anybody in";
    EXPECT_EQ(site.Gateway(VERB_PROBE, "counters", kLab).value.at("observed").at("measures").at("sealed"), 1);

    // No way leads around the proof.
    EXPECT_FALSE(site.Gateway(VERB_PROBE, "admit_post", LabPost(1)).holds());
    EXPECT_EQ(site.Gateway(VERB_APPLY, "admit_post", LabPost(1)).code(), "not_proven");
    EXPECT_EQ(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-1", "1h")).code(), "not_proven");
    EXPECT_EQ(site.Gateway(VERB_APPLY, "open_flow", LabFlow("D-2", "1h")).code(), "not_proven");
    EXPECT_FALSE(site.Gateway(VERB_PROBE, "readmit", kLab).holds());
    const Answer early = site.Gateway(VERB_APPLY, "readmit", kLab);
    EXPECT_EQ(early.code(), "not_proven");
    EXPECT_THAT(early.result.message, HasSubstr("nothing was refused on its way out within 10m over udp"));
    ASSERT_TRUE(
        Nft({"add", "element", "inet", "reprise_bubble_lab", "posts", "{ 10.1.0.11 }"}) &&
        Nft({"add", "element", "inet", "reprise_bubble_lab", "post_flows", "{ 10.1.0.11 . 10.20.0.2 . tcp . 5432 }"}));
    EXPECT_FALSE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << "not even one whom somebody lets in by hand";
    EXPECT_THAT(ClosedBy(site.Gateway(VERB_PROBE, "prove", kLab)), HasSubstr("posts has 10.1.0.11"));
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", KeptBubble()).changed()) << "and it is mended, still sealed";
    EXPECT_FALSE(site.Reaches("10.1.0.11", "10.20.0.2", 5432));

    ProveBothSides(site);
    EXPECT_FALSE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << "a proof alone lets nobody in: it only looks";
    const Answer proof = site.Gateway(VERB_PROBE, "prove", kLab);
    EXPECT_THAT(ClosedBy(proof),
                HasSubstr("closed holds: rules as expected (default drop, 3 members, 2 management flows, "
                          "at most 4 posts, sealed until bubble.readmit)"));
    EXPECT_EQ(site.Gateway(VERB_PLAN, "readmit", kLab).value.at("changes").size(), 1u);
    const Answer back = site.Gateway(VERB_APPLY, "readmit", kLab);
    ASSERT_TRUE(back.changed()) << PrintToString(back);
    const Answer verified = site.Gateway(VERB_VERIFY, "readmit", kLab);
    EXPECT_TRUE(verified.holds()) << PrintToString(verified);
    EXPECT_EQ(ClosedBy(verified).rfind("bubble.closed holds: ", 0), 0u) << ClosedBy(verified);
    EXPECT_EQ(ClaimNamed(verified, "bubble.gateway"),
              "bubble.gateway holds: default drop, 3 members, 2 management flows, at most 4 posts");
    EXPECT_EQ(MeasureIn(verified, "bubble.sealed"), 0);
    EXPECT_EQ(MeasureIn(verified, "bubble.posts"), 4);
    EXPECT_FALSE(site.Gateway(VERB_APPLY, "readmit", kLab).changed());
    for (int post = 1; post <= 4; ++post)
      EXPECT_TRUE(site.Reaches("10.1.0.1" + std::to_string(post), "10.20.0.2", 5432)) << post;
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.9", 443)) << "the flow, for what is left of its time";
    EXPECT_EQ(site.Gateway(VERB_APPLY, "admit_post", LabPost(5)).code(), "posts_full");
    EXPECT_FALSE(site.Reaches("10.1.0.15", "10.20.0.2", 5432));
    EXPECT_FALSE(Nft({"add", "element", "inet", "reprise_bubble_lab", "posts", "{ 10.1.0.15 }"}))
        << "the kernel itself";

    EXPECT_TRUE(site.Gateway(VERB_ROLLBACK, "readmit", kLab).done());
    EXPECT_FALSE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << "undone: sealed, as before";
    EXPECT_TRUE(site.Gateway(VERB_APPLY, "remove_post", {{"bubble", "lab"}, {"post", "ws-102"}}).changed());
    EXPECT_TRUE(
        site.Gateway(VERB_APPLY, "close_flow",
                     {{"bubble", "lab"}, {"from", "10.20.0.2"}, {"to", "10.1.0.9"}, {"protocol", "tcp"}, {"port", 443}})
            .changed());
    ProveBothSides(site);
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "readmit", kLab).changed());
    EXPECT_TRUE(site.Reaches("10.1.0.11", "10.20.0.2", 5432));
    EXPECT_FALSE(site.Reaches("10.1.0.12", "10.20.0.2", 5432)) << "who was taken out meanwhile stays out";
    EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 443)) << "and what was closed stays closed";
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "destroy", kLab).changed());
  });
}

TEST(Restart, RulesThatAreTakenAwayCloseTheBubbleInsteadOfOpeningIt) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    for (const std::vector<std::string>& away :
         {std::vector<std::string>{"flush", "ruleset"},
          {"delete", "table", "inet", "reprise_bubble_lab"},
          {"add", "table", "inet", "reprise_bubble_lab", "{ flags dormant; }"}}) {
      // No hook: nobody brings them back.
      ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
      ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(1)).changed());
      Line post(site.side("outside"), "10.1.0.11", "10.20.0.2", 5432);
      Line management(site.side("inside"), "10.20.0.2", "10.1.0.2", 7443);
      ASSERT_TRUE(post.Talks() && management.Talks());
      ASSERT_TRUE(Nft(away)) << away[0];
      const Watch outside(site, "outside", "10.20.0.0/24", "fd00:20::/64");
      const Watch inside(site, "inside", "10.1.0.0/24", "fd00:1::/64");
      const int64_t sent = [&] {
        Stream stream(site);
        EXPECT_FALSE(post.Talks() || management.Talks()) << "what ran has ended";
        EXPECT_FALSE(site.Reaches("10.20.0.2", "10.1.0.9", 443) || site.Reaches("fd00:20::2", "fd00:1::9", 443));
        EXPECT_FALSE(site.Reaches("10.1.0.9", "10.20.0.2", 5432) || site.Reaches("fd00:1::9", "fd00:20::2", 5432));
        return stream.sent();
      }();
      EXPECT_GT(sent, 100);
      EXPECT_EQ(outside.Arrived(), 0) << away[0] << ": of " << sent << " packets none gets out";
      EXPECT_EQ(inside.Arrived(), 0) << away[0] << ": none gets in";
      EXPECT_THAT(ClosedBy(site.Gateway(VERB_PROBE, "prove", kLab)), HasSubstr("bubble.closed fails: "));
      ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed()) << away[0];
      EXPECT_FALSE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << away[0] << ": mended, and sealed";
      EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.2", 7443));
      // The packets of this very stream do arrive where there is no bubble: the watch is no blind one.
      ASSERT_TRUE(site.Gateway(VERB_APPLY, "destroy", kLab).changed());
      {
        Stream stream(site);
        EXPECT_TRUE(plugins::Eventually([&] { return outside.Arrived() > 0 && inside.Arrived() > 0; }));
      }
      for (const char* side : {"inside", "outside"})
        In(site.side(side), [] { EXPECT_TRUE(Nft({"delete", "table", "inet", "watch"})); });
    }
  });
}

TEST(Restart, TheGuardBringsFlushedRulesBackSealedAndNothingFlowsMeanwhile) {
  if (access("/usr/bin/runsvdir", X_OK) != 0) GTEST_SKIP() << "needs runit";
  ON_A_SITE([](Site& site) {
    plugins::OwnRunit runit;
    ASSERT_TRUE(runit.there());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", KeptBubble()).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(1)).changed());
    ASSERT_TRUE(site.Reaches("10.1.0.11", "10.20.0.2", 5432));
    const Watch outside(site, "outside", "10.20.0.0/24", "fd00:20::/64");
    const Watch inside(site, "inside", "10.1.0.0/24", "fd00:1::/64");
    {
      // What has its mark at the very instant of a flush goes through: nothing is under way then, and all that comes after is kept out.
      ASSERT_TRUE(Nft({"flush", "ruleset"}));
      Stream stream(site);
      EXPECT_TRUE(plugins::Eventually([&] { return Nft({"list", "table", "inet", "reprise_bubble_lab"}); }));
      const auto sealed = stream.sent();
      EXPECT_TRUE(plugins::Eventually([&] { return stream.sent() > sealed + 100; }));
    }
    EXPECT_EQ(outside.Arrived(), 0);
    EXPECT_EQ(inside.Arrived(), 0);
    EXPECT_TRUE(Forwards(false)) << "all the while the gateway forwards";
    EXPECT_FALSE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << "what happened meanwhile nobody knows: sealed";
    EXPECT_TRUE(site.Reaches("10.20.0.2", "10.1.0.2", 7443));
    ProveBothSides(site);
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "readmit", kLab).changed());
    EXPECT_TRUE(site.Reaches("10.1.0.11", "10.20.0.2", 5432));
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "destroy", kLab).changed());
  });
}

TEST(Restart, WithoutAHookTheNextStepLoadsThemSealed) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(1)).changed());
    ASSERT_TRUE(Nft({"flush", "ruleset"}));
    EXPECT_EQ(site.Gateway(VERB_APPLY, "admit_post", LabPost(2)).code(), "bubble_not_loaded");
    EXPECT_EQ(site.Gateway(VERB_APPLY, "readmit", kLab).code(), "not_proven");
    const Answer loaded = site.Gateway(VERB_APPLY, "gateway", LabBubble());
    ASSERT_TRUE(loaded.changed());
    EXPECT_THAT(loaded.value.at("summary").get<std::string>(), HasSubstr("sealed: 1 of 4 posts"));
    EXPECT_FALSE(site.Reaches("10.1.0.11", "10.20.0.2", 5432));
    json wider = LabBubble();
    wider["management"].push_back("tcp:10.1.0.9:443");
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", wider).changed());
    EXPECT_FALSE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << "a change of the wall takes no seal off";
    EXPECT_TRUE(site.Gateway(VERB_ROLLBACK, "gateway", wider).done());
    EXPECT_FALSE(site.Reaches("10.1.0.11", "10.20.0.2", 5432));
  });
}

TEST(Readmit, KilledInTheMiddleIsSortedOut) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(1)).changed());
    for (const int delay : {5, 20, 40, 60, 90}) {
      ASSERT_TRUE(Nft({"delete", "table", "inet", "reprise_bubble_lab"}));
      ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
      ProveBothSides(site);
      auto running = site.gateway().Start(VERB_APPLY, "readmit", kLab);
      std::this_thread::sleep_for(std::chrono::milliseconds(delay));
      site.gateway().KillAll();
      const bool held = site.Gateway(VERB_PROBE, "readmit", kLab).holds();
      EXPECT_EQ(site.Reaches("10.1.0.11", "10.20.0.2", 5432), held) << delay << ": all or nothing";
      const Answer again = site.Gateway(VERB_APPLY, "readmit", kLab);
      EXPECT_EQ(again.changed(), !held) << delay << PrintToString(again);
      EXPECT_TRUE(site.Gateway(VERB_VERIFY, "readmit", kLab).holds()) << delay;
      EXPECT_TRUE(site.Reaches("10.1.0.11", "10.20.0.2", 5432)) << delay;
    }
  });
}

TEST(Changes, TakeTheProofAnewOrTakeItBack) {
  ON_A_SITE([](Site& site) {
    ASSERT_TRUE(Forward());
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", LabBubble()).changed());
    const auto begins = [](const std::string& text, const char* what) { return text.rfind(what, 0) == 0; };
    const std::string made = ClosedBy(site.Gateway(VERB_VERIFY, "gateway", LabBubble()));
    EXPECT_TRUE(begins(made, "bubble.closed unknown: nothing was refused")) << made;
    // Before there is any proof a post says nothing of it.
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "admit_post", LabPost(1)).changed());
    EXPECT_EQ(ClosedBy(site.Gateway(VERB_VERIFY, "admit_post", LabPost(1))), "nothing");
    ProveBothSides(site);

    const json way = {{"bubble", "lab"}, {"from", "10.20.0.2"}, {"to", "10.1.0.9"}, {"protocol", "tcp"}, {"port", 443}};
    const json out = {{"bubble", "lab"}, {"post", "ws-102"}};
    const std::vector<std::pair<const char*, json>> changes = {
        {"admit_post", LabPost(2)}, {"open_flow", LabFlow("D-1", "1h")}, {"close_flow", way}, {"remove_post", out}};
    for (const auto& [action, params] : changes) {
      ASSERT_TRUE(site.Gateway(VERB_APPLY, action, params).changed()) << action;
      const std::string claim = ClosedBy(site.Gateway(VERB_VERIFY, action, params));
      EXPECT_TRUE(begins(claim, "bubble.closed holds: rules as expected")) << action << " " << claim;
    }
    // Somebody punched a hole: the next change says so, and nothing that requires the proof begins.
    ASSERT_TRUE(Nft({"insert", "rule", "inet", "reprise_bubble_lab", "forward", "accept"}));
    const std::vector<std::pair<const char*, json>> again = {
        {"admit_post", LabPost(2)}, {"open_flow", LabFlow("D-2", "1h")}, {"close_flow", way}, {"remove_post", out}};
    for (const auto& [action, params] : again) {
      ASSERT_TRUE(site.Gateway(VERB_APPLY, action, params).changed()) << action;
      const std::string claim = ClosedBy(site.Gateway(VERB_VERIFY, action, params));
      EXPECT_TRUE(begins(claim, "bubble.closed fails: chain forward has \"accept\"")) << action << " " << claim;
    }
    // Another wall: what the former refused proves nothing of it.
    json wider = LabBubble();
    wider["members"].push_back("10.20.0.9");
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "gateway", wider).changed());
    const std::string changed = ClosedBy(site.Gateway(VERB_VERIFY, "gateway", wider));
    EXPECT_TRUE(begins(changed, "bubble.closed unknown: nothing was refused")) << changed;
    ASSERT_TRUE(site.Gateway(VERB_APPLY, "destroy", kLab).changed());
    EXPECT_EQ(ClosedBy(site.Gateway(VERB_VERIFY, "destroy", kLab)), "bubble.closed fails: the bubble was taken away");
  });
}

}  // namespace
}  // namespace reprise::bubble
