#include "plugins/pacs/stored_file.h"

#include <zlib.h>

#include <cstring>
#include <functional>
#include <vector>

#include "plugins/sdk/file.h"

namespace reprise::pacs {
namespace {

using Sink = std::function<void(const char*, size_t)>;

size_t ReadUpTo(int fd, char* into, size_t max, const std::filesystem::path& file) {
  size_t done = 0;
  while (done < max) {
    const ssize_t count = read(fd, into + done, max - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) sdk::ThrowErrno(errno, "read " + file.string());
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

sdk::Fd Open(const std::filesystem::path& file) {
  sdk::Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) sdk::ThrowErrno(errno, "open " + file.string());
  return fd;
}

bool IsDicom(const std::string& head) { return head.size() >= 132 && head.compare(128, 4, "DICM") == 0; }
bool IsJson(const std::string& head) {
  const size_t first = head.find_first_not_of(" \t\r\n");
  return first != std::string::npos && (head[first] == '{' || head[first] == '[');
}
bool IsSqlite(const std::string& name) {
  return name == "index" || name == "index-wal" || name == "index-shm" || name == "index-journal";
}
// "<SHA-256>  <file>" in each line that is whole: what the copy's job wrote, and the judge of backups holds the storage to.
bool IsList(const std::string& name, const std::string& head) {
  if (name != "SHA256SUMS" || head.find('\n') == std::string::npos) return false;
  for (size_t at = 0, end = head.find('\n'); end != std::string::npos; at = end + 1, end = head.find('\n', at)) {
    const std::string_view line = std::string_view(head).substr(at, end - at);
    if (line.size() < 67 || line.find_first_not_of("0123456789abcdef") != 64) return false;
    if (line[64] != ' ' || (line[65] != ' ' && line[65] != '*')) return false;
  }
  return true;
}
// The header of zlib: method 8, and a check of its two bytes.
bool LooksCompressed(const std::string& head) {
  if (head.size() < 10 || head[8] != 0x78) return false;
  return (static_cast<unsigned char>(head[8]) * 256 + static_cast<unsigned char>(head[9])) % 31 == 0;
}

uint64_t LengthAtBegin(const std::string& head) {
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(head[static_cast<size_t>(i)]);
  return length;
}

// All of it, with zlib's own checksum. Empty: whole; else why not.
std::string Inflate(const std::filesystem::path& file, const Sink& sink) {
  const sdk::Fd fd = Open(file);
  std::string head(8, '\0');
  if (ReadUpTo(fd.get(), head.data(), 8, file) != 8) return "ends within its length";
  const uint64_t length = LengthAtBegin(head);
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return "no memory for zlib";
  std::vector<char> in(256 << 10), out(256 << 10);
  uint64_t made = 0;
  int said = Z_OK;
  while (said == Z_OK && made <= length) {
    if (stream.avail_in == 0) {
      stream.avail_in = static_cast<uInt>(ReadUpTo(fd.get(), in.data(), in.size(), file));
      stream.next_in = reinterpret_cast<Bytef*>(in.data());
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    said = inflate(&stream, Z_NO_FLUSH);
    const size_t count = out.size() - stream.avail_out;
    made += count;
    if (count > 0) sink(out.data(), count);
  }
  inflateEnd(&stream);
  if (said != Z_STREAM_END) return said == Z_BUF_ERROR ? "ends in the middle of its compressed content" : "does not decompress";
  if (made != length) return "decompresses to " + std::to_string(made) + " bytes, expected " + std::to_string(length);
  return "";
}

StoredFile KindOf(const std::string& head, const std::string& name, bool compressed) {
  if (IsDicom(head)) return {StoredKind::kDicom, compressed, ""};
  if (IsUuid(name) && IsJson(head)) return {StoredKind::kAttachment, compressed, ""};
  if (IsUuid(name)) return {StoredKind::kDamaged, compressed, "has no beginning of a DICOM file"};
  return {StoredKind::kForeign, compressed, ""};
}

}  // namespace

bool IsUuid(const std::string& name) {
  if (name.size() != 36) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

StoredFile LookAtStored(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  std::string head(512, '\0');
  {
    const sdk::Fd fd = Open(file);
    head.resize(ReadUpTo(fd.get(), head.data(), head.size(), file));
  }
  if (IsSqlite(name)) return {StoredKind::kIndex, false, ""};
  if (IsList(name, head)) return {StoredKind::kList, false, ""};
  if (head.empty() && IsUuid(name)) return {StoredKind::kDamaged, false, "is empty"};
  if (IsDicom(head) || !IsUuid(name) || !LooksCompressed(head)) return KindOf(head, name, false);
  std::string plain;
  const std::string why = Inflate(file, [&](const char* bytes, size_t count) {
    if (plain.size() < 512) plain.append(bytes, std::min<size_t>(count, 512 - plain.size()));
  });
  if (!why.empty()) return {StoredKind::kDamaged, true, why};
  return KindOf(plain, name, true);
}

std::string Decompress(const std::filesystem::path& file, const std::filesystem::path& into) {
  const sdk::Fd out(open(into.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!out) sdk::ThrowErrno(errno, "create " + into.string());
  return Inflate(file, [&](const char* bytes, size_t count) {
    while (count > 0) {
      const ssize_t written = write(out.get(), bytes, count);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) sdk::ThrowErrno(errno, "write " + into.string());
      bytes += written;
      count -= static_cast<size_t>(written);
    }
  });
}

}  // namespace reprise::pacs
