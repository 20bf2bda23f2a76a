#include "plugins/package/installed_note.h"

#include <algorithm>

#include "plugins/sdk/sha256.h"

namespace reprise::package {

using sdk::Json;

InstalledNote::InstalledNote(const std::vector<DebFile>& debs) {
  std::vector<std::string> lines;
  for (const DebFile& deb : debs) lines.push_back(deb.Asked() + " " + deb.version + "\n");
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const std::string& line : lines) all += line;
  key_ = "install-" + sdk::Sha256OfText(all);
}

std::vector<Brought> InstalledNote::Read() const {
  std::vector<Brought> brought;
  const std::optional<Json> note = notes_.Get(key_);
  if (!note) return brought;
  try {
    for (const Json& one : note->at("packages"))
      brought.push_back({one.at("name"), one.at("version"), one.at("before")});
  } catch (const Json::exception& error) {
    throw sdk::Error("notes_broken", "the note about these packages cannot be read: " + std::string(error.what()),
                     "look at " + (notes_.folder() / (key_ + ".json")).string());
  }
  return brought;
}

void InstalledNote::Write(const std::vector<DebFile>& debs, const std::vector<PackageState>& before) const {
  const std::vector<Brought> earlier = Read();
  Json packages = Json::array();
  for (size_t i = 0; i < debs.size(); ++i) {
    const std::string name = debs[i].Asked();
    const auto known =
        std::find_if(earlier.begin(), earlier.end(), [&](const Brought& one) { return one.name == name; });
    const PackageState& state = before[i];
    std::string was = state.gone() ? state.status : state.version;
    const bool other = state.installed() && state.version != debs[i].version;
    if (!state.gone() && !other) {
      // As wanted, or in the middle of something: by this step if it remembers it.
      if (known != earlier.end())
        was = known->before;
      else if (state.installed())
        continue;
    }
    packages.push_back({{"name", name}, {"version", debs[i].version}, {"before", was}});
  }
  notes_.Put(key_, {{"packages", packages}});
}

}  // namespace reprise::package
