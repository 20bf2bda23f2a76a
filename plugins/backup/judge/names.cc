#include "plugins/backup/judge/names.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

#include "plugins/backup/judge/bulk.h"
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

// Each file's name is asked for several times: by a table, not by going through the lists.
class Extensions {
 public:
  Extensions() {
    for (const Promise& promise : kPromises) promises_.emplace(promise.extension, promise.decoder);
    ransom_.insert(std::begin(kRansomExtensions), std::end(kRansomExtensions));
    usual_.insert(std::begin(kUsual), std::end(kUsual));
  }
  // REQUIRES: small letters.
  std::string_view DecoderOf(std::string_view low) const {
    const auto found = promises_.find(low);
    return found == promises_.end() ? std::string_view() : found->second;
  }
  bool IsRansom(std::string_view low) const { return ransom_.count(low) > 0; }
  bool IsUsual(std::string_view low) const { return usual_.count(low) > 0; }

 private:
  std::unordered_map<std::string_view, std::string_view> promises_;
  std::unordered_set<std::string_view> ransom_;
  std::unordered_set<std::string_view> usual_;
};

const Extensions& Known() {
  static const Extensions known;
  return known;
}

std::string_view DecoderOf(std::string_view extension) { return Known().DecoderOf(Lower(extension)); }

// "a.b.c" → "a.b" and "c". No dot, or only one at the front: the extension is empty.
std::pair<std::string_view, std::string_view> Split(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {name, ""};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

}  // namespace

std::string_view BaseName(std::string_view path) {
  size_t at = path.size();
  while (at > 0 && path[at - 1] != '/' && path[at - 1] != '!') --at;
  return path.substr(at);
}

std::string_view FormatByName(std::string_view name) {
  const auto [stem, extension] = Split(BaseName(name));
  const std::string_view decoder = DecoderOf(extension);
  const std::string low = Lower(extension);
  // Dovecot's, in every Maildir, and no text.
  if (low == "log" && StartsWith(BaseName(name), "dovecot.index")) return "";
  if (!decoder.empty()) return decoder;
  // What was encrypted on purpose, or is a note about another file, has another format than the name before it.
  for (const std::string_view sealed : {"gpg", "age", "enc", "aes", "crypt", "encrypted", "asc", "sig", "sha256",
                                        "sha512", "md5", "minisig", "idx", "index", "meta", "part", "tmp", "torrent",
                                        "lz4", "lz", "lzma", "lzo", "z", "br", "sz", "rar", "wal", "shm", "journal"}) {
    if (low == sealed) return "";
  }
  // A word of that length is a part of a name, not an extension.
  return extension.size() > 12 ? "" : DecoderOf(Split(stem).second);
}

std::string_view RansomExtension(std::string_view name) {
  const auto [stem, extension] = Split(BaseName(name));
  if (!Known().IsRansom(Lower(extension))) return "";
  // A word such as "inc" or "play" is an extension of honest files too: it must stand behind another one.
  const std::string_view before = Split(stem).second;
  return extension.size() >= 5 || !DecoderOf(before).empty() ? extension : "";
}

std::string_view ForeignExtension(std::string_view name) {
  const auto [stem, extension] = Split(BaseName(name));
  const std::string low = Lower(extension);
  if (low.size() < 3 || low.size() > 32 || !Known().DecoderOf(low).empty() || Known().IsUsual(low)) return "";
  if (std::all_of(low.begin(), low.end(), IsDigit)) return "";
  return DecoderOf(Split(stem).second).empty() ? "" : extension;
}

namespace {

constexpr std::string_view kDeeds[] = {
    "your files", "files are encrypted", "files have been encrypted", "data are stolen", "data is stolen", "were encrypted",
    "has been encrypted", "network has been", "been locked", "been encrypted", "vos fichiers", "ont été chiffr",
    "are stolen and encrypted", "all your"};

// Of each deed a part, and three letters of it that other texts rarely have: most texts have none of the parts, which shows in one
// quick pass.
struct Part {
  std::string_view text;
  size_t letters;  // Where in it they stand.
};
constexpr Part kParts[] = {{"your files", 3}, {"encrypted", 4},    {"stolen", 1},      {"network has", 6},
                           {"been locked", 7}, {"vos fichiers", 7}, {"\xa9 chiff", 4}, {"all your", 2}};

class PartFinder {
 public:
  PartFinder() {
    for (unsigned i = 0; i < std::size(kParts); ++i) triples_.Add(i, kParts[i].text.substr(kParts[i].letters, 3));
  }
  bool Any(std::string_view text) const {
    unsigned kinds = 0;
    for (size_t at = triples_.Find(text, 0, kinds); at != std::string_view::npos; at = triples_.Find(text, at + 1, kinds)) {
      for (unsigned i = 0; i < std::size(kParts); ++i) {
        if ((kinds >> i & 1) != 0 && IsAt(text, at, kParts[i])) return true;
      }
    }
    return false;
  }

 private:
  static bool IsAt(std::string_view text, size_t at, const Part& part) {
    return at >= part.letters && Lower(text.substr(at - part.letters, part.text.size())) == part.text;
  }
  Triples triples_;
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
