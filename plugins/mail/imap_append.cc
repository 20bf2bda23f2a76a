// How an ImapStore appends.
#include <libetpan/uidplus_types.h>

#include <algorithm>

#include "plugins/mail/imap_date.h"
#include "plugins/mail/imap_store.h"

namespace reprise::mail {
namespace {

// What a client may give an APPEND; \Recent is the server's.
std::string FlagList(const std::vector<std::string>& flags) {
  std::string list;
  for (const std::string& flag : flags) {
    if (flag != "\\Recent") list += (list.empty() ? "" : " ") + flag;
  }
  return " (" + list + ")";
}

bool EndsAll(const sdk::Error& error) {
  return WhetherAgain(error.code()) == Again::kReconnect || error.code() == "cancelled" || error.code() == "timed_out";
}

}  // namespace

void ImapStore::SendBody(const Outgoing& message) {
  uint64_t left = message.message.bytes;
  try {
    message.body([&](std::string_view bytes) {
      if (bytes.size() > left) throw StoreError("changed", "a message is longer than it was when it was listed");
      left -= bytes.size();
      session_.Write(bytes);
    });
    if (left > 0) throw StoreError("changed", "a message is shorter than it was when it was listed");
  } catch (...) {
    // The server waits for the rest: only the connection's end takes back what was said.
    session_.Abandon();
    throw;
  }
}

std::vector<Appended> ImapStore::AppendedUids(size_t count) const {
  std::vector<Appended> uids;
  const clist* extensions = session_.info().rsp_extension_list;
  for (clistiter* one = extensions == nullptr ? nullptr : clist_begin(extensions); one != nullptr; one = clist_next(one)) {
    const auto* extension = static_cast<mailimap_extension_data*>(clist_content(one));
    if (extension->ext_extension->ext_id != MAILIMAP_EXTENSION_UIDPLUS || extension->ext_type != MAILIMAP_UIDPLUS_RESP_CODE_APND) continue;
    const auto* code = static_cast<mailimap_uidplus_resp_code_apnd*>(extension->ext_data);
    for (clistiter* item = clist_begin(code->uid_set->set_list); item != nullptr; item = clist_next(item)) {
      const auto* range = static_cast<mailimap_set_item*>(clist_content(item));
      for (uint32_t uid = range->set_first; uid <= range->set_last && uids.size() <= count; ++uid) {
        uids.push_back({code->uid_uidvalidity, uid});
      }
    }
  }
  // Fewer or more than were given, or not rising: which is which, nobody can tell.
  const auto rises = [](const Appended& a, const Appended& b) { return a.uid >= b.uid; };
  if (uids.size() != count || std::adjacent_find(uids.begin(), uids.end(), rises) != uids.end()) uids.assign(count, {});
  return uids;
}

std::vector<Appended> ImapStore::AppendBatch(const std::string& wire_name, const Batch& batch) {
  const bool at_once = session_.Can("LITERAL+");
  const int tag = session_.Begin("APPEND " + Quoted(wire_name));
  for (const Outgoing* message : batch) {
    session_.Write(FlagList(message->message.flags) + " " + ToImapDate(message->message.date) + " {" +
                   std::to_string(message->message.bytes) + (at_once ? "+}\r\n" : "}\r\n"));
    if (!at_once && !session_.Continues()) {
      session_.Finish(tag, "APPEND");
      throw StoreError("bad_answer", "the mail server took an APPEND without its message");
    }
    SendBody(*message);
  }
  session_.Write("\r\n");
  session_.Finish(tag, "APPEND");
  return AppendedUids(batch.size());
}

Appended ImapStore::Append(const FolderPath& path, const Listed& message, const std::function<void(const Sink&)>& body) {
  const Outgoing one{message, body};
  return AppendBatch(names_.Write(path), {&one})[0];
}

std::vector<AppendResult> ImapStore::AppendAll(const FolderPath& path, const std::vector<Outgoing>& messages) {
  const std::string name = names_.Write(path);
  const size_t most = session_.Can("MULTIAPPEND") ? kBatchMessages : 1;
  std::vector<AppendResult> results(messages.size());
  // False: not for what the message is, but for how things are with the mailbox. Those behind it are not tried, or they would stand
  // before it.
  const auto one_by_one = [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      try {
        results[i].appended = AppendBatch(name, {&messages[i]})[0];
      } catch (const sdk::Error& error) {
        if (EndsAll(error)) throw;
        results[i].refused = error;
        if (IsAboutTheMessage(error.code())) continue;
        for (size_t behind = i + 1; behind < results.size(); ++behind) results[behind].refused = error;
        return false;
      }
    }
    return true;
  };
  for (size_t first = 0; first < messages.size();) {
    Batch batch;
    uint64_t bytes = 0;
    size_t last = first;
    while (last < messages.size() && batch.size() < most && (batch.empty() || bytes + messages[last].message.bytes <= kBatchBytes)) {
      bytes += messages[last].message.bytes;
      batch.push_back(&messages[last++]);
    }
    if (batch.size() == 1) {
      if (!one_by_one(first, last)) break;
    } else {
      try {
        const std::vector<Appended> appended = AppendBatch(name, batch);
        for (size_t i = first; i < last; ++i) results[i].appended = appended[i - first];
      } catch (const sdk::Error& error) {
        if (EndsAll(error)) throw;
        // One of them was refused, and so none is there: which one, each alone will show.
        if (!one_by_one(first, last)) break;
      }
    }
    first = last;
  }
  return results;
}

}  // namespace reprise::mail
