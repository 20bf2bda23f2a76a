#include "core/coordinator/session_table.h"

#include <utility>

namespace reprise::coordinator {

SessionTable::SessionTable(uint64_t first_session, std::function<void(UnixMs)> join_window)
    : join_window_(std::move(join_window)), next_(first_session) {}

uint64_t SessionTable::Open(const std::string& host, std::weak_ptr<Outbox> outbox) {
  std::lock_guard lock(mutex_);
  const uint64_t session = next_++;
  sessions_.emplace(session, Session{host, std::move(outbox)});
  newest_[host] = session;
  count_ = sessions_.size();
  return session;
}

void SessionTable::Close(uint64_t session) {
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  const auto newest = newest_.find(found->second.host);
  if (newest != newest_.end() && newest->second == session) newest_.erase(newest);
  sessions_.erase(found);
  count_ = sessions_.size();
}

uint64_t SessionTable::SessionOf(const std::string& host) const {
  std::lock_guard lock(mutex_);
  const auto found = newest_.find(host);
  return found == newest_.end() ? 0 : found->second;
}

std::shared_ptr<Outbox> SessionTable::Find(uint64_t session) const {
  std::lock_guard lock(mutex_);
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? nullptr : found->second.outbox.lock();
}

bool SessionTable::SendBeside(const std::string& host, agent::v1::CoordinatorMessage message) {
  const auto outbox = Find(SessionOf(host));
  if (!outbox) return false;
  std::vector<agent::v1::CoordinatorMessage> messages;
  messages.push_back(std::move(message));
  outbox->Deliver(std::move(messages));
  return true;
}

void SessionTable::Send(engine::SendToAgent&& effect) {
  gathered_[effect.session].push_back(std::move(effect.message));
}

void SessionTable::Drop(const engine::DropSession& effect) {
  Flush();  // What was decided before goes out before.
  dropped_ += 1;
  courier_.Give([this, effect] {
    if (const auto outbox = Find(effect.session)) outbox->End(effect.reason);
  });
}

void SessionTable::Flush() {
  if (gathered_.empty()) return;
  courier_.Give([this, gathered = std::make_shared<Gathered>(std::exchange(gathered_, {}))] {
    for (auto& [session, messages] : *gathered) {
      if (const auto outbox = Find(session)) outbox->Deliver(std::move(messages));
    }
  });
}

void SessionTable::DropAll(const std::string& reason) {
  gathered_.clear();
  courier_.Settle();
  std::vector<std::shared_ptr<Outbox>> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [session, entry] : sessions_) {
      if (auto outbox = entry.outbox.lock()) all.push_back(std::move(outbox));
    }
  }
  dropped_ += all.size();
  for (const auto& outbox : all) outbox->End(reason);
}

}  // namespace reprise::coordinator
