#include <openssl/evp.h>

#include <algorithm>
#include <map>

#include "plugins/sanitize/persistence.h"
#include "plugins/sanitize/suspicious.h"
#include "plugins/sdk/sha256.h"

namespace reprise::sanitize {
namespace {

std::vector<std::string> QuotedWords(const std::string& line) {
  std::vector<std::string> words;
  bool quoted = false;
  std::string word;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == ' ' || c == '\t')) {
      if (!word.empty()) words.push_back(word);
      word.clear();
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

// "SHA256:…" as ssh-keygen -l shows it; empty: no key.
std::string Fingerprint(const std::string& base64) {
  if (base64.size() < 16 || base64.size() % 4 != 0) return "";
  std::string blob(base64.size(), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(blob.data()),
                                   reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size()));
  if (size <= 0) return "";
  blob.resize(static_cast<size_t>(size));
  for (size_t i = base64.size(); i > 0 && base64[i - 1] == '='; --i) blob.pop_back();
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_Digest(blob.data(), blob.size(), digest, &length, EVP_sha256(), nullptr) != 1) return "";
  std::string text(4 * ((length + 2) / 3) + 1, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), digest, static_cast<int>(length));
  text.resize(text.find_first_of(std::string_view("=\0", 2)));
  return "SHA256:" + text;
}

void JudgeKeys(Examination& on, const std::string& path, const std::string& user) {
  const auto text = on.tree.Read(path);
  if (!text) return;
  const std::string sha256 = on.tree.Sha256(path);
  for (const std::string& line : Lines(*text)) {
    const std::string plain = Trimmed(line);
    if (plain.empty() || plain[0] == '#') continue;
    std::string fingerprint, kind, comment;
    const std::vector<std::string> words = QuotedWords(plain);
    for (size_t i = 0; i + 1 < words.size() && fingerprint.empty(); ++i) {
      fingerprint = Fingerprint(words[i + 1]);
      if (fingerprint.empty()) continue;
      kind = words[i];
      for (size_t rest = i + 2; rest < words.size(); ++rest) comment += " " + words[rest];
    }
    if (std::find(on.profile.keys.begin(), on.profile.keys.end(), fingerprint) != on.profile.keys.end()) {
      on.report.Note("known keys", user + ": " + fingerprint);
      continue;
    }
    const auto suspicion = Suspect(plain);
    on.report.Add({.kind = "authorized_key",
                   .path = path,
                   .expected = "a key that the profile knows",
                   .found = user + ": " + (fingerprint.empty() ? "a line that is no key" : kind + " " + fingerprint + comment),
                   .sure = suspicion ? suspicion->sure : Sure::kLikely,
                   .remedy = Remedy::kEditLine,
                   .line = line,
                   .sha256 = sha256});
  }
}

// Where sshd was told to look: patterns with %h and %u, and programs that answer for it.
std::vector<std::string> SshdPatterns(Examination& on) {
  std::vector<std::string> patterns = {"%h/.ssh/authorized_keys", "%h/.ssh/authorized_keys2", "/etc/ssh/authorized_keys/%u"};
  std::vector<std::string> files = FilesIn(on, "/etc/ssh/sshd_config.d", false);
  files.push_back("/etc/ssh/sshd_config");
  for (const std::string& file : files) {
    for (const std::string& line : Lines(on.tree.Read(file).value_or(""))) {
      std::vector<std::string> words = QuotedWords(Trimmed(line));
      if (words.size() < 2) continue;
      std::transform(words[0].begin(), words[0].end(), words[0].begin(), [](unsigned char c) { return std::tolower(c); });
      if (words[0] == "authorizedkeysfile") patterns.insert(patterns.end(), words.begin() + 1, words.end());
      const bool answers = words[0] == "authorizedkeyscommand" || words[0] == "trustedusercakeys";
      if (!answers || words[1] == "none") continue;
      on.report.Add({.kind = "authorized_key",
                     .path = file,
                     .expected = "keys in files only",
                     .found = Trimmed(line),
                     .remedy = Remedy::kEditLine,
                     .line = line,
                     .sha256 = on.tree.Sha256(file)});
    }
  }
  return patterns;
}

}  // namespace

std::vector<Account> AccountsOf(const Tree& tree) {
  std::vector<Account> accounts;
  for (const std::string& line : Lines(tree.Read("/etc/passwd").value_or(""))) {
    std::vector<std::string> fields(1);
    for (const char c : line) {
      if (c == ':') {
        fields.emplace_back();
      } else {
        fields.back() += c;
      }
    }
    if (fields.size() >= 7 && fields[5].compare(0, 1, "/") == 0) {
      accounts.push_back({line, fields[0], fields[1], fields[5], fields[2]});
    }
  }
  return accounts;
}

void HuntKeys(Examination& on) {
  std::map<std::string, std::string> files;  // By path: whose.
  const std::vector<std::string> patterns = SshdPatterns(on);
  for (const Account& account : AccountsOf(on.tree)) {
    for (std::string path : patterns) {
      for (const auto& [sign, value] : {std::pair<std::string, std::string>{"%h", account.home}, {"%u", account.name}}) {
        for (size_t at; (at = path.find(sign)) != std::string::npos;) path.replace(at, 2, value);
      }
      if (path.find('%') != std::string::npos) continue;
      if (path[0] != '/') path = account.home + "/" + path;
      const auto real = on.tree.Real(path);
      if (real) files.try_emplace(*real, account.name);
    }
  }
  for (const auto& [path, user] : files) {
    on.Try(path, [&, path = path, user = user] { JudgeKeys(on, path, user); });
  }
}

}  // namespace reprise::sanitize
