// `bench-mail prestage|verify|states FILE`: one verb of an action of the plugin `mail`, as its host would call it, with FILE's request:
// apply of mail.prestage, probe of mail.verify, probe of mail.prestage. `bench-mail ledgers FILE COUNT`: a ledger with COUNT messages for
// each mailbox of that request's roster, as a pass leaves it. Prints one JSON object.
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "plugins/mail/look_action.h"
#include "plugins/mail/move_action.h"

namespace {

using namespace reprise::mail;  // A program's own file.
using reprise::sdk::Context;
using reprise::sdk::Error;
using reprise::sdk::Json;

// A host's side of one call: nobody listens to its progress, nobody ends it.
class Call {
 public:
  explicit Call(Json request) : request_(std::move(request)), text_(request_.dump()) {
    call_.request = text_.c_str();
    call_.request_size = text_.size();
    call_.progress = [](const reprise_call_t*, double, const char*) {};
    call_.log = [](const reprise_call_t*, int32_t, const char* text) { std::fprintf(stderr, "%s\n", text); };
    call_.result = [](const reprise_call_t*, const char*, size_t) {};
    call_.cancelled = [](const reprise_call_t*) { return 0; };
  }
  const reprise_call_t* call() const { return &call_; }
  const Json& request() const { return request_; }

 private:
  const Json request_;
  const std::string text_;
  reprise_call_t call_{};
};

// Of this program alone: what getrusage tells includes whoever started it.
uint64_t PeakKib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6));
  }
  return 0;
}

void MakeLedger(const std::filesystem::path& file, uint32_t messages) {
  Ledger ledger = Ledger::OpenToWrite(file);
  ledger.Commit([&] {
    FolderRow folder;
    folder.source = folder.target = {"INBOX"};
    folder.source_validity = folder.target_validity = 1'660'000'000;
    folder = ledger.AddFolder(folder);
    for (uint32_t uid = 1; uid <= messages; ++uid) {
      MessageRow row;
      row.uid = row.target_uid = uid;
      row.state = MessageState::kCopied;
      row.bytes = 4000 + uid;
      row.date = {1'600'000'000 + uid, 120};
      row.flags = {"\\Seen"};
      row.sha256 = std::string(64, 'a');
      row.own = true;
      ledger.Put(folder.id, row);
    }
    ledger.SetNote("state", NameOf(BoxState::kPrestaged));
  });
}

Json MakeLedgers(Context& context, uint32_t messages) {
  Site site(context);
  std::filesystem::create_directories(site.state());
  std::atomic<size_t> next = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (size_t at; (at = next++) < site.boxes().size();) MakeLedger(LedgerFile(site.state(), site.boxes()[at]), messages);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return {{"boxes", site.boxes().size()}};
}

Json Do(const std::string& what, Context& context) {
  if (what == "prestage") {
    const auto result = Prestage().Apply(context);
    return {{"summary", result.summary}, {"changed", result.changed}};
  }
  const auto result = what == "verify" ? Verify().Probe(context) : Prestage().Probe(context);
  return {{"summary", result.summary}, {"holds", result.holds}, {"observed", result.observed}};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[1] : "";
  uint32_t messages = 0;
  const std::string_view count = argc == 4 ? argv[3] : "";
  const bool counted = std::from_chars(count.data(), count.data() + count.size(), messages).ec == std::errc() && messages > 0;
  const bool known = what == "prestage" || what == "verify" || what == "states";
  if (!(known && argc == 3) && !(what == "ledgers" && counted)) {
    std::fputs("usage: bench-mail prestage|verify|states FILE, or bench-mail ledgers FILE COUNT\n", stderr);
    return 2;
  }
  std::ifstream file(argv[2]);
  const Json request = Json::parse(file, nullptr, false);
  if (request.is_discarded()) {
    std::fprintf(stderr, "%s: no JSON\n", argv[2]);
    return 2;
  }
  const Call call(request);
  Context context(call.call(), call.request());
  const auto began = std::chrono::steady_clock::now();
  try {
    Json said = what == "ledgers" ? MakeLedgers(context, messages) : Do(what, context);
    said["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    said["peak_kib"] = PeakKib();
    std::puts(said.dump().c_str());
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", error.code().c_str(), error.what());
    return 1;
  }
}
