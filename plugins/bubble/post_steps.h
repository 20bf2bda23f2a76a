// What steps made of one post, in their order: what each found and what it left. An undo takes back the last of them, if
// the post is still as that one left it; an earlier one is struck out, and the next then undoes to what that one found.
// So no undo brings in what somebody took out since, and nothing of a step that was undone comes back by another's undo.
#pragma once

#include <string>

#include "plugins/bubble/store.h"

namespace reprise::bubble {

// The post of that name as it is noted; null: it is out.
sdk::Json OnePost(const Bubble& bubble, const std::string& name);

// Before the change: the post will be `left`. Once for an apply that was cut short and runs again.
// REQUIRES in both: the store's lock.
void NoteStep(const Store& store, const Bubble& bubble, const std::string& name, const sdk::Json& left);

// Undoes the last step that left it so. Returns what is to be said of it. Throws what LetIn throws, and Error
// "bad_params" if what was in before is no post of this bubble any more.
std::string UndoStep(const sdk::Context& context, const Store& store, const std::string& name, const sdk::Json& left);

}  // namespace reprise::bubble
