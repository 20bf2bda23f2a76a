// Messages at whose reading the source ended the session: a truncated file does that to a Dovecot, each time it is asked for. Kept from
// try to try, so that such a one is held by name and keeps no other back. One mailbox's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace reprise::mail {

class Suspects {
 public:
  // Once in company, then twice alone: a server that is restarted does not do that to one message.
  static constexpr int kStrikesMax = 3;

  // To be asked for alone.
  bool IsSuspect(int64_t folder, uint32_t uid) const { return messages_.contains({folder, uid}); }
  // Why it is not asked for again; nullptr: it is.
  const std::string* Guilty(int64_t folder, uint32_t uid) const {
    const auto found = messages_.find({folder, uid});
    return found == messages_.end() || found->second.strikes < kStrikesMax ? nullptr : &found->second.why;
  }
  void Strike(int64_t folder, uint32_t uid) {
    One& one = messages_[{folder, uid}];
    guilty_ += ++one.strikes == kStrikesMax;
  }
  void Convict(int64_t folder, uint32_t uid, const std::string& why) {
    One& one = messages_[{folder, uid}];
    guilty_ += one.strikes < kStrikesMax;
    one = {kStrikesMax, why};
  }
  void Acquit(int64_t folder, uint32_t uid) { messages_.erase({folder, uid}); }
  // How many were found guilty; grows: a try that finds one has brought something.
  uint64_t guilty() const { return guilty_; }

 private:
  struct One {
    int strikes = 0;
    std::string why = "not_given";
  };
  std::map<std::pair<int64_t, uint32_t>, One> messages_;
  uint64_t guilty_ = 0;
};

}  // namespace reprise::mail
