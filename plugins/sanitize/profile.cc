#include "plugins/sanitize/profile.h"

#include <fnmatch.h>

#include <algorithm>

#include "plugins/sanitize/builtin_profile.h"
#include "plugins/sanitize/tree.h"

namespace reprise::sanitize {
namespace {

constexpr size_t kProfileMax = 1 << 20;
constexpr std::string_view kSuffix = ".profile.json";

// One profile's JSON; every refusal names the profile and the key.
class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {}

  [[noreturn]] void Refuse(const std::string& where, const std::string& expected) const {
    throw sdk::Error("bad_profile", name_ + ": " + where + ", expected " + expected);
  }
  std::string Text(const Json& object, const char* key, const std::string& where, bool required) const {
    const auto found = object.find(key);
    if (found == object.end()) {
      if (required) Refuse(where + " has no " + key, "one");
      return "";
    }
    if (!found->is_string()) Refuse(where + "." + key, "a text");
    return *found;
  }
  std::string AbsolutePath(const Json& object, const std::string& where) const {
    const std::string path = Text(object, "path", where, true);
    if (!sdk::IsPlainPath(path)) Refuse(where + ".path " + path.substr(0, 80), "an absolute path without ..");
    return path;
  }
  void Only(const Json& object, std::initializer_list<std::string_view> keys, const std::string& where) const {
    if (!object.is_object()) Refuse(where, "an object");
    for (const auto& [key, value] : object.items()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) Refuse(where + " has " + key.substr(0, 40), "no such key");
    }
  }
  template <typename Each>
  void ForEach(const Json& object, const char* key, Each each) const {
    const auto found = object.find(key);
    if (found == object.end()) return;
    if (!found->is_array()) Refuse(key, "a list");
    for (size_t i = 0; i < found->size(); ++i) each((*found)[i], std::string(key) + "[" + std::to_string(i) + "]");
  }
  std::vector<std::string> Texts(const Json& object, const char* key) const {
    std::vector<std::string> texts;
    ForEach(object, key, [&](const Json& item, const std::string& where) {
      if (!item.is_string()) Refuse(where, "a text");
      texts.push_back(item);
    });
    return texts;
  }

 private:
  std::string name_;
};

void Append(std::vector<std::string>& to, std::vector<std::string> more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

void AddProfile(Profile& profile, const std::string& name, const std::string& text) {
  const Reader read(name);
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) read.Refuse("the file", "a JSON object");
  read.Only(json, {"about", "listeners", "keys", "suid", "generated", "known", "ignore"}, "the profile");
  profile.judges_listeners = profile.judges_listeners || json.contains("listeners");
  read.ForEach(json, "listeners", [&](const Json& item, const std::string& where) {
    read.Only(item, {"protocol", "port", "program", "reason"}, where);
    AllowedListener listener = {read.Text(item, "protocol", where, true), 0, read.Text(item, "program", where, false)};
    if (listener.protocol != "tcp" && listener.protocol != "udp") read.Refuse(where + ".protocol", "tcp or udp");
    const Json port = item.value("port", Json());
    if (!port.is_null() && (!port.is_number_integer() || port < 0 || port > 65535)) read.Refuse(where + ".port", "0 to 65535");
    if (port.is_number_integer()) listener.port = port;
    if (listener.port == 0 && listener.program.empty()) read.Refuse(where, "a port or a program");
    profile.listeners.push_back(listener);
  });
  Append(profile.keys, read.Texts(json, "keys"));
  Append(profile.suid, read.Texts(json, "suid"));
  Append(profile.generated, read.Texts(json, "generated"));
  read.ForEach(json, "known", [&](const Json& item, const std::string& where) {
    read.Only(item, {"path", "sha256", "reason"}, where);
    profile.known.push_back({read.AbsolutePath(item, where), read.Text(item, "sha256", where, false),
                             read.Text(item, "reason", where, true)});
  });
  read.ForEach(json, "ignore", [&](const Json& item, const std::string& where) {
    read.Only(item, {"path", "kind", "reason"}, where);
    profile.ignored.push_back({read.AbsolutePath(item, where), read.Text(item, "kind", where, false),
                               read.Text(item, "reason", where, true)});
    if (profile.ignored.back().reason.empty()) read.Refuse(where + ".reason is empty", "why this is passed over");
  });
}

std::string Profile::WhyNone(const Finding& finding) const {
  for (const KnownFile& file : known) {
    if (file.path == finding.path && (file.sha256.empty() || file.sha256 == finding.sha256)) return "known: " + file.reason;
  }
  for (const Ignored& rule : ignored) {
    if ((rule.kind.empty() || rule.kind == finding.kind) && IsBelow(finding.path, rule.path)) {
      return "passed over: " + rule.reason;
    }
  }
  return "";
}

bool Profile::Allows(const AllowedListener& listener) const {
  return std::any_of(listeners.begin(), listeners.end(), [&](const AllowedListener& allowed) {
    return allowed.protocol == listener.protocol && (allowed.port == 0 || allowed.port == listener.port) &&
           (allowed.program.empty() || allowed.program == listener.program);
  });
}

bool Profile::IsGenerated(const std::string& path) const {
  return std::any_of(generated.begin(), generated.end(),
                     [&](const std::string& pattern) { return fnmatch(pattern.c_str(), path.c_str(), 0) == 0; });
}

Profile ProfileOf(const sdk::Context& context) {
  Profile profile;
  AddProfile(profile, "debian.json", kBuiltinProfile);
  for (const auto& [name, path] : context.artifacts()) {
    if (name.size() > kSuffix.size() && name.compare(name.size() - kSuffix.size(), kSuffix.size(), kSuffix) == 0) {
      AddProfile(profile, name, sdk::ReadFile(path, kProfileMax));
    }
  }
  return profile;
}

}  // namespace reprise::sanitize
