#include "plugins/bubble/post.h"

#include <algorithm>

#include "plugins/bubble/admission.h"
#include "plugins/bubble/post_steps.h"
#include "plugins/bubble/spelling.h"
#include "plugins/bubble/told.h"
#include "plugins/sdk/process.h"

namespace reprise::bubble {
namespace {

using sdk::ClaimState;
using sdk::Json;

constexpr const char* kPostClaim = "bubble.post_admitted";

Json AsLeft(Bubble bubble, const Post& post) {
  bubble.posts = {post};
  return OnePost(bubble, post.name);
}

sdk::Params PostParams(bool with_host) {
  using namespace sdk;
  const auto bubble = Name("bubble").Required().AtMost(32).About("The bubble");
  const auto post = Name("post").Required().AtMost(64).About("The post's name, as people know it");
  if (!with_host) return {bubble, post};
  return {bubble, post, LikeAddress(Text("address").Required().AtMost(64).About("The post's address, outside the bubble")),
          LikeMac(Text("mac").AtMost(17).About("Its hardware address, where it is on a network of the gateway")),
          LikeService(List("applications").Required().AtMost(64).About("tcp:ADDRESS:PORT of members that it may reach"))};
}

}  // namespace

sdk::ActionInfo AdmitPost::Describe() const {
  return {.name = "admit_post",
          .summary = "Admit a post to applications in the bubble; the gateway refuses one too many",
          .effect = sdk::Effect::kChange,
          .undoable = true,
          .needs = {.root = true, .network = true, .paths = {kFolder}},
          .timeout = "1m",
          .memory_mb = 256,
          .params = PostParams(true)};
}

sdk::ProbeResult AdmitPost::Probe(sdk::Context& context) {
  const Store store;
  const std::string name = BubbleName(context);
  const auto bubble = store.Get(name);
  std::string why = "this gateway has no bubble " + name;
  std::optional<Table> table;
  if (bubble) {
    table = Loaded(context, name);
    why = WhyNotIn(*bubble, PostFrom(context, bubble->charter), table);
  }
  const std::string detail = why.empty() ? "admitted: " + context.Param("post") : why;
  return {.holds = why.empty(),
          .summary = detail,
          .observed = {{"posts", table && table->sets.contains("posts") ? table->sets.at("posts").elements.size() : 0}},
          .evidence = {{"nft", detail}},
          .claims = {{kPostClaim, why.empty() ? ClaimState::kHolds : ClaimState::kFails, detail}}};
}

sdk::PlanResult AdmitPost::Plan(sdk::Context& context) {
  const std::string name = BubbleName(context);
  const auto bubble = Store().Get(name);
  if (!bubble)
    return {{{"post " + context.Param("post"), "no bubble " + name + " yet", "admitted"}},
            "the post is admitted once the bubble is there"};
  const Post post = PostFrom(context, bubble->charter);
  const std::string why = WhyNotIn(*bubble, post, Loaded(context, name));
  if (why.empty()) return {{}, "nothing to do"};
  std::vector<Post> posts = bubble->posts;
  const bool full =
      Find(posts, post.name) == posts.end() && posts.size() >= static_cast<size_t>(bubble->charter.posts_max);
  const std::string room = std::to_string(posts.size()) + " of " + std::to_string(bubble->charter.posts_max) +
                           " posts are in: " + Named(posts);
  return {{{"post " + post.name, why, full ? "not admitted: refused (posts_full); " + room : "admitted: " + Shown(post)}},
          full ? "will be refused: " + room : room};
}

sdk::ApplyResult AdmitPost::Apply(sdk::Context& context) {
  const Store store;
  const auto lock = store.Lock(context);
  const Bubble bubble = store.Must(BubbleName(context));
  const Post post = PostFrom(context, bubble.charter);
  if (WhyNotIn(bubble, post, Loaded(context, bubble.charter.bubble)).empty())
    return {false, "post " + post.name + " is admitted already"};
  std::vector<Post> posts = bubble.posts;
  const auto noted = Find(posts, post.name);
  // A note that says the same is of an apply that was cut short: what was before stands in its own.
  if (noted == posts.end() || !(*noted == post)) NoteStep(store, bubble, post.name, AsLeft(bubble, post));
  LetIn(context, store, bubble, post);
  return {true, "admitted " + Shown(post)};
}

sdk::VerifyResult AdmitPost::Verify(sdk::Context& context) {
  sdk::ProbeResult probe = Probe(context);
  // By another question than the list.
  const std::string table = TableName(BubbleName(context));
  const Address address = ParseAddress(context.Param("address"), "address");
  const sdk::RunResult got =
      sdk::Run(context, {"nft", "get", "element", "inet", table, "posts", "{ " + address.text + " }"});
  probe.evidence.push_back(
      {"command", "nft get element inet " + table + " posts: " + (got.ok() ? address.text + " is in" : got.Why())});
  if (!got.ok()) probe.claims = {{kPostClaim, ClaimState::kFails, "the gateway's set of posts does not have it"}};
  sdk::VerifyResult result{probe.holds && got.ok(), probe.summary, std::move(probe.evidence), std::move(probe.claims), {}, {}};
  TellAfterChange(context, BubbleName(context), result);
  return result;
}

sdk::RollbackResult AdmitPost::Rollback(sdk::Context& context) {
  const Store store;
  const auto lock = store.Lock(context);
  const Post post = PostAsked(context);
  return {UndoStep(context, store, post.name, AsLeft(Bubble(), post))};
}

sdk::ActionInfo RemovePost::Describe() const {
  return {.name = "remove_post",
          .summary = "Take a post out of the bubble; what it has open ends at once",
          .effect = sdk::Effect::kChange,
          .undoable = true,
          .needs = {.root = true, .network = true, .paths = {kFolder}},
          .timeout = "1m",
          .memory_mb = 256,
          .params = PostParams(false)};
}

sdk::ProbeResult RemovePost::Probe(sdk::Context& context) {
  auto bubble = Store().Get(BubbleName(context));
  const bool in = bubble && Find(bubble->posts, context.Param("post")) != bubble->posts.end();
  const std::string detail = "post " + context.Param("post") + (in ? " is admitted" : " is not admitted");
  return {.holds = !in,
          .summary = detail,
          .evidence = {{"note", detail}},
          .claims = {{kPostClaim, in ? ClaimState::kUnknown : ClaimState::kFails, detail}}};
}

sdk::PlanResult RemovePost::Plan(sdk::Context& context) {
  const sdk::ProbeResult probe = Probe(context);
  if (probe.holds) return {{}, "nothing to do"};
  return {{{"post " + context.Param("post"), "admitted", "out"}}, "the post reaches nothing inside any more"};
}

sdk::ApplyResult RemovePost::Apply(sdk::Context& context) {
  const Store store;
  const auto lock = store.Lock(context);
  const std::string name = context.Param("post");
  const auto bubble = store.Get(BubbleName(context));
  if (!bubble || OnePost(*bubble, name).is_null()) return {false, "post " + name + " is not admitted"};
  NoteStep(store, *bubble, name, nullptr);
  PutOut(context, store, *bubble, name);
  return {true, "post " + name + " is out"};
}

sdk::VerifyResult RemovePost::Verify(sdk::Context& context) {
  sdk::ProbeResult probe = Probe(context);
  // The gateway's set has no post that is not noted: then this one is not in it either.
  const Store store;
  const auto bubble = store.Get(BubbleName(context));
  const auto table = Loaded(context, BubbleName(context));
  bool strangers = false;
  if (bubble && table && table->sets.contains("posts")) {
    for (const auto& [address, figures] : table->sets.at("posts").elements) {
      strangers = strangers || std::none_of(bubble->posts.begin(), bubble->posts.end(),
                                            [&text = address](const Post& post) { return post.host.address.text == text; });
    }
    probe.evidence.push_back({"nft", "in the gateway's set: " + Inside(*bubble, *table)});
  }
  sdk::VerifyResult result{probe.holds && !strangers,
                           strangers ? "the gateway's set has posts that nobody admitted" : probe.summary,
                           std::move(probe.evidence),
                           std::move(probe.claims),
                           {},
                           {}};
  TellAfterChange(context, BubbleName(context), result);
  return result;
}

sdk::RollbackResult RemovePost::Rollback(sdk::Context& context) {
  const Store store;
  const auto lock = store.Lock(context);
  return {UndoStep(context, store, context.Param("post"), nullptr)};
}

}  // namespace reprise::bubble
