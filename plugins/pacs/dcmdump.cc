#include "plugins/pacs/dcmdump.h"

#include <charconv>

#include "plugins/sdk/error.h"
#include "plugins/sdk/sha256.h"

namespace reprise::pacs {
namespace {

constexpr const char* kTags[] = {"0002,0010", "0010,0020", "0020,000d", "0020,000e", "0008,0018", "0028,0002",
                                 "0028,0008", "0028,0010", "0028,0011", "0028,0100", "7fe0,0008", "7fe0,0009",
                                 "7fe0,0010"};

// "(0008,0018) UI [1.2.3]      #  6, 1 SOPInstanceUID" -> "1.2.3"; numbers stand without brackets.
std::string ValueOf(std::string_view line) {
  std::string_view rest = line.size() > 15 ? line.substr(15) : "";
  if (!rest.empty() && rest.front() == '[') {
    const size_t end = rest.rfind(']');
    std::string_view value = rest.substr(1, end == std::string_view::npos ? 0 : end - 1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\0')) value.remove_suffix(1);
    return std::string(value);
  }
  return std::string(rest.substr(0, rest.find(' ')));
}

int64_t NumberOf(std::string_view line, int64_t otherwise) {
  const std::string value = ValueOf(line);
  int64_t number = otherwise;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

// "... # 8192, 1 PixelData" -> 8192; "# u/l, 2 PixelSequence" -> 0.
uint64_t LengthOf(std::string_view line) {
  const size_t mark = line.rfind('#');
  uint64_t length = 0;
  if (mark == std::string_view::npos) return 0;
  const size_t begin = line.find_first_not_of(' ', mark + 1);
  if (begin != std::string_view::npos) std::from_chars(line.data() + begin, line.data() + line.size(), length);
  return length;
}

void Take(std::string_view line, DumpedFile& into) {
  const std::string_view tag = line.substr(1, 9);
  if (tag == "0002,0010") into.transfer_syntax = ValueOf(line);
  else if (tag == "0010,0020") into.patient = sdk::Sha256OfText(ValueOf(line));
  else if (tag == "0020,000d") into.study = ValueOf(line);
  else if (tag == "0020,000e") into.series = ValueOf(line);
  else if (tag == "0008,0018") into.instance = ValueOf(line);
  else if (tag == "0028,0002") into.samples = NumberOf(line, 1);
  else if (tag == "0028,0008") into.frames = NumberOf(line, 1);
  else if (tag == "0028,0010") into.rows = NumberOf(line, 0);
  else if (tag == "0028,0011") into.columns = NumberOf(line, 0);
  else if (tag == "0028,0100") into.bits = NumberOf(line, 0);
  else if (tag.substr(0, 4) == "7fe0") {
    into.has_pixels = true;
    into.pixel_bytes = LengthOf(line);
  }
}

// Little endian implicit, explicit, deflated; big endian: the pixels stand there as they are.
bool IsNative(const std::string& syntax) {
  return syntax == "1.2.840.10008.1.2" || syntax == "1.2.840.10008.1.2.1" || syntax == "1.2.840.10008.1.2.1.99" ||
         syntax == "1.2.840.10008.1.2.2";
}

}  // namespace

std::string DumpedFile::WhyIncomplete() const {
  if (instance.empty()) return "no SOPInstanceUID";
  if (study.empty()) return "no StudyInstanceUID";
  if (series.empty()) return "no SeriesInstanceUID";
  if (IsHeaderOnly()) return "the pixels are missing: only its header is left";
  // (7fe0,0008) and (…9) are for floating point images, where the bits say as much.
  if (has_pixels && IsNative(transfer_syntax) && rows > 0 && columns > 0 && bits > 0 && pixel_bytes) {
    const uint64_t pixels = static_cast<uint64_t>(rows) * static_cast<uint64_t>(columns) *
                            static_cast<uint64_t>(samples > 0 ? samples : 1) * static_cast<uint64_t>(frames > 0 ? frames : 1);
    // Subsampled colours (YBR_FULL_422) need two thirds.
    const uint64_t least = (bits == 1 ? pixels / 8 : pixels * static_cast<uint64_t>(bits / 8)) * (samples == 3 ? 2 : 3) / 3;
    if (*pixel_bytes < least) {
      return "the pixels have " + std::to_string(*pixel_bytes) + " bytes, expected at least " + std::to_string(least);
    }
  }
  return "";
}

std::vector<std::string> DumpCommand() {
  // All is loaded, so that a value that ends too early is an error; +p: elements inside sequences begin with their path.
  std::vector<std::string> command = {"dcmdump", "-q", "+fo", "+M", "+F", "+p", "-Un"};
  for (const char* tag : kTags) {
    command.push_back("+P");
    command.push_back(tag);
  }
  return command;
}

std::vector<std::optional<DumpedFile>> ReadDump(std::string_view text, const std::vector<std::string>& files) {
  std::vector<std::optional<DumpedFile>> found;
  const std::string of = "/" + std::to_string(files.size()) + "): ";
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (found.size() < files.size() &&
        line == "# dcmdump (" + std::to_string(found.size() + 1) + of + files[found.size()]) {
      found.emplace_back(std::nullopt);
    } else if (!found.empty() && line.size() > 15 && line[0] == '(' && line[5] == ',' && line[10] == ')' && line[11] == ' ') {
      if (!found.back()) found.back().emplace();
      Take(line, *found.back());
    }
  }
  if (found.size() != files.size()) {
    throw sdk::Error("bad_answer", "dcmdump told of " + std::to_string(found.size()) + " files, asked were " +
                                       std::to_string(files.size()));
  }
  return found;
}

}  // namespace reprise::pacs
