#include "plugins/pacs/proof.h"

#include <algorithm>

#include "plugins/pacs/dicom_node.h"
#include "plugins/pacs/index_view.h"
#include "plugins/pacs/rest.h"
#include "plugins/sdk/sha256.h"

namespace reprise::pacs {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNamed = 10;

std::string Named(const std::vector<std::string>& list) {
  std::string text;
  for (size_t i = 0; i < list.size() && i < kNamed; ++i) text += (i == 0 ? "" : ", ") + list[i];
  return text + (list.size() > kNamed ? ", and " + std::to_string(list.size() - kNamed) + " more" : "");
}

void NameDamage(const std::vector<Damage>& list, const std::string& what, std::vector<sdk::Evidence>& evidence) {
  for (size_t i = 0; i < list.size() && i < 5 * kNamed; ++i) {
    evidence.push_back({"file", what + ": " + list[i].file + ": " + list[i].why});
  }
  if (list.size() > 5 * kNamed) {
    evidence.push_back({"file", what + ": and " + std::to_string(list.size() - 5 * kNamed) + " more"});
  }
}

// Where the data set begins: behind the preamble and the file's own header (group 2), which every node writes anew.
std::string DatasetSha256(const fs::path& file) {
  const std::string content = sdk::ReadFile(file, 256 << 20);
  if (content.size() < 144 || content.compare(128, 4, "DICM") != 0) return "";
  size_t length = 0;
  for (size_t i = 4; i-- > 0;) length = length << 8 | static_cast<unsigned char>(content[140 + i]);
  if (length > content.size() - 144) return "";
  return sdk::Sha256OfText(std::string_view(content).substr(144 + length));
}

class Sampler {
 public:
  Sampler(const sdk::Context& context, const Place& place, const Settings& settings, Rest& rest, Proof& proof)
      : context_(context), place_(place), node_(context, settings), rest_(rest), proof_(proof) {}

  void Fetch(const std::string& uid, const Instance& instance) {
    const PlainFile kept(context_, place_.restored(), instance);
    ByRest(uid, kept.path());
    // Encoded pixels the two nodes would negotiate about; those are compared by REST alone.
    if (instance.native && fs::file_size(kept.path()) <= (64 << 20)) ByGet(uid, instance, kept.path());
  }

 private:
  void ByRest(const std::string& uid, const fs::path& kept) {
    const sdk::Json found =
        rest_.Post("/tools/lookup", uid).Parsed();
    std::string id;
    for (const sdk::Json& one : found.is_array() ? found : sdk::Json::array()) {
      if (one.value("Type", "") == "Instance") id = one.value("ID", "");
    }
    if (id.empty()) {
      proof_.different.push_back(uid + ": the server does not find it");
      return;
    }
    std::string sha256;
    const Response response = rest_.Sha256Of("/instances/" + id + "/file", &sha256);
    if (!response.ok()) {
      proof_.different.push_back(uid + ": the server gives status " + std::to_string(response.status) + " for its file");
    } else if (sha256 != sdk::Sha256OfFile(kept)) {
      proof_.different.push_back(uid + ": its file has other bytes than the one that was kept");
    } else {
      ++proof_.fetched_by_rest;
    }
  }

  void ByGet(const std::string& uid, const Instance& instance, const fs::path& kept) {
    const fs::path folder = context_.work_dir() / "fetched";
    fs::create_directories(folder);
    const std::string why = node_.WhyNotFetched(instance.study, instance.series, uid, folder);
    std::string got;
    for (const auto& entry : fs::directory_iterator(folder)) got = DatasetSha256(entry.path());
    fs::remove_all(folder);
    if (!why.empty()) {
      proof_.different.push_back(uid + ": " + why);
    } else if (got.empty() || got != DatasetSha256(kept)) {
      proof_.different.push_back(uid + ": C-GET brings another data set than the one that was kept");
    } else {
      ++proof_.fetched_by_get;
    }
  }

  const sdk::Context& context_;
  const Place& place_;
  const DicomNode node_;
  Rest& rest_;
  Proof& proof_;
};

}  // namespace

bool Proof::IsIndexWhole() const {
  return !census.instances.empty() && missing.empty() && different.empty() && (extra.empty() || may_have_more) &&
         by_find == by_rest;
}

std::string Proof::Detail() const {
  std::string text;
  if (!missing.empty()) text += std::to_string(missing.size()) + " instances are not in the index (" + missing[0] + (missing.size() > 1 ? ", …" : "") + "); ";
  if (!extra.empty() && !may_have_more) text += std::to_string(extra.size()) + " instances are in the index only (" + extra[0] + (extra.size() > 1 ? ", …" : "") + "); ";
  if (!different.empty()) text += std::to_string(different.size()) + " of the sample differ (" + different[0] + "); ";
  if (by_find != by_rest) text += "its REST interface counts " + by_rest.Shown() + "; ";
  if (const std::string why = census.WhyNotWhole(); !why.empty()) text += why + "; ";
  return text + by_find.Shown() + " in the index, " + std::to_string(fetched_by_rest) + " fetched back alike";
}

Proof Prove(const sdk::Context& context, const Place& place, const Settings& settings, size_t sample) {
  Rest rest(context, settings);
  const DicomNode node(context, settings);
  Proof proof;
  proof.may_have_more = !settings.modalities.empty();
  if (const std::string why = node.WhyNoEcho(); !why.empty()) throw sdk::Error("unreachable", why, "is the service running?");
  proof.evidence.push_back({"command", "echoscu: the server answers as " + settings.title});
  proof.census = TakeCensus(context, place.restored());
  const Counts storage = proof.census.counts();
  proof.evidence.push_back({"command", "dcmdump of " + place.restored().string() + ": " + storage.Shown() + "; " +
                                           std::to_string(proof.census.attachments) + " notes of the server, " +
                                           std::to_string(proof.census.copies) + " second copies"});
  const IndexView view = ViewByFind(node, proof.census);
  proof.by_find = view.counts();
  proof.by_rest = CountsByRest(rest);
  proof.evidence.push_back({"command", "findscu: " + proof.by_find.Shown()});
  proof.evidence.push_back({"command", "GET /statistics: " + proof.by_rest.Shown()});
  for (const auto& [uid, instance] : proof.census.instances) {
    if (!view.instances.contains(uid)) proof.missing.push_back(uid);
  }
  for (const std::string& uid : view.instances) {
    if (!proof.census.instances.contains(uid)) proof.extra.push_back(uid);
  }
  if (!proof.missing.empty()) proof.evidence.push_back({"index", "not in the index: " + Named(proof.missing)});
  if (!proof.extra.empty()) proof.evidence.push_back({"index", "in the index only: " + Named(proof.extra)});
  NameDamage(proof.census.damaged, "damaged", proof.evidence);
  NameDamage(proof.census.conflicts, "in conflict", proof.evidence);
  if (!proof.census.foreign.empty()) proof.evidence.push_back({"file", "no part of a storage: " + Named(proof.census.foreign)});

  std::vector<std::string> there;
  for (const auto& [uid, instance] : proof.census.instances) {
    if (view.instances.contains(uid)) there.push_back(uid);
  }
  Sampler sampler(context, place, settings, rest, proof);
  const size_t many = std::min(sample, there.size());
  for (size_t i = 0; i < many; ++i) {
    context.ThrowIfCancelled();
    const std::string& uid = there[i * there.size() / many];
    sampler.Fetch(uid, proof.census.instances.at(uid));
  }
  proof.evidence.push_back({"command", "of " + std::to_string(many) + " images " + std::to_string(proof.fetched_by_rest) +
                                           " came back by REST and " + std::to_string(proof.fetched_by_get) +
                                           " by C-GET as they were kept"});
  if (!proof.different.empty()) proof.evidence.push_back({"index", "different: " + Named(proof.different)});
  return proof;
}

}  // namespace reprise::pacs
