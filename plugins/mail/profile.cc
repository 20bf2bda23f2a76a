#include "plugins/mail/profile.h"

#include <algorithm>

namespace reprise::mail {
namespace {

using sdk::Error;
using sdk::Json;

Error Bad(const std::string& key, const std::string& expected) {
  return Error("bad_profile", "the mail server's profile has a wrong \"" + key + "\": expected " + expected,
               "plugins/mail/README.md lists what a profile has");
}

// The members of one object, each taken once; whatever is left over is nobody's.
class Members {
 public:
  Members(const Json& json, std::string at) : json_(json), at_(std::move(at)) {
    if (!json.is_object()) throw Bad(at_.empty() ? "profile" : at_, "an object");
  }

  std::string Text(const char* key, const std::string& otherwise = "") {
    const Json* value = Take(key);
    if (value == nullptr) return otherwise;
    if (!value->is_string() || value->get_ref<const std::string&>().find('\0') != std::string::npos) throw Bad(At(key), "a text");
    return value->get<std::string>();
  }
  uint64_t Number(const char* key, uint64_t otherwise, uint64_t least, uint64_t most) {
    const Json* value = Take(key);
    if (value == nullptr) return otherwise;
    const bool whole = value->is_number_unsigned() || (value->is_number_integer() && value->get<int64_t>() >= 0);
    if (!whole || value->get<uint64_t>() < least || value->get<uint64_t>() > most) {
      throw Bad(At(key), "a number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return value->get<uint64_t>();
  }
  double Rate(const char* key) {
    const Json* value = Take(key);
    if (value == nullptr) return 0;
    if (!value->is_number() || value->get<double>() < 0) throw Bad(At(key), "a number of messages for each second");
    return value->get<double>();
  }
  std::vector<std::string> Texts(const char* key) {
    const Json* value = Take(key);
    if (value == nullptr) return {};
    const bool texts = value->is_array() && std::all_of(value->begin(), value->end(), [](const Json& one) { return one.is_string(); });
    if (!texts) throw Bad(At(key), "a list of texts: the program and its arguments");
    return value->get<std::vector<std::string>>();
  }
  template <typename Choice>
  Choice OneOf(const char* key, Choice otherwise, const std::vector<std::pair<std::string, Choice>>& choices) {
    const std::string text = Text(key);
    if (text.empty()) return otherwise;
    std::string names;
    for (const auto& [name, choice] : choices) {
      if (name == text) return choice;
      names += (names.empty() ? "" : ", ") + name;
    }
    throw Bad(At(key), "one of " + names);
  }
  const Json* Take(const char* key) {
    const auto found = json_.find(key);
    if (found == json_.end()) return nullptr;
    taken_.push_back(key);
    return &*found;
  }
  void End() const {
    for (const auto& [key, value] : json_.items()) {
      if (std::find(taken_.begin(), taken_.end(), key) == taken_.end()) throw Bad(At(key.c_str()), "nothing: there is no such key");
    }
  }

 private:
  std::string At(const char* key) const { return at_.empty() ? key : at_ + "." + key; }

  const Json& json_;
  const std::string at_;
  std::vector<std::string> taken_;
};

Limits ParseLimits(const Json& json) {
  Members members(json, "limits");
  Limits limits;
  limits.connections = static_cast<int>(members.Number("connections", 4, 1, 64));
  limits.messages_per_second = members.Rate("messages_per_second");
  limits.bytes_per_second = members.Number("bytes_per_second", 0, 0, uint64_t{1} << 40);
  limits.message_bytes = members.Number("message_bytes", 0, 0, uint64_t{1} << 32);
  members.End();
  return limits;
}

std::map<std::string, FolderPath> ParseFolders(const Json& json) {
  std::map<std::string, FolderPath> folders;
  if (!json.is_object()) throw Bad("folders", "an object from \"\\\\Sent\" and the like to names");
  for (const auto& [use, name] : json.items()) {
    if (use.size() < 2 || use[0] != '\\') throw Bad("folders." + use, "a special use, as \\\\Sent");
    FolderPath path;
    if (name.is_string()) path.push_back(name.get<std::string>());
    if (name.is_array()) {
      for (const Json& level : name) path.push_back(level.is_string() ? level.get<std::string>() : "");
    }
    if (path.empty() || std::find(path.begin(), path.end(), "") != path.end()) throw Bad("folders." + use, "a name, or a list of levels");
    folders.emplace(use, std::move(path));
  }
  return folders;
}

void CheckSecrets(const Profile& profile) {
  const int sources = int(!profile.password_file.empty()) + int(!profile.token_file.empty()) + int(!profile.token_command.empty());
  if (sources != 1) throw Bad("password_file", "exactly one of password_file, token_file and token_command");
  const bool token = profile.password_file.empty();
  if (token != (profile.auth == Auth::kXoauth2)) {
    throw Bad("auth", token ? "xoauth2, which a token is for" : "plain or login, which a password is for");
  }
  for (const std::string& file : {profile.password_file, profile.token_file}) {
    if (!file.empty() && file[0] != '/') throw Bad(token ? "token_file" : "password_file", "a path from the root of this host");
  }
  if (token && !profile.token_command.empty() && profile.token_command[0].rfind('/', 0) != 0) {
    throw Bad("token_command", "a program by its path from the root of this host");
  }
}

}  // namespace

Profile ParseProfile(const Json& json) {
  Members members(json, "");
  Profile profile;
  members.Text("about");
  profile.kind = members.OneOf<StoreKind>(
      "kind", StoreKind::kImap, {{"imap", StoreKind::kImap}, {"maildir", StoreKind::kMaildir}, {"mbox", StoreKind::kMbox}});
  if (const Json* folders = members.Take("folders")) profile.folders = ParseFolders(*folders);
  if (const Json* limits = members.Take("limits")) profile.limits = ParseLimits(*limits);
  if (profile.kind != StoreKind::kImap) {
    profile.root = members.Text("root");
    if (profile.root.empty() || profile.root[0] != '/') throw Bad("root", "a path from the root of this host, with {user}");
    if (profile.root.find('{') == std::string::npos) throw Bad("root", "{user}, {local} or {domain} somewhere in it");
    members.End();
    return profile;
  }
  profile.endpoint.host = members.Text("host");
  if (profile.endpoint.host.empty()) throw Bad("host", "what the server's certificate is for: a name or an address");
  profile.endpoint.address = members.Text("address");
  profile.endpoint.port = static_cast<uint16_t>(members.Number("port", 993, 1, 65535));
  profile.endpoint.ca_file = members.Text("ca_file");
  if (const std::string silence = members.Text("silence_max"); !silence.empty()) {
    const auto ms = sdk::ParseDurationMs(silence);
    if (!ms || *ms < 1000) throw Bad("silence_max", "a duration of a second or more, as 2m");
    profile.endpoint.silence_max = std::chrono::milliseconds(*ms);
  }
  profile.auth = members.OneOf<Auth>("auth", Auth::kPlain, {{"plain", Auth::kPlain}, {"login", Auth::kLogin}, {"xoauth2", Auth::kXoauth2}});
  profile.login = members.Text("login", "{user}");
  profile.password_file = members.Text("password_file");
  profile.token_file = members.Text("token_file");
  profile.token_command = members.Texts("token_command");
  members.End();
  CheckSecrets(profile);
  return profile;
}

std::string Expand(const std::string& text, const std::string& user) {
  const bool bad = user.empty() || user.size() > 320 || user[0] == '.' ||
                   std::any_of(user.begin(), user.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '/' || c == 0x7F; });
  // Which user it is stays out of the message.
  if (bad) throw Error("bad_user", "a user of the roster has a name that no mailbox can have (empty, a slash, a control character)");
  const size_t at = user.rfind('@');
  const std::pair<std::string, std::string> places[] = {
      {"{user}", user}, {"{local}", user.substr(0, at)}, {"{domain}", at == std::string::npos ? "" : user.substr(at + 1)}};
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto place = std::find_if(std::begin(places), std::end(places), [&](const auto& one) { return text.compare(i, one.first.size(), one.first) == 0; });
    if (place == std::end(places)) {
      out += text[i++];
    } else {
      out += place->second;
      i += place->first.size();
    }
  }
  return out;
}

}  // namespace reprise::mail
