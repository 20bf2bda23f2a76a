#include "plugins/bubble/admission.h"

#include <algorithm>

#include "plugins/bubble/own.h"

namespace reprise::bubble {
namespace {

using sdk::Error;

[[noreturn]] void Full(const Post& post, const Bubble& bubble, const std::string& inside, const std::string& who) {
  throw Error("posts_full",
              "post " + post.name + " (" + post.host.address.text + ") is refused by " + who + ": bubble " +
                  bubble.charter.bubble + " admits " + std::to_string(bubble.charter.posts_max) + " post(s), in are " +
                  inside,
              "take one out with bubble.remove_post, or raise posts_max of bubble.gateway by a plan of its own");
}

Table MustBeLoaded(const sdk::Context& context, const Bubble& bubble) {
  auto table = Loaded(context, bubble.charter.bubble);
  if (!table) {
    throw Error("bubble_not_loaded", "table inet " + TableName(bubble.charter.bubble) + " is not there",
                "run bubble.gateway again");
  }
  return *std::move(table);
}

}  // namespace

Post PostAsked(const sdk::Context& context) {
  Post post{context.Param("post"),
            {ParseAddress(context.Param("address"), "address"), ParseMac(context.Param("mac", std::string()), "mac")},
            {}};
  for (const std::string& text : context.Param<std::vector<std::string>>("applications")) {
    Service service = ParseService(text, "applications");
    if (std::find(post.applications.begin(), post.applications.end(), service) == post.applications.end()) {
      post.applications.push_back(std::move(service));
    }
  }
  return post;
}

void CheckPost(const Post& post, const Charter& charter) {
  for (const Service& service : post.applications) {
    if (!charter.HasMember(service.address)) {
      throw Error("bad_params", "application " + service.Shown() + " is on no member of bubble " + charter.bubble,
                  "posts reach applications inside only; members are named by bubble.gateway");
    }
    if (service.address.ipv6 != charter.posts_ipv6) {
      throw Error("bad_params", "application " + service.Shown() + " has another family than the bubble's posts");
    }
  }
  if (post.applications.empty()) throw Error("bad_params", "parameter applications is empty: what may the post reach?");
  if (post.host.address.ipv6 != charter.posts_ipv6) {
    throw Error("bad_params", "address " + post.host.address.text + " has another family than the bubble's posts",
                "the family is posts_family of bubble.gateway: one limit, one set of addresses");
  }
  if (charter.SubnetOf(post.host.address) != nullptr) {
    throw Error("bad_params", "address " + post.host.address.text + " is inside the bubble", "a post is outside");
  }
  if (const std::string interface = InterfaceWith(post.host.address); !interface.empty()) {
    throw Error("bad_params", "address " + post.host.address.text + " is this gateway's own, on " + interface,
                "a post is a host of its own outside");
  }
}

Post PostFrom(const sdk::Context& context, const Charter& charter) {
  Post post = PostAsked(context);
  CheckPost(post, charter);
  return post;
}

std::vector<Post>::iterator Find(std::vector<Post>& posts, const std::string& name) {
  return std::find_if(posts.begin(), posts.end(), [&](const Post& post) { return post.name == name; });
}

std::string Inside(const Bubble& bubble, const Table& table) {
  std::string text;
  const auto found = table.sets.find("posts");
  if (found == table.sets.end()) return "none";
  for (const auto& [address, figures] : found->second.elements) {
    const auto known = std::find_if(bubble.posts.begin(), bubble.posts.end(),
                                    [&text = address](const Post& post) { return post.host.address.text == text; });
    text += (text.empty() ? "" : ", ") +
            (known == bubble.posts.end() ? address + " (unknown to Reprise)" : known->name + " (" + address + ")");
  }
  return text.empty() ? "none" : text;
}

std::string WhyNotIn(const Bubble& bubble, const Post& post, const std::optional<Table>& table) {
  std::vector<Post> posts = bubble.posts;
  const auto noted = Find(posts, post.name);
  if (noted == posts.end()) return "post " + post.name + " is not admitted";
  if (!(*noted == post)) return "post " + post.name + " is admitted otherwise";
  if (!table) return "the bubble's rules are not loaded";
  const Elements wanted = ElementsOf(post);
  if (table->Sealed()) return "post " + post.name + " waits: the bubble is sealed until bubble.readmit";
  return table->Present(wanted) == wanted ? "" : "post " + post.name + " is missing in the gateway's sets";
}

std::string Shown(const Post& post) {
  std::string text = post.name + " (" + post.host.Shown() + ") to ";
  for (size_t i = 0; i < post.applications.size(); ++i) text += (i == 0 ? "" : ", ") + post.applications[i].Shown();
  return text;
}

void MustBeUnsealed(const Bubble& bubble, const Table& table) {
  if (!table.Sealed()) return;
  throw Error("not_proven",
              "bubble " + bubble.charter.bubble +
                  " is sealed: its gateway restarted, or its rules were gone, and it was not proven closed since",
              "run bubble.prove_inside and bubble.prove_outside, then bubble.readmit");
}

void LetIn(const sdk::Context& context, const Store& store, Bubble bubble, const Post& post) {
  const Bubble former = bubble;
  const Table table = MustBeLoaded(context, bubble);
  MustBeUnsealed(bubble, table);
  const auto noted = Find(bubble.posts, post.name);
  Elements old;
  if (noted != bubble.posts.end()) {
    if (noted->host.address != post.host.address) {
      throw Error(
          "post_conflict",
          "post " + post.name + " is in with address " + noted->host.address.text + ", not " + post.host.address.text,
          "take it out with bubble.remove_post first");
    }
    old = ElementsOf(*noted);
    *noted = post;
  } else {
    for (const Post& other : bubble.posts) {
      if (other.host.address == post.host.address) {
        throw Error("post_conflict", "address " + post.host.address.text + " is in as post " + other.name);
      }
    }
    if (bubble.posts.size() >= static_cast<size_t>(bubble.charter.posts_max)) {
      Full(post, bubble, Inside(bubble, table), "the gateway's limit");
    }
    bubble.posts.push_back(post);
  }
  store.Put(bubble);
  try {
    Change(context, DeleteElements(bubble.charter, table.Present(old)) + AddElements(bubble.charter, ElementsOf(post)));
  } catch (const Error& error) {
    store.Put(former);
    if (error.code() == "set_full") Full(post, former, Inside(former, table), "the gateway's kernel");
    throw;
  }
}

bool PutOut(const sdk::Context& context, const Store& store, Bubble bubble, const std::string& name) {
  const auto noted = Find(bubble.posts, name);
  if (noted == bubble.posts.end()) return false;
  const Elements old = ElementsOf(*noted);
  bubble.posts.erase(noted);
  // The kernel first: one that is noted and not there is let in again by nobody but a step that says so.
  if (const auto table = Loaded(context, bubble.charter.bubble)) {
    if (const Elements there = table->Present(old); !there.empty())
      Change(context, DeleteElements(bubble.charter, there));
  }
  store.Put(bubble);
  return true;
}

}  // namespace reprise::bubble
