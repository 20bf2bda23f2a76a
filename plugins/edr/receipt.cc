#include "plugins/edr/receipt.h"

#include <sys/stat.h>

#include <algorithm>

#include "plugins/sdk/error.h"
#include "plugins/sdk/file.h"
#include "plugins/sdk/params.h"

namespace reprise::edr {

namespace fs = std::filesystem;
using sdk::Error;
using sdk::Json;

namespace {

bool IsWhole(const Json& content) {
  if (!content.is_object() || !content.value("packages", Json()).is_array() ||
      !content.value("files", Json()).is_array()) {
    return false;
  }
  for (const Json& item : content["packages"]) {
    if (!item.is_object() || !item.value("name", Json()).is_string() || !item.contains("version") ||
        !(item["version"].is_null() || item["version"].is_string()) || !sdk::IsName(item["name"].get<std::string>())) {
      return false;
    }
  }
  for (const Json& item : content["files"]) {
    if (!item.is_object() || !item.value("path", Json()).is_string() || !item.contains("kept") ||
        !(item["kept"].is_null() || item["kept"].is_string()) || !sdk::IsPlainPath(item["path"].get<std::string>())) {
      return false;
    }
  }
  return true;
}

bool Knows(const Json& list, const char* key, const std::string& value) {
  return std::any_of(list.begin(), list.end(), [&](const Json& item) { return item.at(key) == value; });
}

}  // namespace

Receipt::Receipt(const std::string& profile, const fs::path& folder)
    : folder_(folder / profile), content_({{"packages", Json::array()}, {"files", Json::array()}}) {
  const auto text = sdk::ReadFileIfThere(folder_ / "receipt.json");
  if (!text) return;
  content_ = Json::parse(*text, nullptr, false);
  if (!IsWhole(content_)) {
    throw Error("bad_receipt", (folder_ / "receipt.json").string() + " is damaged: what was installed here is unknown",
                "edr.uninstall takes the sensor away without it");
  }
  exists_ = true;
}

void Receipt::Save() {
  fs::create_directories(folder_);
  fs::permissions(folder_, fs::perms::owner_all);  // Copies of configuration may hold secrets.
  sdk::WriteFileAtomically(folder_ / "receipt.json", content_.dump(1), 0600);
  exists_ = true;
}

void Receipt::BeforePackage(const std::string& package, const std::optional<std::string>& version) {
  Json& packages = content_["packages"];
  if (Knows(packages, "name", package)) return;
  packages.push_back({{"name", package}, {"version", version ? Json(*version) : Json()}});
  Save();
}

void Receipt::BeforeFile(const fs::path& path) {
  Json& files = content_["files"];
  if (Knows(files, "path", path.string())) return;
  for (fs::path above = path.parent_path(); above.has_relative_path(); above = above.parent_path()) {
    for (const Json& item : files) {
      if (item["path"] == above.string() && item["kept"].is_null()) return;  // It goes with its folder.
    }
  }
  Json kept;
  if (fs::is_directory(path)) {
    kept = "";
  } else if (fs::exists(path)) {
    const std::string name = "kept-" + std::to_string(files.size());
    fs::create_directories(folder_);
    fs::copy_file(path, folder_ / name, fs::copy_options::overwrite_existing);
    sdk::Fd copy(open((folder_ / name).c_str(), O_RDONLY | O_CLOEXEC));
    if (!copy || fsync(copy.get()) != 0) sdk::ThrowErrno(errno, "keep " + path.string());
    kept = name;
  }
  files.push_back({{"path", path.string()}, {"kept", kept}});
  Save();
}

std::vector<std::string> Receipt::PackagesAdded() const {
  std::vector<std::string> added;
  for (const Json& item : content_["packages"]) {
    if (item["version"].is_null()) added.push_back(item["name"]);
  }
  return added;
}

std::vector<std::pair<std::string, std::string>> Receipt::PackagesRaised() const {
  std::vector<std::pair<std::string, std::string>> raised;
  for (const Json& item : content_["packages"]) {
    if (item["version"].is_string()) raised.emplace_back(item["name"], item["version"]);
  }
  return raised;
}

std::vector<std::string> Receipt::RestoreFiles() const {
  std::vector<std::string> done;
  for (const Json& item : content_["files"]) {
    const fs::path path = item["path"].get<std::string>();
    if (item["kept"] == "") continue;  // A folder that was there.
    if (item["kept"].is_null()) {
      if (fs::remove_all(path) > 0) done.push_back(path.string() + " removed");
      continue;
    }
    const fs::path kept = folder_ / item["kept"].get<std::string>();
    struct stat found {};
    if (stat(kept.c_str(), &found) != 0) continue;  // Put back by a life that was killed then.
    fs::create_directories(path.parent_path());
    const fs::path beside = path.string() + ".reprise-restored";
    fs::copy_file(kept, beside, fs::copy_options::overwrite_existing);
    fs::rename(beside, path);
    sdk::SyncFolder(path.parent_path());
    done.push_back(path.string() + " put back");
  }
  return done;
}

void Receipt::Remove() {
  fs::remove_all(folder_);
  std::error_code ignored;
  fs::remove(folder_.parent_path(), ignored);  // Only if it is empty.
  exists_ = false;
}

}  // namespace reprise::edr
