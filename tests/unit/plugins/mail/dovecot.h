// A real Dovecot 2.3 of one's own: on loopback, below one folder, with a throw-away CA, ended by its process id. The lab has
// the same in Python (tests/lab/mail_server.py), from the same templates. Needs root, from which Dovecot drops.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <openssl/hmac.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <map>
#include <random>

#include "tests/unit/plugins/mail/loopback.h"
#include "tests/unit/plugins/mail/throwaway_ca.h"

namespace reprise::mail {

using nlohmann::json;

// A folder that is removed at the end; Dovecot's own users may pass through it.
class Scratch {
 public:
  Scratch() {
    std::string made = fs::temp_directory_path() / "reprise-mail-XXXXXX";
    if (mkdtemp(made.data()) == nullptr) throw std::runtime_error("no scratch folder");
    path = made;
    fs::permissions(path, fs::perms(0755));
  }
  ~Scratch() { fs::remove_all(path); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  fs::path path;
};

inline constexpr const char* kMaildir = "maildir:~/Maildir";
inline constexpr const char* kSdbox = "sdbox:~/sdbox";

struct MailUser {
  std::string password;
  uint64_t quota = 0;  // Bytes; 0: none.
};

class Dovecot {
 public:
  struct Options {
    std::map<std::string, MailUser> users;
    std::string storage = kMaildir;
    std::string separator = "/";
    bool xoauth2 = false;
    ThrowawayCa::Asked certificate = {};
    std::map<std::string, std::string> fields = {};  // Instead of what the template's other places say.
    std::string more = "";                           // At the end of the configuration.
  };

  static bool Installed() { return geteuid() == 0 && access("/usr/sbin/dovecot", X_OK) == 0; }

  // Starts it.
  Dovecot(const fs::path& folder, const ThrowawayCa& ca, Options options)
      : folder_(folder), options_(std::move(options)), port_(FreePort()), token_key_(Random(32)), master_password_(Random(16)) {
    for (const char* name : {"tls", "keys/default/HS256", "run", "homes"}) fs::create_directories(folder_ / name);
    Own(folder_ / "homes", "mail", 0755);
    ca.Issue(folder_ / "tls/server.pem", folder_ / "tls/server.key", options_.certificate);
    WriteConfiguration();
    Start();
  }
  // Nobody waits for its good-bye, which takes it a second.
  ~Dovecot() {
    if (pid_ >= 0) Kill();
  }
  Dovecot(const Dovecot&) = delete;
  Dovecot& operator=(const Dovecot&) = delete;

  uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }
  fs::path home(const std::string& user) const { return folder_ / "homes" / user; }
  std::string log() const { return Slurp(folder_ / "dovecot.log"); }
  // "mover" on behalf of `user`.
  std::string master_login(const std::string& user) const { return user + "*mover"; }
  const std::string& master_password() const { return master_password_; }

  // From a thread that lives as long as the server.
  void Start() {
    const std::string config = (folder_ / "dovecot.conf").string();
    // A test that is killed takes its servers along.
    char* argv[] = {const_cast<char*>("setpriv"), const_cast<char*>("--pdeathsig"), const_cast<char*>("TERM"),
                    const_cast<char*>("/usr/sbin/dovecot"), const_cast<char*>("-F"), const_cast<char*>("-c"),
                    const_cast<char*>(config.c_str()), nullptr};
    char* envp[] = {const_cast<char*>("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    for (int fd : {1, 2}) {
      posix_spawn_file_actions_addopen(&actions, fd, (folder_ / "stderr").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    const int failed = posix_spawn(&pid_, "/usr/bin/setpriv", &actions, nullptr, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0 || !plugins::Eventually([this] { return Listens(); })) {
      throw std::runtime_error("Dovecot does not start: " + Slurp(folder_ / "stderr") + log());
    }
  }
  // As an operator would. A session in the middle of something outlives it by half a minute: not here.
  void End() {
    if (pid_ < 0) return;
    const std::vector<pid_t> children = ChildrenOf(pid_);
    kill(pid_, SIGTERM);
    Reap();
    for (const pid_t child : children) kill(child, SIGKILL);
  }
  // At once, with all its children: as when the machine loses its power.
  void Kill() {
    kill(pid_, SIGSTOP);  // Or it would make new ones meanwhile, which keep the port.
    std::vector<pid_t> all = ChildrenOf(pid_);
    all.push_back(pid_);
    for (const pid_t pid : all) kill(pid, SIGKILL);
    Reap();
    // Others than the master have the port too, for a moment.
    plugins::Eventually([this] { return !Listens(); });
    fs::remove(folder_ / "run/master.pid");
  }
  // Another user or other settings; takes hold at once of users, of settings after End and Start.
  Options& options() { return options_; }
  void WriteConfiguration() {
    Spit(folder_ / "keys/default/HS256/default", Base64(token_key_, false));
    std::string users;
    for (const auto& [name, user] : options_.users) {
      users += name + ":" + user.password + "::::" + home(name).string() + "::" +
               (user.quota > 0 ? "userdb_quota_rule=*:bytes=" + std::to_string(user.quota) : "") + "\n";
    }
    WriteForDovecot(folder_ / "users", users);
    WriteForDovecot(folder_ / "masters", "mover:" + master_password_ + "\n");
    std::map<std::string, std::string> fields = options_.fields;
    fields.insert({{"NAME", "mail" + std::to_string(port_)}, {"FOLDER", folder_.string()}, {"ADDRESS", "127.0.0.1"},
                   {"PORT", std::to_string(port_)}, {"MAIL_LOCATION", options_.storage}, {"SEPARATOR", options_.separator},
                   {"MECHANISMS", options_.xoauth2 ? "plain login xoauth2" : "plain login"}, {"SENT", "Sent"},
                   {"DRAFTS", "Drafts"}, {"TRASH", "Trash"}, {"CONNECTIONS_MAX", "50"}, {"CAPABILITY", ""}, {"PREFIX", ""},
                   {"MESSAGE_MAX", "50M"}, {"ISSUER", "https://login.example"},
                   // Processes are killed here, no machine loses its power.
                   {"MORE", "mail_fsync = never\n" + options_.more}});
    for (const char* name : {"dovecot.conf", "oauth2.conf"}) {
      std::string text = Slurp(SourceFolder() / "tests/lab/mail" / (name + std::string(".in")));
      if (text.empty()) throw std::runtime_error("no template " + std::string(name) + ".in");  // Without one it would be the system's.
      for (const auto& [place, value] : fields) {
        const std::string mark = "@" + place + "@";
        for (size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size()) text.replace(at, mark.size(), value);
      }
      Spit(folder_ / name, text);
    }
  }

  // A JWT that this server takes for `user`, for so many seconds.
  std::string Token(const std::string& user, int64_t seconds = 300) const {
    const int64_t now = time(nullptr);
    const json body = {{"iss", "https://login.example"}, {"sub", user},      {"email", user},
                       {"iat", now - 5},                 {"nbf", now - 5}, {"exp", now + seconds}};
    const std::string text = Base64(R"({"alg":"HS256","typ":"JWT"})", true) + "." + Base64(body.dump(), true);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), token_key_.data(), static_cast<int>(token_key_.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
    return text + "." + Base64(std::string(reinterpret_cast<char*>(mac), size), true);
  }

  static std::vector<pid_t> ChildrenOf(pid_t parent) {
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      pid_t pid = -1, of = -1;
      if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
      const std::string stat = Slurp(entry.path() / "stat");
      const size_t after = stat.rfind(')');  // "12 (name) S 1 …"
      if (after == std::string::npos || after + 4 >= stat.size()) continue;
      std::from_chars(stat.data() + after + 4, stat.data() + stat.size(), of);
      if (of == parent) found.push_back(pid);
    }
    return found;
  }

 private:
  static uint16_t FreePort() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    bind(fd, reinterpret_cast<sockaddr*>(&address), size);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    close(fd);
    return ntohs(address.sin_port);
  }
  bool Listens() const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(port_);
    const bool connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    return connected;
  }
  void Reap() {
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  static std::string Random(size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += "0123456789abcdef"[std::random_device()() & 15];
    return text;
  }
  static std::string Base64(const std::string& bytes, bool url) {
    std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
    out.resize(static_cast<size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                                   static_cast<int>(bytes.size()))));
    if (!url) return out;
    for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return out.substr(0, out.find('='));
  }
  static void Own(const fs::path& path, const char* user, mode_t mode) {
    const passwd* found = getpwnam(user);
    if (found == nullptr || chown(path.c_str(), found->pw_uid, found->pw_gid) != 0 || chmod(path.c_str(), mode) != 0) {
      throw std::runtime_error(std::string("cannot give a file to ") + user);
    }
  }
  // Its auth process is not root.
  static void WriteForDovecot(const fs::path& path, const std::string& text) {
    Spit(path, text);
    Own(path, "dovecot", 0640);
  }

  const fs::path folder_;
  Options options_;
  const uint16_t port_;
  const std::string token_key_, master_password_;
  pid_t pid_ = -1;
};

#define NEEDS_DOVECOT() \
  if (!::reprise::mail::Dovecot::Installed()) GTEST_SKIP() << "needs root and Debian's dovecot-imapd"

}  // namespace reprise::mail
