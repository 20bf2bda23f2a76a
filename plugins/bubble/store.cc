#include "plugins/bubble/store.h"

#include <sys/file.h>

#include <chrono>
#include <thread>

namespace reprise::bubble {
namespace {

using sdk::Error;

constexpr const char* kStem = "bubble.";

}  // namespace

std::optional<Bubble> Store::Get(const std::string& bubble) const {
  const auto note = notes_.Get(kStem + bubble);
  if (!note) return std::nullopt;
  return BubbleFromJson(*note);
}

Bubble Store::Must(const std::string& bubble) const {
  auto found = Get(bubble);
  if (!found) {
    throw Error("no_bubble", "this gateway has no bubble " + bubble,
                "make it with bubble.gateway; is this the bubble's gateway?");
  }
  return *std::move(found);
}

void Store::Put(const Bubble& bubble) const {
  notes_.Put(kStem + bubble.charter.bubble, ToJson(bubble));
}

bool Store::Forget(const std::string& bubble) const {
  bool any = false;
  for (const char* ending : {"nft", "bolt4", "bolt6", "boot", "guard", "halt"})
    any = sdk::RemoveFile(File(bubble, ending)) || any;
  std::vector<std::string> keys = {"before." + bubble, "before-readmit." + bubble};
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(notes_.folder(), error)) {
    const std::string name = entry.path().stem().string();
    for (const char* kind : {"before-post.", "before-flow."}) {
      if (name.rfind(kind + bubble + ".", 0) == 0) keys.push_back(name);
    }
  }
  for (const std::string& key : keys) notes_.Forget(key);
  // The state last: while it is there, an end that was cut short is found.
  return notes_.Forget(kStem + bubble) || any;
}

std::vector<Bubble> Store::All(const std::string& but) const {
  std::vector<Bubble> all;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(notes_.folder(), error)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind(kStem, 0) != 0 || entry.path().extension() != ".json") continue;
    const std::string bubble = name.substr(7, name.size() - 12);
    if (bubble == but) continue;
    if (auto found = Get(bubble)) all.push_back(*std::move(found));
  }
  return all;
}

std::filesystem::path Store::File(const std::string& bubble, const char* ending) const {
  return notes_.folder() / (bubble + "." + ending);
}

sdk::Fd Store::Lock(const sdk::Context& context) const {
  notes_.MakeFolder();
  const auto path = notes_.folder() / "lock";
  sdk::Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) sdk::ThrowErrno(errno, "open " + path.string());
  while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    context.ThrowIfCancelled();
    if (context.TimeLeft() < std::chrono::seconds(2)) {
      throw Error("busy", "another step changes a bubble of this gateway", "try again when it has ended");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return fd;
}

int64_t NowMs() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace reprise::bubble
