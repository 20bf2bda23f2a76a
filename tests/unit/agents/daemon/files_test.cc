// The file cache and the fetcher before a coordinator that is cut, lies, or is not there.
#include "core/base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>
#include <utility>

#include "agents/daemon/fetcher.h"
#include "agents/daemon/file_cache.h"
#include "core/crypto/minisign.h"
#include "core/crypto/sha256.h"
#include "tests/unit/agents/daemon/temporary_folder.h"

namespace reprise::daemon {
namespace {

using testing::Eventually;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

// Serves contents by hash, in chunks; may cut after some bytes, or send something else.
class FakeStore final : public CoordinatorLink {
 public:
  void Open(uint64_t, const Identity&) override {}
  void Send(uint64_t, std::vector<agent::v1::AgentMessage>) override {}
  void Close() override {}
  absl::StatusOr<std::string> Renew(const std::string&) override { return absl::UnimplementedError(""); }

  absl::Status Fetch(const std::string& sha256, uint64_t offset,
                     const std::function<absl::Status(std::string_view, uint64_t)>& take) override {
    std::unique_lock lock(mutex);
    asked.push_back(offset);
    if (!online) return absl::UnavailableError("not connected");
    if (!contents.contains(sha256)) return absl::NotFoundError("no such file in the store");
    const std::string content = contents[sha256];
    if (offset > content.size()) return absl::OutOfRangeError("past the end");
    size_t left = std::exchange(cut_after, SIZE_MAX);
    lock.unlock();
    for (size_t at = offset; at < content.size();) {
      if (left == 0) return absl::UnavailableError("cut");
      const size_t size = std::min({size_t{1000}, content.size() - at, left});
      if (auto status = take(std::string_view(content).substr(at, size), content.size()); !status.ok()) return status;
      at += size;
      left -= size;
    }
    return absl::OkStatus();
  }
  std::string Add(const std::string& content) {
    std::lock_guard lock(mutex);
    const std::string sha256 = crypto::Sha256(content);
    contents[sha256] = content;
    return sha256;
  }
  void SetOnline(bool value) {
    std::lock_guard lock(mutex);
    online = value;
  }
  std::vector<uint64_t> Asked() {
    std::lock_guard lock(mutex);
    return asked;
  }

  std::mutex mutex;
  std::map<std::string, std::string> contents;
  size_t cut_after = SIZE_MAX;
  bool online = true;
  std::vector<uint64_t> asked;
};

class FilesTest : public ::testing::Test {
 protected:
  void Fetch(uint64_t id, std::vector<agents::WantedFile> files) { fetcher.Fetch({id, std::move(files)}); }
  size_t Answers() {
    std::lock_guard lock(mutex);
    return ready.size();
  }
  agents::FilesReady Wait() {
    EXPECT_TRUE(Eventually([&] { return Answers() > 0; }));
    std::lock_guard lock(mutex);
    if (ready.empty()) return {};
    const auto first = ready.front();
    ready.erase(ready.begin());
    return first;
  }

  TemporaryFolder folder;
  FileCache cache{folder.path()};
  FakeStore store;
  std::mutex mutex;
  std::vector<agents::FilesReady> ready;
  Worker local, remote;
  Fetcher fetcher{cache, store, local, remote, [this](agents::FilesReady answer) {
                    std::lock_guard lock(mutex);
                    ready.push_back(std::move(answer));
                  }};
  const std::string content = std::string(10'000, 'p') + "end";
};

TEST_F(FilesTest, BringsAFileOnceAndThenHasIt) {
  const std::string sha256 = store.Add(content);
  Fetch(1, {{"mock", sha256, content.size(), "", {}}});
  EXPECT_TRUE(Wait().ok);
  EXPECT_EQ(*ReadFile(cache.PathOf(sha256)), content);
  Fetch(2, {{"mock", sha256, content.size(), "", {}}});
  EXPECT_TRUE(Wait().ok);
  EXPECT_EQ(store.Asked().size(), 1u);
}

TEST_F(FilesTest, GoesOnWhereItWasCutWhenASessionStandsAgain) {
  const std::string sha256 = store.Add(content);
  store.cut_after = 4000;
  Fetch(1, {{"mock", sha256, 0, "", {}}});
  ASSERT_TRUE(Eventually([&] { return store.Asked().size() == 1; }));
  // Asked again and again, as the loop does: the first may come before the job is parked.
  ASSERT_TRUE(Eventually([&] {
    fetcher.Online();
    return Answers() > 0;
  }));
  EXPECT_TRUE(Wait().ok);
  EXPECT_EQ(store.Asked().back(), 4000u);
  EXPECT_EQ(*ReadFile(cache.PathOf(sha256)), content);
}

TEST_F(FilesTest, WaitsForACoordinatorAndMeanwhileServesWhatIsHere) {
  const std::string here = store.Add("here"), there = store.Add("there");
  Fetch(1, {{"here", here, 0, "", {}}});
  EXPECT_TRUE(Wait().ok);
  store.SetOnline(false);
  Fetch(2, {{"there", there, 0, "", {}}});
  Fetch(3, {{"here", here, 0, "", {}}});
  const auto first = Wait();
  EXPECT_EQ(first.id, 3u);
  EXPECT_EQ(Answers(), 0u);
  store.SetOnline(true);
  ASSERT_TRUE(Eventually([&] {
    fetcher.Online();
    return Answers() > 0;
  }));
  EXPECT_EQ(Wait().id, 2u);
}

TEST_F(FilesTest, RefusesContentThatDoesNotHaveTheHash) {
  const std::string sha256 = store.Add(content);
  store.contents[sha256][17] ^= 1;
  Fetch(1, {{"mock", sha256, 0, "", {}}});
  const auto answer = Wait();
  EXPECT_FALSE(answer.ok);
  EXPECT_EQ(answer.code, "bad_content");
  EXPECT_FALSE(std::filesystem::exists(cache.PathOf(sha256)));
  EXPECT_EQ(store.Asked().size(), 2u) << "tried once more, from the start";
  EXPECT_EQ(store.Asked().back(), 0u);
}

TEST_F(FilesTest, RefusesAFileThatIsLargerThanThePlanSays) {
  const std::string sha256 = store.Add(content);
  Fetch(1, {{"mock", sha256, 100, "", {}}});
  EXPECT_EQ(Wait().code, "too_large");
}

TEST_F(FilesTest, NamesAFileThatTheStoreDoesNotHave) {
  Fetch(1, {{"mock", crypto::Sha256("nobody has this"), 0, "", {}}});
  const auto answer = Wait();
  EXPECT_EQ(answer.code, "not_found");
  EXPECT_THAT(answer.message, HasSubstr("mock"));
}

TEST_F(FilesTest, BringsAgainWhatWasSpoiledOnTheDisk) {
  const std::string sha256 = store.Add(content);
  Fetch(1, {{"mock", sha256, 0, "", {}}});
  ASSERT_TRUE(Wait().ok);
  std::ofstream(cache.PathOf(sha256), std::ios::in | std::ios::out) << "X";
  Fetch(2, {{"mock", sha256, 0, "", {}}});
  EXPECT_TRUE(Wait().ok);
  EXPECT_EQ(*ReadFile(cache.PathOf(sha256)), content);
}

TEST_F(FilesTest, DoesNotAnswerAJobThatWasDropped) {
  store.SetOnline(false);
  Fetch(1, {{"mock", store.Add(content), 0, "", {}}});
  fetcher.Drop(1);
  store.SetOnline(true);
  fetcher.Online();
  Fetch(2, {{"other", store.Add("other"), 0, "", {}}});
  EXPECT_EQ(Wait().id, 2u);
}

TEST_F(FilesTest, RunsAPluginOnlyWithTheSignatureOfAnOperator) {
  const auto bob = crypto::SecretKey::Generate(), mallory = crypto::SecretKey::Generate();
  const std::string sha256 = store.Add(content);
  const std::string by_bob = bob.Sign(content, "plugin"), by_mallory = mallory.Sign(content, "plugin");
  Fetch(1, {{"mock", sha256, 0, by_bob, {bob.Public().Base64()}}});
  EXPECT_TRUE(Wait().ok);
  Fetch(2, {{"mock", sha256, 0, by_mallory, {bob.Public().Base64()}}});
  EXPECT_EQ(Wait().code, "plugin_signature");
  Fetch(3, {{"mock", sha256, 0, bob.Sign("other bytes", "plugin"), {bob.Public().Base64()}}});
  EXPECT_EQ(Wait().code, "plugin_signature");
  Fetch(4, {{"mock", sha256, 0, "", {bob.Public().Base64()}}});
  EXPECT_EQ(Wait().code, "plugin_signature");
}

TEST_F(FilesTest, TidiesAwayTheLongestUnusedFirst) {
  namespace fs = std::filesystem;
  const auto now = fs::file_time_type::clock::now();
  for (int i = 0; i < 4; ++i) {
    const auto path = folder.path() / ("file" + std::to_string(i));
    std::ofstream(path) << std::string(100, 'x');
    fs::last_write_time(path, now - std::chrono::hours(24 * (i == 3 ? 40 : i)));
  }
  cache.Tidy(250, 30);
  EXPECT_TRUE(fs::exists(folder.path() / "file0"));
  EXPECT_TRUE(fs::exists(folder.path() / "file1"));
  EXPECT_FALSE(fs::exists(folder.path() / "file2"));
  EXPECT_FALSE(fs::exists(folder.path() / "file3"));
}

}  // namespace
}  // namespace reprise::daemon
