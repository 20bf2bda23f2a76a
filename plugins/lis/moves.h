// The states of an interface and every legal move between them. An application that is back is not yet interfaced: its
// interface is CUT until people have decided otherwise, step by step; closing is one step from anywhere. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reprise::lis {

enum class InterfaceState { kCut, kProposed, kApproved, kOpenSupervised, kOpen, kRetired };

struct InterfaceMove {
  InterfaceState from, to;
};

// A pair that is missing here is an error.
inline constexpr InterfaceMove kInterfaceMoves[] = {
    {InterfaceState::kCut, InterfaceState::kProposed},
    {InterfaceState::kCut, InterfaceState::kRetired},
    {InterfaceState::kProposed, InterfaceState::kApproved},
    {InterfaceState::kProposed, InterfaceState::kCut},
    {InterfaceState::kApproved, InterfaceState::kOpenSupervised},
    {InterfaceState::kApproved, InterfaceState::kCut},
    {InterfaceState::kOpenSupervised, InterfaceState::kOpen},
    {InterfaceState::kOpenSupervised, InterfaceState::kCut},
    {InterfaceState::kOpen, InterfaceState::kOpenSupervised},
    {InterfaceState::kOpen, InterfaceState::kCut},
};

std::string_view NameOf(InterfaceState state);
std::optional<InterfaceState> InterfaceStateOf(std::string_view name);
bool IsLegal(InterfaceState from, InterfaceState to);
// "proposed, retired": where one may go from here.
std::string NextOf(InterfaceState from);

// Messages pass in these, and in no other.
inline bool IsOpen(InterfaceState state) {
  return state == InterfaceState::kOpenSupervised || state == InterfaceState::kOpen;
}

}  // namespace reprise::lis
