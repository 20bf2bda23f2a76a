// What an ImapStore does with messages that are there.
#include <algorithm>

#include "plugins/mail/imap_date.h"
#include "plugins/mail/imap_store.h"

namespace reprise::mail {
namespace {

constexpr uint32_t kWindow = 1000;

std::string NameOf(const mailimap_flag& flag) {
  switch (flag.fl_type) {
    case MAILIMAP_FLAG_ANSWERED: return "\\Answered";
    case MAILIMAP_FLAG_FLAGGED: return "\\Flagged";
    case MAILIMAP_FLAG_DELETED: return "\\Deleted";
    case MAILIMAP_FLAG_SEEN: return "\\Seen";
    case MAILIMAP_FLAG_DRAFT: return "\\Draft";
    case MAILIMAP_FLAG_KEYWORD: return flag.fl_data.fl_keyword == nullptr ? "" : flag.fl_data.fl_keyword;
    default: return flag.fl_data.fl_extension == nullptr ? "" : std::string("\\") + flag.fl_data.fl_extension;
  }
}

void TakeFlags(const mailimap_msg_att_dynamic* dynamic, Listed& into) {
  if (dynamic == nullptr || dynamic->att_list == nullptr) return;
  for (clistiter* one = clist_begin(dynamic->att_list); one != nullptr; one = clist_next(one)) {
    const auto* flag = static_cast<mailimap_flag_fetch*>(clist_content(one));
    if (flag->fl_type != MAILIMAP_FLAG_FETCH_OTHER || flag->fl_flag == nullptr) continue;
    if (std::string name = NameOf(*flag->fl_flag); !name.empty()) into.flags.push_back(std::move(name));
  }
  std::sort(into.flags.begin(), into.flags.end());
  into.flags.erase(std::unique(into.flags.begin(), into.flags.end()), into.flags.end());
}

Listed ListedOf(const mailimap_msg_att& attributes) {
  Listed message;
  for (clistiter* one = clist_begin(attributes.att_list); one != nullptr; one = clist_next(one)) {
    const auto* item = static_cast<mailimap_msg_att_item*>(clist_content(one));
    if (item->att_type == MAILIMAP_MSG_ATT_ITEM_DYNAMIC) TakeFlags(item->att_data.att_dyn, message);
    if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC) continue;
    const mailimap_msg_att_static& fixed = *item->att_data.att_static;
    if (fixed.att_type == MAILIMAP_MSG_ATT_UID) message.uid = fixed.att_data.att_uid;
    if (fixed.att_type == MAILIMAP_MSG_ATT_RFC822_SIZE) message.bytes = fixed.att_data.att_rfc822_size;
    if (fixed.att_type == MAILIMAP_MSG_ATT_INTERNALDATE && fixed.att_data.att_internal_date != nullptr) {
      const mailimap_date_time& date = *fixed.att_data.att_internal_date;
      message.date = DateOf(date.dt_year, date.dt_month, date.dt_day, date.dt_hour, date.dt_min, date.dt_sec,
                            date.dt_zone / 100 * 60 + date.dt_zone % 100);
    }
  }
  return message;
}

}  // namespace

std::vector<Listed> ImapStore::ListPlaces(uint32_t first, uint32_t last) {
  session_.Ask("FETCH " + std::to_string(first) + ":" + std::to_string(last) + " (UID FLAGS INTERNALDATE RFC822.SIZE)", "FETCH");
  std::vector<Listed> window;
  const clist* fetched = session_.info().rsp_fetch_list;
  for (clistiter* one = fetched == nullptr ? nullptr : clist_begin(fetched); one != nullptr; one = clist_next(one)) {
    Listed message = ListedOf(*static_cast<mailimap_msg_att*>(clist_content(one)));
    // Changed flags of other messages come unasked, without a UID.
    if (message.uid != 0) window.push_back(std::move(message));
  }
  std::sort(window.begin(), window.end(), [](const Listed& a, const Listed& b) { return a.uid < b.uid; });
  if (sizes_.size() > 4 * kWindow) sizes_.clear();
  for (const Listed& message : window) sizes_[message.uid] = message.bytes;
  return window;
}

uint32_t ImapStore::PlaceOf(uint32_t uid) {
  if (uid <= 1) return 1;
  uint32_t low = 1, high = messages() + 1;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    session_.Ask("FETCH " + std::to_string(middle) + " (UID)", "FETCH");
    uint32_t there = 0;
    const clist* fetched = session_.info().rsp_fetch_list;
    for (clistiter* one = fetched == nullptr ? nullptr : clist_begin(fetched); one != nullptr; one = clist_next(one)) {
      if (const uint32_t found = ListedOf(*static_cast<mailimap_msg_att*>(clist_content(one))).uid; found != 0) there = found;
    }
    if (there != 0 && there < uid) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void ImapStore::List(uint32_t first, uint32_t last, const std::function<void(const Listed&)>& each) {
  if (!open_) throw sdk::Error("internal", "no folder is open");
  // By place, for UIDs may lie far apart. Places move when messages are expunged, which a server tells with any command but FETCH
  // by place: then the place is looked for again.
  uint32_t uid = first;
  uint32_t place = 0;
  while (uid != 0 && uid <= last) {
    const uint64_t expunged = session_.expunged();
    if (place == 0) place = PlaceOf(uid);
    if (place > messages()) break;
    const uint32_t end = std::min(messages(), place + kWindow - 1);
    const std::vector<Listed> window = ListPlaces(place, end);
    place = end + 1;
    for (const Listed& message : window) {
      if (message.uid < uid || message.uid > last) continue;
      uid = message.uid + 1;
      each(message);
    }
    if (!window.empty() && window.back().uid >= last) break;
    if (session_.expunged() != expunged) place = 0;  // `each` may have read messages, and heard of it.
  }
}

// Some take what they do not keep, and say that all is well.
bool ImapStore::Keeps(const std::string& flag) const {
  const clist* permanent = session_.selection()->sel_perm_flags;
  if (permanent == nullptr) return true;  // It does not say.
  for (clistiter* one = clist_begin(permanent); one != nullptr; one = clist_next(one)) {
    const auto* kept = static_cast<mailimap_flag_perm*>(clist_content(one));
    if (kept->fl_type == MAILIMAP_FLAG_PERM_ALL ? !flag.starts_with("\\") : kept->fl_flag != nullptr && NameOf(*kept->fl_flag) == flag) return true;
  }
  return false;
}

void ImapStore::SetFlags(uint32_t uid, const std::vector<std::string>& flags) {
  OpenToWrite();
  std::string list;
  for (const std::string& flag : flags) {
    if (!Keeps(flag)) throw StoreError("no_permission", "the mail server keeps no such flag in this folder");
    if (flag != "\\Recent") list += (list.empty() ? "" : " ") + flag;
  }
  session_.Ask("UID STORE " + std::to_string(uid) + " FLAGS.SILENT (" + list + ")", "UID STORE");
}

void ImapStore::Remove(uint32_t uid) {
  OpenToWrite();
  // Without UIDPLUS others that users have marked would go too.
  if (!session_.Can("UIDPLUS")) throw StoreError("refused", "the server cannot take away a single message (no UIDPLUS)");
  session_.Ask("UID STORE " + std::to_string(uid) + " +FLAGS.SILENT (\\Deleted)", "UID STORE");
  session_.Ask("UID EXPUNGE " + std::to_string(uid), "UID EXPUNGE");
}

}  // namespace reprise::mail
