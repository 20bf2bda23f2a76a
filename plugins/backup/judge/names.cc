#include "plugins/backup/judge/names.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <vector>

#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

struct Promise {
  std::string_view extension;
  std::string_view decoder;
};

// Extensions that stand for one format only. What may be anything (.bak, .bin, .dat, .db, .enc) is not here.
constexpr Promise kPromises[] = {
    {"tar", "tar"},      {"gz", "gzip"},        {"tgz", "gzip"},    {"xz", "xz"},         {"txz", "xz"},
    {"zst", "zstd"},     {"bz2", "bzip2"},      {"tbz2", "bzip2"},  {"zip", "zip"},       {"jar", "zip"},
    {"docx", "zip"},     {"xlsx", "zip"},       {"pptx", "zip"},    {"odt", "zip"},       {"ods", "zip"},
    {"odp", "zip"},      {"epub", "zip"},       {"png", "png"},     {"jpg", "jpeg"},      {"jpeg", "jpeg"},
    {"pdf", "pdf"},      {"dcm", "dicom"},      {"dicom", "dicom"}, {"sqlite", "sqlite"}, {"sqlite3", "sqlite"},
    {"dump", "pg_dump"}, {"pgdump", "pg_dump"}, {"txt", "text"},    {"csv", "csv"},       {"tsv", "csv"},
    {"sql", "sql"},      {"json", "json"},      {"xml", "xml"},     {"html", "text"},     {"htm", "text"},
    {"md", "text"},      {"log", "text"},       {"mbox", "mbox"},   {"eml", "mail"},      {"7z", "archive"},
    {"ini", "text"},     {"conf", "text"},      {"yaml", "text"},   {"yml", "text"},      {"gif", "gif"},
    {"hl7", "text"},     {"svg", "xml"},        {"jsonl", "jsonl"}, {"ndjson", "jsonl"},  {"cpio", "archive"},
};

constexpr std::string_view kRansomExtensions[] = {
    "lockbit",      "lockbit3",  "locky",     "locked",       "lock64",    "crypted",   "cryptolocker",  "wncry",
    "wcry",         "wncryt",    "wnry",      "ryk",          "ryuk",      "conti",     "cl0p",          "clop",
    "hive",         "akira",     "royal",     "royal_w",      "phobos",    "eking",     "eight",         "elbie",
    "devos",        "djvu",      "dharma",    "cerber",       "zepto",     "odin",      "thor",          "play",
    "medusa",       "rhysida",   "basta",     "8base",        "babyk",     "babuk",     "maze",          "sodinokibi",
    "revil",        "egregor",   "netwalker", "mailto",       "makop",     "mkp",       "snatch",        "avos",
    "avos2",        "avoslinux", "cuba",      "ragnarok",     "ragnar",    "blackbyte", "blackcat",      "alphv",
    "sekhmet",      "mespinoza", "pysa",      "vice",         "v-society", "vsociety",  "bianlian",      "cactus",
    "cts1",         "inc",       "lynx",      "fog",          "rcrypted",  "ransom",    "pay2key",       "wasted",
    "bbawasted",    "darkside",  "grief",     "doppelpaymer", "doppeled",  "xorist",    "globeimposter", "stop",
    "gandcrab",     "krab",      "crab",      "teslacrypt",   "ecc",       "ezz",       "vvv",           "micro",
    "nokoyawa",     "qilin",     "agenda",    "hunters",      "interlock", "safepay",   "dragonforce",   "zeppelin",
    "encrypted_by", "r5a",       "kraken",
};

// What people and programs add to a name.
constexpr std::string_view kUsual[] = {
    "bak", "old",    "orig",    "save", "tmp",  "part", "copy",   "new",     "backup", "prev",      "asc",
    "sig", "sha256", "sha512",  "md5",  "gpg",  "age",  "enc",    "aes",     "crypt",  "encrypted", "lock",
    "idx", "index",  "meta",    "bk",   "last", "dist", "sample", "default", "rej",    "swp",       "license",
    "url", "lnk",    "torrent", "crc",  "sfv",  "par2", "log",    "minisig", "sum",
};

bool IsIn(const std::string& word, const std::string_view* begin, const std::string_view* end) {
  return std::find(begin, end, word) != end;
}

std::string_view DecoderOf(std::string_view extension) {
  const std::string low = Lower(extension);
  for (const Promise& promise : kPromises) {
    if (promise.extension == low) return promise.decoder;
  }
  return "";
}

// "a.b.c" → "a.b" and "c". No dot, or only one at the front: the extension is empty.
std::pair<std::string_view, std::string_view> Split(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {name, ""};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

}  // namespace

std::string_view BaseName(std::string_view path) {
  const size_t slash = path.find_last_of("/!");
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view FormatByName(std::string_view name) {
  const auto [stem, extension] = Split(BaseName(name));
  const std::string_view decoder = DecoderOf(extension);
  if (!decoder.empty()) return decoder;
  const std::string low = Lower(extension);
  // What was encrypted on purpose, or is a note about another file, has another format than the name before it.
  for (const std::string_view sealed : {"gpg", "age", "enc", "aes", "crypt", "encrypted", "asc", "sig", "sha256",
                                        "sha512", "md5", "minisig", "idx", "index", "meta", "part", "tmp", "torrent"}) {
    if (low == sealed) return "";
  }
  // A word of that length is a part of a name, not an extension.
  return extension.size() > 12 ? "" : DecoderOf(Split(stem).second);
}

std::string_view RansomExtension(std::string_view name) {
  const auto [stem, extension] = Split(BaseName(name));
  if (!IsIn(Lower(extension), std::begin(kRansomExtensions), std::end(kRansomExtensions))) return "";
  // A word such as "inc" or "play" is an extension of honest files too: it must stand behind another one.
  const std::string_view before = Split(stem).second;
  return extension.size() >= 5 || !DecoderOf(before).empty() ? extension : "";
}

std::string_view ForeignExtension(std::string_view name) {
  const auto [stem, extension] = Split(BaseName(name));
  const std::string low = Lower(extension);
  if (low.size() < 3 || low.size() > 32 || !DecoderOf(low).empty()) return "";
  if (IsIn(low, std::begin(kUsual), std::end(kUsual))) return "";
  if (std::all_of(low.begin(), low.end(), IsDigit)) return "";
  return DecoderOf(Split(stem).second).empty() ? "" : extension;
}

namespace {

constexpr std::string_view kDeeds[] = {
    "your files", "files are encrypted", "files have been encrypted", "data are stolen", "data is stolen", "were encrypted",
    "has been encrypted", "network has been", "been locked", "been encrypted", "vos fichiers", "ont été chiffr",
    "are stolen and encrypted", "all your"};

// Of each deed a part of at least seven letters: most texts have none of them, which shows in one quick pass.
constexpr std::string_view kParts[] = {"your files", "encrypted", "are stolen", "is stolen", "network has", "been locked",
                                       "vos fichiers", "\xa9 chiff", "all your"};

uint32_t FourAt(const char* at) {
  uint32_t four = 0;
  std::memcpy(&four, at, 4);
  return four | 0x20202020;  // Capitals as small letters.
}

class PartFinder {
 public:
  PartFinder() {
    for (const std::string_view part : kParts) {
      // Every fourth place of the text is looked at: one of them is a part's first, second, third or fourth letter.
      for (size_t offset = 0; offset < 4; ++offset) {
        fours_.push_back({FourAt(part.data() + offset), part, offset});
        seen_[Slot(fours_.back().four)] = true;
      }
    }
  }
  bool Any(std::string_view text) const {
    for (size_t at = 0; at + 4 <= text.size(); at += 4) {
      const uint32_t four = FourAt(text.data() + at);
      if (seen_[Slot(four)] && IsAt(text, at, four)) return true;
    }
    return false;
  }

 private:
  struct Four {
    uint32_t four;
    std::string_view part;
    size_t offset;
  };
  static size_t Slot(uint32_t four) { return four * 0x9e3779b1u >> 19; }
  bool IsAt(std::string_view text, size_t at, uint32_t four) const {
    return std::any_of(fours_.begin(), fours_.end(), [&](const Four& one) {
      return one.four == four && at >= one.offset && Lower(text.substr(at - one.offset, one.part.size())) == one.part;
    });
  }
  std::vector<Four> fours_;
  std::array<bool, 1 << 13> seen_{};
};

}  // namespace

bool IsRansomNote(std::string_view name, std::string_view text) {
  static const PartFinder parts;
  if (!parts.Any(text)) return false;
  const std::string low_name = Lower(BaseName(name));
  const std::string low = Lower(text);
  int by_name = 0;
  for (const char* word : {"readme", "read_me", "read-me", "restore", "recover", "decrypt", "ransom", "how_to",
                           "how-to", "unlock", "instruction", "!!!", "help", "files", "note", "attention", "lisez"}) {
    by_name += Contains(low_name, word) ? 1 : 0;
  }
  int demand = 0;
  for (const char* word : {"bitcoin", "btc", "monero", "ransom", "rançon", ".onion", "tor browser", "pay", "decryptor",
                           "decryption tool", "decryption key", "private key", "leak", "contact us", "your id"}) {
    demand += Contains(low, word) ? 1 : 0;
  }
  int deed = 0;
  for (const std::string_view phrase : kDeeds) deed += Contains(low, phrase) ? 1 : 0;
  return deed >= 1 && demand >= (by_name > 0 ? 2 : 3);
}

}  // namespace reprise::backup
