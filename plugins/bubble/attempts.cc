#include "plugins/bubble/attempts.h"

#include <poll.h>

#include <algorithm>

#include "plugins/bubble/packet.h"

namespace reprise::bubble {
namespace {

using Steady = std::chrono::steady_clock;

// A target is tried by one socket, or by two: a name server by UDP and by TCP.
struct Try {
  size_t target = 0;
  std::unique_ptr<Packet> packet;
};

// What says more wins: an answer over silence, silence over what was not sent.
int Weight(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAnswered:
      return 4;
    case Outcome::kRefused:
      return 3;
    case Outcome::kUnreachable:
      return 2;
    case Outcome::kSilent:
      return 1;
    case Outcome::kNotSent:
      break;
  }
  return 0;
}

}  // namespace

std::vector<Attempt> TryAll(const sdk::Context& context, const std::vector<Target>& targets,
                            std::chrono::milliseconds wait) {
  std::vector<Attempt> attempts;
  std::vector<Try> tries;
  const auto settle = [&](const Try& one, const Result& result) {
    Attempt& attempt = attempts[one.target];
    const std::string way = attempt.target.kind == "dns" ? " by " + one.packet->way() : "";
    if (attempt.text.empty() || Weight(result.outcome) > Weight(attempt.outcome)) {
      attempt.outcome = result.outcome;
      attempt.text = attempt.target.Shown() + ": " + result.text + way;
    }
  };
  for (size_t i = 0; i < targets.size(); ++i) {
    attempts.push_back({targets[i], Outcome::kNotSent, ""});
    for (auto& packet : PacketsFor(targets[i])) tries.push_back({i, std::move(packet)});
  }
  for (Try& one : tries) {
    if (const auto result = one.packet->Send()) {
      settle(one, *result);
      one.packet.reset();
    }
  }
  std::erase_if(tries, [](const Try& one) { return one.packet == nullptr; });

  const auto until = Steady::now() + wait;
  auto again = Steady::now() + wait / 3;
  while (!tries.empty() && Steady::now() < until) {
    context.ThrowIfCancelled();
    std::vector<pollfd> wanted;
    for (const Try& one : tries) wanted.push_back({one.packet->fd(), one.packet->events(), 0});
    poll(wanted.data(), wanted.size(), 50);
    const bool resend = Steady::now() >= again;
    if (resend) again += wait / 3;
    for (size_t i = 0; i < tries.size(); ++i) {
      std::optional<Result> result;
      if (wanted[i].revents != 0) {
        result = tries[i].packet->Look();
      } else if (resend) {
        result = tries[i].packet->SendAgain();
      }
      if (!result) continue;
      settle(tries[i], *result);
      tries[i].packet.reset();
    }
    std::erase_if(tries, [](const Try& one) { return one.packet == nullptr; });
  }
  for (const Try& one : tries) settle(one, {Outcome::kSilent, "no answer"});
  return attempts;
}

}  // namespace reprise::bubble
