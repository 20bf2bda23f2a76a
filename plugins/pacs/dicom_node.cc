#include "plugins/pacs/dicom_node.h"

#include "plugins/sdk/process.h"

namespace reprise::pacs {
namespace {

using sdk::Error;

constexpr size_t kAnswerMax = 64 << 20;

std::string LastLine(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const size_t begin = text.rfind('\n');
  return text.substr(begin == std::string::npos ? 0 : begin + 1).substr(0, 200);
}

std::string Trimmed(std::string_view value) {
  while (!value.empty() && (value.back() == ' ' || value.back() == '\0')) value.remove_suffix(1);
  return std::string(value);
}

}  // namespace

std::vector<Found> ReadFindings(std::string_view text) {
  std::vector<Found> all;
  bool success = false;
  bool within = false;  // Behind the head of a response: the request is told before, with the same tags.
  std::string last;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find("Find Response: ") != std::string_view::npos && line.find("(Pending)") != std::string_view::npos) {
      all.emplace_back();
      within = true;
    } else if (line == "I: Received Final Find Response (Success)") {
      success = true;
      within = false;
    } else if (within && line.size() > 18 && line.substr(0, 4) == "I: (" && line[8] == ',' && line[13] == ')') {
      const std::string_view rest = line.substr(18);
      if (rest.empty() || rest.front() != '[') continue;
      const size_t close = rest.rfind(']');
      if (close != std::string_view::npos) all.back()[std::string(line.substr(4, 9))] = Trimmed(rest.substr(1, close - 1));
    } else if (line.substr(0, 3) == "E: " || line.substr(0, 3) == "F: ") {
      last = std::string(line.substr(3, 200));
    }
  }
  if (!success) throw Error("refused", "the server did not serve a C-FIND: " + (last.empty() ? "no final response" : last));
  return all;
}

std::vector<std::string> DicomNode::Command(const char* program, std::vector<std::string> options) const {
  std::vector<std::string> command = {program, "-v", "-to", "5", "-aet", title_, "-aec", settings_.title};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back("127.0.0.1");
  command.push_back(std::to_string(settings_.dicom_port));
  return command;
}

std::string DicomNode::WhyNoEcho() const {
  const sdk::RunResult result = sdk::Run(context_, Command("echoscu", {}));
  if (result.ok() && result.out.find("Received Echo Response (Success)") != std::string::npos) return "";
  if (result.ok() && result.err.find("Received Echo Response (Success)") != std::string::npos) return "";
  return "C-ECHO: " + LastLine(result.err.empty() ? result.out : result.err);
}

std::vector<Found> DicomNode::Find(const std::vector<std::string>& keys) const {
  std::vector<std::string> options = {"-S"};
  for (const std::string& key : keys) {
    options.push_back("-k");
    options.push_back(key);
  }
  sdk::RunOptions run;
  run.output_max = kAnswerMax;
  const sdk::RunResult result = sdk::Run(context_, Command("findscu", options), run);
  if (result.truncated) throw Error("too_large", "the answer to a C-FIND has more than " + std::to_string(kAnswerMax) + " bytes");
  return ReadFindings(result.err.empty() ? result.out : result.err);
}

std::vector<Found> DicomNode::Studies() const {
  return Find({"QueryRetrieveLevel=STUDY", "StudyInstanceUID", "PatientID"});
}

std::vector<Found> DicomNode::Images(const std::vector<std::string>& studies) const {
  std::string list;
  for (const std::string& study : studies) list += (list.empty() ? "" : "\\") + study;
  return Find({"QueryRetrieveLevel=IMAGE", "StudyInstanceUID=" + list, "SeriesInstanceUID", "SOPInstanceUID"});
}

std::string DicomNode::WhyNotFetched(const std::string& study, const std::string& series, const std::string& instance,
                                     const std::filesystem::path& folder) const {
  const sdk::RunResult result =
      sdk::Run(context_, Command("getscu", {"-S", "+B", "-od", folder.string(), "-k", "QueryRetrieveLevel=IMAGE", "-k",
                                            "StudyInstanceUID=" + study, "-k", "SeriesInstanceUID=" + series, "-k",
                                            "SOPInstanceUID=" + instance}));
  const std::string& text = result.err.empty() ? result.out : result.err;
  if (result.ok() && text.find("Number of Completed Suboperations : 1") != std::string::npos) return "";
  return "C-GET: " + LastLine(text);
}

bool DicomNode::Stores(const std::filesystem::path& file) const {
  std::vector<std::string> command = Command("storescu", {"-nh"});
  command.push_back(file.string());
  const sdk::RunResult result = sdk::Run(context_, command);
  const std::string said = result.out + result.err;
  return said.find("Received Store Response (Success)") != std::string::npos;
}

bool DicomNode::IsTurnedAway() const {
  try {
    Find({"QueryRetrieveLevel=STUDY", "StudyInstanceUID=1.2.3.4"});
    return false;
  } catch (const Error& error) {
    if (error.code() != "refused") throw;
    return true;
  }
}

}  // namespace reprise::pacs
