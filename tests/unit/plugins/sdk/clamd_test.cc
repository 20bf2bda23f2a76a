// What is asked of clamd and what is made of silence, half answers and closed doors. What a real clamd finds: tests/unit/plugins/edr and mail.
#include "plugins/sdk/clamd.h"

#include <gmock/gmock.h>

#include <atomic>
#include <optional>
#include <thread>

#include "tests/unit/plugins/sdk/fake_call.h"

namespace reprise::sdk {
namespace {

using namespace std::string_literals;
using ::testing::StartsWith;

std::string CodeOf(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  return "";
}

// A daemon at a socket of its own: for each connection it says what `answer` makes of what it heard so far, until that is nothing.
class Daemon {
 public:
  using Answer = std::function<std::optional<std::string>(const std::string& heard)>;

  explicit Daemon(Answer answer) : answer_(std::move(answer)) {
    std::string made = (std::filesystem::temp_directory_path() / "reprise-clamd-XXXXXX").string();
    if (mkdtemp(made.data()) == nullptr) throw std::runtime_error("no folder");
    folder = made;
    listening_.Reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, Path().c_str(), Path().size() + 1);
    if (bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listening_.get(), 8) != 0) {
      throw std::runtime_error("no socket");
    }
    thread_ = std::thread([this] { Run(); });
  }
  ~Daemon() {
    over_ = true;
    thread_.join();
    std::filesystem::remove_all(folder);
  }

  std::string Path() const { return (folder / "clamd.ctl").string(); }
  std::filesystem::path folder;
  std::string heard;  // Of the last connection; read once it is over.

 private:
  bool Readable(int fd) const {
    pollfd wanted = {fd, POLLIN, 0};
    while (!over_) {
      if (poll(&wanted, 1, 10) > 0) return true;
    }
    return false;
  }
  void Run() {
    while (Readable(listening_.get())) {
      const Fd connection(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      heard.clear();
      for (char buffer[8192]; Readable(connection.get());) {
        const ssize_t count = recv(connection.get(), buffer, sizeof buffer, 0);
        if (count <= 0) break;
        heard.append(buffer, static_cast<size_t>(count));
        const auto said = answer_(heard);
        if (!said) break;  // Closes.
        if (!said->empty()) send(connection.get(), said->data(), said->size(), MSG_NOSIGNAL);
      }
    }
  }

  const Answer answer_;
  Fd listening_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

struct Asked {
  explicit Asked(int64_t ms = 20'000)
      : call(Json{{"verb", "probe"}, {"deadline_ms", std::chrono::duration_cast<std::chrono::milliseconds>(
                                                         std::chrono::system_clock::now().time_since_epoch()).count() + ms}}),
        context(call.call(), call.request()) {}
  FakeCall call;
  Context context;
};

std::function<void(const Clamd::Sink&)> Saying(const std::string& bytes) {
  return [bytes](const Clamd::Sink& sink) { sink(bytes); };
}

TEST(Clamd, HearsCleanInExactlyOneWord) {
  EXPECT_EQ(ReadClamdLine("stream: OK\0"s).what, ClamdReply::kOk);
  EXPECT_EQ(ReadClamdLine("fd[9]: OK\n").what, ClamdReply::kOk);
  for (const char* said : {"OK", "stream: OK.", "stream: ok", "stream:OK", "stream: OK OK", "x: Access denied. ERROR"}) {
    EXPECT_EQ(ReadClamdLine(said).what, ClamdReply::kOther) << said;
  }
  EXPECT_EQ(ReadClamdLine("").what, ClamdReply::kNothing);
  EXPECT_EQ(ReadClamdLine("\0\n"s).what, ClamdReply::kNothing);
  const ClamdReply found = ReadClamdLine("stream: A.Name.UNOFFICIAL FOUND\0"s);
  EXPECT_EQ(found.what, ClamdReply::kFound);
  EXPECT_EQ(found.name, "A.Name.UNOFFICIAL");
}

TEST(Clamd, GetsAllBytesInPiecesWithTheirSizes) {
  Asked asked;
  const std::string bytes(150'000, 'x');
  Daemon daemon([](const std::string& heard) { return heard.ends_with("\0\0\0\0"s) ? "stream: OK\0"s : ""s; });
  EXPECT_EQ(Clamd(asked.context, daemon.Path()).Stream(Saying(bytes)).what, ClamdReply::kOk);
  std::string whole;
  const std::string begin = "zINSTREAM\0"s;
  ASSERT_THAT(daemon.heard, StartsWith(begin));
  for (size_t at = begin.size(); at + 4 <= daemon.heard.size();) {
    uint32_t size = 0;
    std::memcpy(&size, daemon.heard.data() + at, 4);
    whole += daemon.heard.substr(at + 4, ntohl(size));
    at += 4 + ntohl(size);
  }
  EXPECT_TRUE(whole == bytes);
}

TEST(Clamd, IsNotBelievedWhenItTookOnlyAPart) {
  Asked asked;
  // Says OK at once, and closes.
  Daemon hasty([said = false](const std::string&) mutable { return std::exchange(said, true) ? std::nullopt : std::optional("stream: OK\0"s); });
  const ClamdReply reply = Clamd(asked.context, hasty.Path()).Stream(Saying(std::string(8 << 20, 'x')));
  EXPECT_NE(reply.what, ClamdReply::kOk) << reply.name;
  Daemon limited([said = false](const std::string& heard) mutable {
    if (heard.size() < 70'000) return std::optional(""s);
    return std::exchange(said, true) ? std::nullopt : std::optional("INSTREAM size limit exceeded. ERROR\0"s);
  });
  EXPECT_NE(Clamd(asked.context, limited.Path()).Stream(Saying(std::string(8 << 20, 'x'))).what, ClamdReply::kOk);
  Daemon mute([](const std::string&) { return std::nullopt; });
  EXPECT_EQ(Clamd(asked.context, mute.Path()).Stream(Saying("x")).what, ClamdReply::kNothing);
}

TEST(Clamd, IsAbsentOrSilentAndEndsWithTheVerb) {
  Asked asked;
  EXPECT_EQ(CodeOf([&] { Clamd(asked.context, "/nowhere/clamd.ctl").Version(); }), "clamd_absent");
  EXPECT_EQ(CodeOf([&] { Clamd(asked.context, "127.0.0.1:1").Version(); }), "clamd_absent");
  Daemon rude([](const std::string&) { return "HELLO\0"s; });
  EXPECT_EQ(CodeOf([&] { Clamd(asked.context, rude.Path()).Version(); }), "clamd_silent");
  Daemon silent([](const std::string&) { return ""s; });
  Asked soon(300);
  EXPECT_EQ(CodeOf([&] { Clamd(soon.context, silent.Path()).Stream(Saying("x")); }), "timed_out");
  Asked never;
  std::thread ender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    never.call.cancelled = true;
  });
  EXPECT_EQ(CodeOf([&] { Clamd(never.context, silent.Path()).Stream(Saying("x")); }), "cancelled");
  ender.join();
  Daemon good([](const std::string& heard) { return heard.starts_with("zPING") ? "PONG\0"s : "ClamAV 1.0.7/27000\0"s; });
  EXPECT_EQ(Clamd(asked.context, good.Path()).Version(), "ClamAV 1.0.7/27000");
}

TEST(Clamd, TakesAPathOrAnAddressAndNoName) {
  Asked asked;
  for (const char* where : {"", "clamd", "localhost:3310", "10.0.0.1", "10.0.0.1:port", "none"}) {
    EXPECT_EQ(CodeOf([&] { Clamd(asked.context, where); }), "bad_params") << where;
  }
  EXPECT_EQ(CodeOf([&] { Clamd(asked.context, "/" + std::string(200, 'x')); }), "bad_params");
  for (const char* where : {"/run/clamav/clamd.ctl", "10.0.0.1:3310", "[fd00::1]:3310"}) {
    EXPECT_EQ(CodeOf([&] { Clamd(asked.context, where); }), "") << where;
  }
}

}  // namespace
}  // namespace reprise::sdk
