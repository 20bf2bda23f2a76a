#include "plugins/pacs/index_view.h"

#include "plugins/sdk/sha256.h"

namespace reprise::pacs {
namespace {

constexpr size_t kPage = 2000;
constexpr size_t kImagesAtOnce = 20'000;  // An answer has some 700 bytes for each.
constexpr size_t kStudiesAtOnce = 50;

std::string ValueOf(const Found& found, const char* tag) {
  const auto value = found.find(tag);
  return value == found.end() ? "" : value->second;
}

}  // namespace

std::map<std::string, std::string> InstancesByRest(Rest& rest) {
  std::map<std::string, std::string> instances;
  for (size_t since = 0;; since += kPage) {
    const sdk::Json page =
        rest.Get("/instances?expand&since=" + std::to_string(since) + "&limit=" + std::to_string(kPage)).Parsed();
    if (!page.is_array()) throw sdk::Error("bad_answer", "the server's list of instances is no list");
    for (const sdk::Json& one : page) {
      instances[one.value("/MainDicomTags/SOPInstanceUID"_json_pointer, "")] = one.value("ID", "");
    }
    if (page.size() < kPage) return instances;
  }
}

Counts CountsByRest(Rest& rest) {
  const sdk::Json said = rest.Get("/statistics").Parsed();
  if (!said.is_object()) throw sdk::Error("bad_answer", "the server's statistics are no object");
  return {said.value("CountPatients", uint64_t{0}), said.value("CountStudies", uint64_t{0}),
          said.value("CountSeries", uint64_t{0}), said.value("CountInstances", uint64_t{0})};
}

IndexView ViewByFind(const DicomNode& node, const Census& census) {
  std::map<std::string, size_t> expected;
  for (const auto& [uid, instance] : census.instances) ++expected[instance.study];
  IndexView view;
  for (const Found& study : node.Studies()) {
    view.studies.insert(ValueOf(study, "0020,000d"));
    view.patients.insert(sdk::Sha256OfText(ValueOf(study, "0010,0020")));
  }
  std::vector<std::string> batch;
  size_t images = 0;
  const auto ask = [&] {
    if (batch.empty()) return;
    for (const Found& image : node.Images(batch)) {
      view.series.insert(ValueOf(image, "0020,000e"));
      view.instances.insert(ValueOf(image, "0008,0018"));
    }
    batch.clear();
    images = 0;
  };
  for (const std::string& study : view.studies) {
    const auto known = expected.find(study);
    batch.push_back(study);
    images += known == expected.end() ? 0 : known->second;
    if (images >= kImagesAtOnce || batch.size() == kStudiesAtOnce) ask();
  }
  ask();
  return view;
}

}  // namespace reprise::pacs
