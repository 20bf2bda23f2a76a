// One post on its way into a bubble and out of it: what is asked, whether it is so, and the change in kernel and files.
#pragma once

#include <optional>
#include <string>

#include "plugins/bubble/install.h"

namespace reprise::bubble {

// What the parameters of bubble.admit_post say. Throws Error "bad_params" where they are misspelt.
Post PostAsked(const sdk::Context& context);
// Throws Error "bad_params" where it is no post of this bubble.
void CheckPost(const Post& post, const Charter& charter);
// Both.
Post PostFrom(const sdk::Context& context, const Charter& charter);

// The place of the post of that name; end() if it is not in.
std::vector<Post>::iterator Find(std::vector<Post>& posts, const std::string& name);

// Those that the gateway lets in, by name where a name is known.
std::string Inside(const Bubble& bubble, const Table& table);

// Empty if it is in, noted and in the kernel.
std::string WhyNotIn(const Bubble& bubble, const Post& post, const std::optional<Table>& table);

// "ws-101 (10.1.0.11) to tcp:10.20.0.2:5432"
std::string Shown(const Post& post);

// Throws Error "not_proven" if the bubble is sealed.
void MustBeUnsealed(const Bubble& bubble, const Table& table);

// Noted, then in the kernel in one transaction. What fails leaves the note as it was. Throws Error "posts_full",
// "post_conflict", "bubble_not_loaded", "not_proven". REQUIRES: the store's lock.
void LetIn(const sdk::Context& context, const Store& store, Bubble bubble, const Post& post);

// True if it was in. REQUIRES: the store's lock.
bool PutOut(const sdk::Context& context, const Store& store, Bubble bubble, const std::string& name);

}  // namespace reprise::bubble
