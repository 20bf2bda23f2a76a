// A whole host that runs: this machine seen through an overlay, with processes and a network of its own, planted for real.
#include <arpa/inet.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <chrono>
#include <set>
#include <thread>

#include "tests/unit/plugins/sanitize/small_host.h"
#include "tests/unit/plugins/throwaway_host.h"

namespace reprise::sanitize {
namespace {

using plugins::Answer;
using plugins::PluginBench;
using plugins::VERB_APPLY;
using plugins::VERB_PROBE;
using plugins::VERB_VERIFY;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

// In a thread that gets a network and, for its one child, process ids of its own. Returns why there can be none.
std::string OnLiveHost(const plugins::Artifacts& artifacts, const std::function<void(PluginBench&)>& body) {
  std::string why_not;
  std::thread([&] {
    if (unshare(CLONE_NEWNET | CLONE_NEWPID) != 0) {
      why_not = "needs root, for namespaces";
      return;
    }
    why_not = plugins::OnThrowawayHost("sanitize", artifacts, [&](PluginBench& bench) {
      // Memory of its own too: that of this machine is not the overlay's.
      ASSERT_EQ(mount("shm", "/dev/shm", "tmpfs", 0, "mode=1777"), 0);
      fs::create_directories("/run");
      body(bench);
    });
  }).join();
  return why_not;
}

// A copy of a program that listens on a TCP port; ended at its life's end.
class Planted {
 public:
  Planted(const std::string& program, const std::vector<std::string>& arguments) {
    std::vector<char*> argv = {const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    if (posix_spawn(&pid_, program.c_str(), nullptr, nullptr, argv.data(), environ) != 0) pid_ = -1;
  }
  ~Planted() {
    if (pid_ > 0) kill(pid_, SIGKILL), waitpid(pid_, nullptr, 0);
  }
  Planted(const Planted&) = delete;
  bool Ended() {
    if (pid_ <= 0 || waitpid(pid_, nullptr, WNOHANG) != pid_) return false;
    pid_ = -1;
    return true;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

constexpr const char* kListen =
    "use Socket; socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1); "
    "bind(S, sockaddr_in($ARGV[0], inet_aton('0.0.0.0'))) or die; listen(S, 5); accept(C, S)";

bool Listens(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(static_cast<uint16_t>(port))};
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  const int on = 1;  // Another who only looks, at the same instant, is nobody.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Bound already: somebody is there. Connecting would end the listener.
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0;
  close(fd);
  return bound;
}

// Only what a sound Debian has: what this machine has beside its packages is its own.
Json OfDebian(const std::vector<std::string>& more = {"/usr/local"}) {
  std::vector<std::string> exclude = more;
  const std::set<std::string> own = {"/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/run", "/sbin", "/usr", "/var"};
  for (const auto& entry : fs::directory_iterator("/")) {
    if (!own.contains(entry.path())) exclude.push_back(entry.path());
  }
  return {{"exclude", exclude}, {"yara_paths", Json::array()}};
}

std::vector<std::string> Kinds(const Answer& answer, const std::string& sure = "") {
  std::vector<std::string> kinds;
  for (const Json& finding : answer.value.at("observed").at("findings")) {
    if (sure.empty() || finding.at("sure") == sure) kinds.push_back(finding.at("kind").get<std::string>() + " " + finding.at("path").get<std::string>());
  }
  return kinds;
}

TEST(SanitizeLiveHost, CallsNothingOfASoundDebianCertainAndTakesTensOfSeconds) {
  const std::string why_not = OnLiveHost({}, [](PluginBench& bench) {
    const auto begin = std::chrono::steady_clock::now();
    // npm replaces itself in its package's folder: that is no sound package any more.
    Json params = OfDebian({"/usr/local", "/usr/lib/node_modules"});
    params["shown_max"] = 500;
    const Answer answer = bench.Run(VERB_PROBE, "check", params, std::chrono::minutes(5));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    ASSERT_TRUE(answer.done()) << ::testing::PrintToString(answer);
    std::printf("%s\n%.1f s, %s\n", answer.value.at("summary").get<std::string>().c_str(), seconds,
                answer.value.at("observed").at("counts").dump().c_str());
    EXPECT_THAT(Kinds(answer, "certain"), ::testing::IsEmpty()) << answer.value.dump(1);
    EXPECT_NE(answer.value.at("observed").at("verdict"), "compromised");
    EXPECT_GT(answer.value.at("observed").at("counts").at("files_verified"), 10000);
    EXPECT_LT(seconds, 240);
    for (const std::string& finding : Kinds(answer)) std::printf("%s\n", finding.c_str());
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(SanitizeLiveHost, FindsAListenerInMemoryAndEndsItWithTheRest) {
  const std::string why_not = OnLiveHost({}, [](PluginBench& bench) {
    // For the time of this test the host consists of what is looked at quickly.
    Json params = OfDebian({"/usr/local", "/usr/share", "/usr/lib"});
    fs::copy_file("/usr/bin/perl", "/dev/shm/.kworker");
    Planted listener("/dev/shm/.kworker", {"-e", kListen, "4444"});
    ASSERT_TRUE(plugins::Eventually([] { return Listens(4444); }));
    Spit("/etc/cron.d/kw", "* * * * * root /dev/shm/.kworker\n");
    Spit("/etc/ld.so.preload", "");
    fs::create_directories("/root/.ssh");
    Spit("/root/.ssh/authorized_keys", std::string(kKey) + "\n");
    fs::create_directories("/etc/systemd/system");
    Spit("/etc/systemd/system/kw.service", "[Service]\nExecStart=/dev/shm/.kworker\n");

    const Answer found = bench.Run(VERB_PROBE, "check", params, std::chrono::minutes(5));
    ASSERT_TRUE(found.done()) << ::testing::PrintToString(found);
    EXPECT_EQ(found.value.at("observed").at("verdict"), "compromised");
    const std::vector<std::string> planted = {"listener /dev/shm/.kworker", "cron /etc/cron.d/kw", "hidden_program /dev/shm/.kworker",
                                              "authorized_key /root/.ssh/authorized_keys",
                                              "systemd_unit /etc/systemd/system/kw.service"};
    EXPECT_THAT(Kinds(found), IsSupersetOf(planted)) << found.value.dump(1).substr(0, 8000);
    Json ids = Json::array();
    for (const Json& finding : found.value.at("observed").at("findings")) {
      const std::string shown = finding.at("kind").get<std::string>() + " " + finding.at("path").get<std::string>();
      if (std::find(planted.begin(), planted.end(), shown) != planted.end()) ids.push_back(finding.at("id"));
    }
    // Its file is gone, it runs on: the evidence has the program all the same.
    params["case"] = "live";
    const Answer taken = bench.Run(VERB_APPLY, "evidence", params, std::chrono::minutes(5));
    ASSERT_TRUE(taken.changed()) << ::testing::PrintToString(taken);
    EXPECT_TRUE(fs::exists("/var/lib/reprise-evidence/live/files/" + sdk::Sha256OfFile("/usr/bin/perl")));
    EXPECT_THAT(Slurp("/var/lib/reprise-evidence/live/volatile/processes.json"), HasSubstr("/dev/shm/.kworker"));
    params["findings"] = ids;
    const Answer cleaned = bench.Run(VERB_APPLY, "clean", params, std::chrono::minutes(5));
    ASSERT_TRUE(cleaned.changed()) << ::testing::PrintToString(cleaned);
    EXPECT_TRUE(plugins::Eventually([&] { return listener.Ended(); }));
    const Answer verified = bench.Run(VERB_VERIFY, "clean", params, std::chrono::minutes(5));
    EXPECT_TRUE(verified.holds()) << ::testing::PrintToString(verified);
    EXPECT_FALSE(Listens(4444));
    EXPECT_FALSE(fs::exists("/dev/shm/.kworker"));
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(SanitizeLiveHost, FindsProgramsWithoutAFileAndPortsThatNobodyAllowed) {
  const std::string why_not = OnLiveHost({}, [](PluginBench& bench) {
    // Quick: only what runs matters here.
    fs::remove("/var/lib/dpkg/status");
    const Json params = OfDebian({"/usr", "/var"});
    fs::create_directories("/opt/x");
    fs::copy_file("/usr/bin/perl", "/opt/x/gone");
    Planted gone("/opt/x/gone", {"-e", "$_ = <STDIN>; while (1) { select(undef, undef, undef, 9) }"});
    fs::copy_file("/usr/bin/perl", "/var/tmp/odd");
    Planted odd("/var/tmp/odd", {"-e", "while (1) { select(undef, undef, undef, 9) }"});
    const int memory = static_cast<int>(syscall(SYS_memfd_create, "kthread", 0));
    const std::string perl = Slurp("/usr/bin/perl");
    ASSERT_EQ(write(memory, perl.data(), perl.size()), static_cast<ssize_t>(perl.size()));
    Planted hidden("/proc/self/fd/" + std::to_string(memory), {"-e", "while (1) { select(undef, undef, undef, 9) }"});
    ASSERT_TRUE(plugins::Eventually([&] {
      std::error_code ignored;
      return fs::read_symlink("/proc/" + std::to_string(hidden.pid()) + "/exe", ignored).string().find("memfd") != std::string::npos;
    }));
    fs::remove("/opt/x/gone");
    const Answer found = bench.Run(VERB_PROBE, "check", params, std::chrono::minutes(2));
    ASSERT_TRUE(found.done()) << ::testing::PrintToString(found);
    EXPECT_THAT(Kinds(found), IsSupersetOf({"process /opt/x/gone", "process /var/tmp/odd", "process memfd:kthread"}));
    EXPECT_THAT(Kinds(found, "certain"), ::testing::Contains("process memfd:kthread"));
  });
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

TEST(SanitizeLiveHost, JudgesListenersByTheProfile) {
  const fs::path profile = fs::temp_directory_path() / ("listeners-" + std::to_string(getpid()));
  Spit(profile, R"({"listeners": [{"protocol": "tcp", "port": 5000, "program": "/usr/bin/perl"}]})");
  const std::string why_not = OnLiveHost({{"site.profile.json", profile}}, [](PluginBench& bench) {
    const Json params = OfDebian({"/usr", "/var"});
    Planted allowed("/usr/bin/perl", {"-e", kListen, "5000"});
    Planted other("/usr/bin/perl", {"-e", kListen, "5001"});
    ASSERT_TRUE(plugins::Eventually([] { return Listens(5000) && Listens(5001); }));
    fs::remove("/var/lib/dpkg/status");
    const Answer found = bench.Run(VERB_PROBE, "check", params, std::chrono::minutes(2));
    ASSERT_TRUE(found.done()) << ::testing::PrintToString(found);
    std::vector<std::string> listeners;
    for (const Json& finding : found.value.at("observed").at("findings")) {
      if (finding.at("kind") == "listener") listeners.push_back(finding.at("found"));
    }
    EXPECT_THAT(listeners, ::testing::ElementsAre(HasSubstr("port 5001")));
  });
  fs::remove(profile);
  if (!why_not.empty()) GTEST_SKIP() << why_not;
}

}  // namespace
}  // namespace reprise::sanitize
