#include "plugins/bubble/post_steps.h"

#include "plugins/bubble/admission.h"

namespace reprise::bubble {
namespace {

using sdk::Json;

// Of older ones nobody takes anything back any more.
constexpr size_t kStepsMax = 32;

std::string Key(const std::string& bubble, const std::string& post) {
  return "before-post." + bubble + "." + post;
}

Json StepsOf(const Store& store, const std::string& key, const Json& now) {
  const auto note = store.Before(key);
  if (!note) return Json::array();
  Json steps = note->value("steps", Json::array());
  if (note->contains("post")) {
    // As it was noted formerly, of the last step alone.
    const Json& was = note->at("post");
    steps.push_back({{"was", was.is_null() ? was : was.at("posts").at(0)}, {"left", now}});
  }
  // A step that was refused or cut short before it changed anything, or an undo that was cut short after it had.
  while (!steps.empty() && steps.back().at("left") != now && steps.back().at("was") == now) steps.erase(steps.size() - 1);
  return steps;
}

void Keep(const Store& store, const std::string& key, const Json& steps) {
  if (steps.empty()) {
    store.ForgetBefore(key);
  } else {
    store.PutBefore(key, {{"steps", steps}});
  }
}

Post PostOf(const Bubble& bubble, const Json& post) {
  Json whole = ToJson(bubble);
  whole["posts"] = Json::array();
  whole["posts"].push_back(post);
  return BubbleFromJson(whole).posts.at(0);
}

}  // namespace

Json OnePost(const Bubble& bubble, const std::string& name) {
  Bubble one = bubble;
  const auto noted = Find(one.posts, name);
  if (noted == one.posts.end()) return nullptr;
  return ToJson(one).at("posts").at(static_cast<size_t>(noted - one.posts.begin()));
}

void NoteStep(const Store& store, const Bubble& bubble, const std::string& name, const Json& left) {
  const std::string key = Key(bubble.charter.bubble, name);
  const Json was = OnePost(bubble, name);
  Json steps = StepsOf(store, key, was);
  steps.push_back({{"was", was}, {"left", left}});
  if (steps.size() > kStepsMax) steps.erase(0);
  Keep(store, key, steps);
}

std::string UndoStep(const sdk::Context& context, const Store& store, const std::string& name, const Json& left) {
  const std::string bubble_name = BubbleName(context), key = Key(bubble_name, name);
  const auto bubble = store.Get(bubble_name);
  if (!bubble) {
    store.ForgetBefore(key);
    return "nothing to undo: the bubble is gone";
  }
  const Json now = OnePost(*bubble, name);
  Json steps = StepsOf(store, key, now);
  size_t at = steps.size();
  while (at > 0 && steps.at(at - 1).at("left") != left) --at;
  if (at == 0) {
    Keep(store, key, steps);
    return "nothing to undo";
  }
  const Json was = steps.at(--at).at("was");
  std::string told;
  if (at + 1 < steps.size() || now != left) {
    if (at + 1 < steps.size()) steps[at + 1]["was"] = was;
    told = "post " + name + " is left as it is, " + (now.is_null() ? "out" : Shown(PostOf(*bubble, now))) +
           ": it was changed after this step";
  } else if (was.is_null()) {
    PutOut(context, store, *bubble, name);
    told = "post " + name + " is out, as before";
  } else {
    const Post post = PostOf(*bubble, was);
    CheckPost(post, bubble->charter);
    LetIn(context, store, *bubble, post);
    told = "post " + Shown(post) + ", as before";
  }
  steps.erase(at);
  Keep(store, key, steps);
  return told;
}

}  // namespace reprise::bubble
