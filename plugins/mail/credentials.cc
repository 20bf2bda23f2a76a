#include "plugins/mail/credentials.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "plugins/sdk/file.h"
#include "plugins/sdk/process.h"

namespace reprise::mail {
namespace {

using sdk::Error;
using sdk::Json;

constexpr size_t kSecretMax = 32 << 10;

Error BadFile(const std::string& path, const std::string& why) {
  return Error("auth_changed", "the secret in " + path + " is not used: " + why, "a file of root's with mode 0600");
}

void TrimEnd(std::string& text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
}

// A token as it stands, or the answer of a token endpoint: {"access_token": "…"}.
std::string TokenIn(std::string&& text) {
  TrimEnd(text);
  if (text.empty() || text[0] != '{') return std::move(text);
  Json json = Json::parse(text, nullptr, false);
  Wipe(text);
  std::string token;
  for (const char* key : {"access_token", "accessToken"}) {
    if (json.is_object() && json.contains(key) && json[key].is_string()) token = json[key].get<std::string>();
  }
  for (auto& [key, value] : json.items()) {
    if (value.is_string()) Wipe(value.get_ref<std::string&>());
  }
  return token;
}

}  // namespace

void Wipe(std::string& text) {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

Secret::Secret(std::string&& text) {
  text_.reserve(text.size());
  text_ = text;
  Wipe(text);
}
Secret::~Secret() { OPENSSL_cleanse(text_.data(), text_.capacity()); }

std::unique_ptr<Secret> ReadSecretFile(const std::string& path) {
  const sdk::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) throw BadFile(path, errno == ELOOP ? "it is a link" : std::strerror(errno));
  struct stat found {};
  if (fstat(fd.get(), &found) != 0) sdk::ThrowErrno(errno, "look at " + path);
  if (!S_ISREG(found.st_mode)) throw BadFile(path, "it is no file");
  if (found.st_uid != 0 && found.st_uid != geteuid()) throw BadFile(path, "it belongs to another user");
  if ((found.st_mode & 077) != 0) throw BadFile(path, "others may read or write it");
  std::string content(kSecretMax + 1, '\0');
  size_t size = 0;
  for (ssize_t count = 1; count > 0 && size < content.size(); size += static_cast<size_t>(count)) {
    count = read(fd.get(), content.data() + size, content.size() - size);
    if (count < 0) sdk::ThrowErrno(errno, "read " + path);
  }
  const bool fits = size <= kSecretMax;
  OPENSSL_cleanse(content.data() + size, content.size() - size);
  content.resize(size);
  TrimEnd(content);
  if (content.empty() || !fits || content.find('\0') != std::string::npos) {
    Wipe(content);
    throw BadFile(path, "it is empty, too long, or has a zero byte");
  }
  return std::make_unique<Secret>(std::move(content));
}

std::optional<std::chrono::system_clock::time_point> ExpiryOf(std::string_view token) {
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  std::string body(token.substr(first + 1, second - first - 1));
  for (char& c : body) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (body.size() % 4 != 0) body += '=';
  std::string json(body.size() / 4 * 3 + 1, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(json.data()), reinterpret_cast<const unsigned char*>(body.data()),
                                   static_cast<int>(body.size()));
  if (size <= 0) return std::nullopt;
  json.resize(static_cast<size_t>(size));
  json.resize(json.find_last_of('}') + 1);  // Padding decodes to zero bytes.
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("exp") || !parsed["exp"].is_number()) return std::nullopt;
  return std::chrono::system_clock::time_point(std::chrono::seconds(parsed["exp"].get<int64_t>()));
}

std::string Credentials::KeyOf(const std::string& user) const { return profile_.password_file.empty() ? user : ""; }

std::unique_ptr<Secret> Credentials::AskCommand(const std::string& user) {
  sdk::RunOptions options;
  options.timeout = std::chrono::minutes(1);
  options.output_max = kSecretMax;
  options.input = user + "\n";
  sdk::RunResult result = sdk::Run(context_, profile_.token_command, options);
  Wipe(result.err);  // May have anything in it.
  std::string token = TokenIn(std::move(result.out));
  Wipe(result.out);
  if (!result.ok() || result.truncated || token.empty() || token.find_first_of(" \r\n\1") != std::string::npos) {
    Wipe(token);
    throw Error("auth_failed", "the profile's token_command gave no token: " +
                                   (result.ok() ? std::string("its output is not one") : "exit code " + std::to_string(result.exit_code)),
                "run it by hand, with the user's name as a line of its standard input");
  }
  return std::make_unique<Secret>(std::move(token));
}

Credentials::Entry Credentials::Fetch(const std::string& user) {
  Entry entry;
  if (!profile_.password_file.empty()) {
    entry.secret = ReadSecretFile(profile_.password_file);
    return entry;
  }
  if (!profile_.token_command.empty()) {
    entry.secret = AskCommand(user);
  } else {
    std::unique_ptr<Secret> read = ReadSecretFile(profile_.token_file);
    Json json = read->text()[0] == '{' ? Json::parse(read->text(), nullptr, false) : Json();
    if (json.is_object()) {
      if (!json.contains(user) || !json[user].is_string()) throw BadFile(profile_.token_file, "it has no token for one of the users");
      std::string token = json[user].get<std::string>();
      for (auto& [key, value] : json.items()) {
        if (value.is_string()) Wipe(value.get_ref<std::string&>());
      }
      read = std::make_unique<Secret>(std::move(token));
    }
    entry.secret = std::move(read);
  }
  if (const auto expiry = ExpiryOf(entry.secret->text())) {
    // A minute before its end, or, of one that is shorter, when a tenth of its life is left.
    const auto life = *expiry - Clock::now();
    entry.renew_from = *expiry - std::clamp<Clock::duration>(life / 10, Clock::duration(0), std::chrono::minutes(1));
  }
  return entry;
}

Credentials::Held Credentials::For(const std::string& user) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(KeyOf(user));
  if (found != entries_.end() && Clock::now() < found->second.renew_from) return found->second.secret;
  return (entries_[KeyOf(user)] = Fetch(user)).secret;
}

Credentials::Held Credentials::After(const std::string& user, const Held& refused) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(KeyOf(user));
  // Another connection has renewed it meanwhile.
  if (found != entries_.end() && found->second.secret != refused) return found->second.secret;
  Entry fresh = Fetch(user);
  const bool same = fresh.secret->text() == refused->text();
  entries_[KeyOf(user)] = fresh;
  return same ? nullptr : fresh.secret;
}

}  // namespace reprise::mail
