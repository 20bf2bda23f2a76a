#include "plugins/mail/imap_bodies.h"

namespace reprise::mail {
namespace {

// What is read for nothing, of messages that were said to be small.
constexpr uint64_t kDroppedMax = uint64_t{64} << 20;

struct Found {
  uint32_t uid = 0;
  bool body = false;  // Whole; maybe empty.
};

// What a response to a FETCH has in it. `any`: bytes of a body came.
Found WhatIsIn(const mailimap_msg_att& response, bool any) {
  Found found;
  size_t bodies = 0;
  for (clistiter* one = clist_begin(response.att_list); one != nullptr; one = clist_next(one)) {
    const auto* item = static_cast<mailimap_msg_att_item*>(clist_content(one));
    if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC) continue;
    const mailimap_msg_att_static& fixed = *item->att_data.att_static;
    if (fixed.att_type == MAILIMAP_MSG_ATT_UID) found.uid = fixed.att_data.att_uid;
    if (fixed.att_type != MAILIMAP_MSG_ATT_BODY_SECTION) continue;
    const mailimap_msg_att_body_section& section = *fixed.att_data.att_body_section;
    const bool whole = section.sec_section == nullptr || section.sec_section->sec_spec == nullptr;
    if (!whole || section.sec_origin_octet != 0) throw StoreError("bad_answer", "the mail server gives a part of a message that was asked for whole");
    // NIL: some say so of a message that is no more.
    bodies += section.sec_body_part != nullptr;
  }
  if (bodies > 1 || (any && bodies != 1)) throw StoreError("bad_answer", "the mail server gives other bytes than those of one message");
  if (bodies == 1 && found.uid == 0) throw StoreError("bad_answer", "the mail server gives a message without its UID");
  found.body = bodies == 1;
  return found;
}

}  // namespace

void HeldBodies::Bytes(std::string_view bytes) {
  too_large_ = too_large_ || held_.size() + bytes.size() > held_max_;
  if (too_large_) {
    dropped_ += bytes.size();
    if (dropped_ > kDroppedMax) throw StoreError("bad_answer", "the mail server gives messages that are far larger than it said");
    held_.assign(1, '.');  // Only that there was something.
  } else {
    held_.append(bytes);
  }
}

void HeldBodies::End(const mailimap_msg_att& response) {
  const Found found = WhatIsIn(response, !held_.empty());
  if (!found.body) return;
  if (!asked_.contains(found.uid)) throw StoreError("bad_answer", "the mail server gives a message that it was not asked for, or gave already");
  if (!too_large_) {
    asked_.erase(found.uid);
    piece_(found.uid, held_);
  }
  held_.clear();
  too_large_ = false;
}

void PassingBody::Bytes(std::string_view bytes) {
  if (given_) throw StoreError("bad_answer", "the mail server gives more than the one message that it was asked for");
  if (bytes.size() > left_) throw StoreError("bad_answer", "the mail server gives a message that is far larger than it said");
  left_ -= bytes.size();
  any_ = true;
  piece_(uid_, bytes);
}

void PassingBody::End(const mailimap_msg_att& response) {
  const Found found = WhatIsIn(response, any_ && !given_);
  if (!found.body) return;
  if (found.uid != uid_ || given_) throw StoreError("bad_answer", "the mail server gives another message than the one that it was asked for");
  if (!any_) piece_(uid_, {});
  given_ = true;
}

Sized SizedOf(const mailimap_msg_att& response) {
  Sized sized;
  for (clistiter* one = clist_begin(response.att_list); one != nullptr; one = clist_next(one)) {
    const auto* item = static_cast<mailimap_msg_att_item*>(clist_content(one));
    if (item->att_type != MAILIMAP_MSG_ATT_ITEM_STATIC) continue;
    const mailimap_msg_att_static& fixed = *item->att_data.att_static;
    if (fixed.att_type == MAILIMAP_MSG_ATT_UID) sized.uid = fixed.att_data.att_uid;
    if (fixed.att_type == MAILIMAP_MSG_ATT_RFC822_SIZE) sized.bytes = fixed.att_data.att_rfc822_size;
  }
  return sized;
}

std::string SetOf(const std::vector<uint32_t>& uids) {
  std::string set;
  for (size_t i = 0; i < uids.size();) {
    size_t last = i;
    while (last + 1 < uids.size() && uids[last + 1] == uids[last] + 1) ++last;
    set += (set.empty() ? "" : ",") + std::to_string(uids[i]);
    if (last > i) set += ":" + std::to_string(uids[last]);
    i = last + 1;
  }
  return set;
}

}  // namespace reprise::mail
