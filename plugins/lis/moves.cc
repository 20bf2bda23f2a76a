#include "plugins/lis/moves.h"

namespace reprise::lis {
namespace {

struct Named {
  InterfaceState state;
  std::string_view name;
};

constexpr Named kNames[] = {
    {InterfaceState::kCut, "cut"},
    {InterfaceState::kProposed, "proposed"},
    {InterfaceState::kApproved, "approved"},
    {InterfaceState::kOpenSupervised, "open_supervised"},
    {InterfaceState::kOpen, "open"},
    {InterfaceState::kRetired, "retired"},
};

}  // namespace

std::string_view NameOf(InterfaceState state) {
  for (const Named& named : kNames) {
    if (named.state == state) return named.name;
  }
  return "cut";
}

std::optional<InterfaceState> InterfaceStateOf(std::string_view name) {
  for (const Named& named : kNames) {
    if (named.name == name) return named.state;
  }
  return std::nullopt;
}

bool IsLegal(InterfaceState from, InterfaceState to) {
  for (const InterfaceMove& move : kInterfaceMoves) {
    if (move.from == from && move.to == to) return true;
  }
  return false;
}

std::string NextOf(InterfaceState from) {
  std::string text;
  for (const InterfaceMove& move : kInterfaceMoves) {
    if (move.from == from) text += (text.empty() ? "" : ", ") + std::string(NameOf(move.to));
  }
  return text.empty() ? "nowhere" : text;
}

}  // namespace reprise::lis
