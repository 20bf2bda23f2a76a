#include "core/plan/waves.h"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace reprise::plan {
namespace {

uint32_t SizeOf(const Amount& amount, uint32_t hosts, uint32_t left) {
  uint64_t size = left;
  if (amount.kind == Amount::Kind::kHosts) size = amount.value;
  if (amount.kind == Amount::Kind::kPercent) size = (uint64_t{hosts} * amount.value + 99) / 100;
  return static_cast<uint32_t>(std::clamp<uint64_t>(size, 1, left));
}

std::string_view TakeDigits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && absl::ascii_isdigit(text[count])) ++count;
  std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
  return digits;
}

// Below, equal, above: -1, 0, 1.
int Compare(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (absl::ascii_isdigit(a[0]) && absl::ascii_isdigit(b[0])) {
      const std::string_view left = TakeDigits(a);
      const std::string_view right = TakeDigits(b);
      if (left.size() != right.size()) return left.size() < right.size() ? -1 : 1;
      if (const int order = left.compare(right); order != 0) return order < 0 ? -1 : 1;
      continue;
    }
    if (a[0] != b[0]) return static_cast<unsigned char>(a[0]) < static_cast<unsigned char>(b[0]) ? -1 : 1;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return a.empty() && b.empty() ? 0 : a.empty() ? -1 : 1;
}

int Compare(const OrderKey& key, const Target& a, const Target& b) {
  switch (key.kind) {
    case OrderKey::Kind::kName:
      return Compare(a.host->name, b.host->name);
    case OrderKey::Kind::kZone:
      return a.zone == b.zone ? 0 : a.zone < b.zone ? -1 : 1;
    case OrderKey::Kind::kClass:
      return a.asset_class == b.asset_class ? 0 : a.asset_class < b.asset_class ? -1 : 1;
    case OrderKey::Kind::kLabel:
      break;
  }
  const std::string* left = a.host->Label(key.label);
  const std::string* right = b.host->Label(key.label);
  if (left == nullptr || right == nullptr) return left == right ? 0 : left != nullptr ? -1 : 1;
  return Compare(*left, *right);
}

}  // namespace

absl::StatusOr<std::vector<uint32_t>> WaveSizes(const WavesSpec& waves, uint32_t hosts) {
  if (hosts == 0) return std::vector<uint32_t>{0};
  std::vector<uint32_t> sizes;
  uint32_t left = hosts;
  const auto take = [&](const Amount& amount) {
    sizes.push_back(SizeOf(amount, hosts, left));
    left -= sizes.back();
  };
  if (waves.canary) take(*waves.canary);
  for (size_t next = 0; left > 0; ++next) {
    if (sizes.size() >= kWavesMax) {
      return absl::InvalidArgumentError(absl::StrCat(hosts, " hosts would make more than ", kWavesMax, " waves"));
    }
    take(waves.sizes.empty() ? Amount{} : waves.sizes[std::min(next, waves.sizes.size() - 1)]);
  }
  return sizes;
}

std::vector<uint32_t> WaveOrder(const WavesSpec& waves, const std::vector<Target>& targets) {
  std::vector<uint32_t> order(targets.size());
  std::iota(order.begin(), order.end(), 0);
  if (waves.order.empty()) return order;
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    for (const OrderKey& key : waves.order) {
      if (const int order = Compare(key, targets[a], targets[b]); order != 0) return order < 0;
    }
    return false;
  });
  return order;
}

}  // namespace reprise::plan
