#include "plugins/backup/actions/custody_log.h"

#include <sys/file.h>

#include "plugins/backup/judge/words.h"
#include "plugins/sdk/file.h"
#include "plugins/sdk/sha256.h"

namespace reprise::backup {
namespace {

using sdk::Error;
using sdk::Json;

constexpr size_t kFileMax = size_t{256} << 20;

}  // namespace

std::string CustodyLog::Begin() { return std::string(64, '0'); }

CustodyLog::Chain CustodyLog::Read(std::string_view text, const std::string& name) {
  Chain chain{{}, Begin(), 0};
  for (size_t end; (end = text.find('\n', chain.bytes)) != std::string_view::npos; chain.bytes = end + 1) {
    const std::string_view line = text.substr(chain.bytes, end - chain.bytes);
    Json record = Json::parse(line, nullptr, false);
    const size_t number = chain.records.size() + 1;
    const bool linked = record.is_object() && record.value("sequence", Json()) == number &&
                        record.value("previous", Json()) == chain.last;
    if (!linked) {
      throw Error("custody_broken", Words(name, ", line ", number, ": does not follow the line before it, whose SHA-256 is ", chain.last),
                  "somebody changed this file: compare it with a copy, keep both, and begin another folder");
    }
    chain.last = sdk::Sha256OfText(line);
    chain.records.push_back(std::move(record));
  }
  return chain;
}

std::vector<Json> CustodyLog::Records() const {
  return Read(sdk::ReadFileIfThere(path_, kFileMax).value_or(""), path_.string()).records;
}

std::string CustodyLog::Append(Json record) const {
  sdk::Fd fd(open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600));
  if (!fd) sdk::ThrowErrno(errno, "open " + path_.string());
  // One writer at a time; what is read under the lock is what is added to.
  if (flock(fd.get(), LOCK_EX) != 0) sdk::ThrowErrno(errno, "lock " + path_.string());
  const std::string text = sdk::ReadFile(path_, kFileMax);
  const Chain chain = Read(text, path_.string());
  if (chain.bytes < text.size() && ftruncate(fd.get(), static_cast<off_t>(chain.bytes)) != 0) {
    sdk::ThrowErrno(errno, "cut the half line of " + path_.string());
  }
  record["sequence"] = chain.records.size() + 1;
  record["previous"] = chain.last;
  const std::string line = record.dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::string whole = line + "\n";
  for (size_t done = 0; done < whole.size();) {
    const ssize_t wrote = write(fd.get(), whole.data() + done, whole.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) sdk::ThrowErrno(errno, "write " + path_.string());
    done += static_cast<size_t>(wrote);
  }
  if (fsync(fd.get()) != 0) sdk::ThrowErrno(errno, "fsync " + path_.string());
  sdk::SyncFolder(path_.parent_path());
  return sdk::Sha256OfText(line);
}

}  // namespace reprise::backup
