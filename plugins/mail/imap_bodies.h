// The bodies that one FETCH answers, each given on under the UID of its own response, and never under another: servers answer in the
// order they like, leave out what is no more, and tell of changed flags in between.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/mail/imap_session.h"

namespace reprise::mail {

using PieceSink = std::function<void(uint32_t uid, std::string_view piece)>;

// Of a set of small messages: each is held until its response is complete.
// Throws StoreError "bad_answer" at a body that nobody asked for, or that has no UID.
class HeldBodies : public ImapSession::Bodies {
 public:
  HeldBodies(std::set<uint32_t> asked, uint64_t held_max, const PieceSink& piece) : asked_(std::move(asked)), held_max_(held_max), piece_(piece) {}

  void Bytes(std::string_view bytes) override;
  void End(const mailimap_msg_att& response) override;

  // Asked for, and not given: no more there, or larger than what is held.
  const std::set<uint32_t>& left() const { return asked_; }

 private:
  std::set<uint32_t> asked_;
  const uint64_t held_max_;
  const PieceSink& piece_;
  std::string held_;
  bool too_large_ = false;
  uint64_t dropped_ = 0;
};

// Of one large message: given on as it comes, and at the end it is found out whether it was the one.
class PassingBody : public ImapSession::Bodies {
 public:
  // Throws "bad_answer" beyond `bytes_max`.
  PassingBody(uint32_t uid, uint64_t bytes_max, const PieceSink& piece) : uid_(uid), left_(bytes_max), piece_(piece) {}

  void Bytes(std::string_view bytes) override;
  void End(const mailimap_msg_att& response) override;

  bool given() const { return given_; }

 private:
  const uint32_t uid_;
  uint64_t left_;
  const PieceSink& piece_;
  bool any_ = false, given_ = false;
};

struct Sized {
  uint32_t uid = 0;
  std::optional<uint64_t> bytes;
};
// Of a response to a FETCH of sizes.
Sized SizedOf(const mailimap_msg_att& response);

// "3:5,9": of rising numbers.
std::string SetOf(const std::vector<uint32_t>& uids);

}  // namespace reprise::mail
