#include "plugins/sanitize/cleaning.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>
#include <map>

#include "plugins/sanitize/processes.h"
#include "plugins/sdk/sha256.h"

namespace reprise::sanitize {
namespace {

using sdk::Error;

bool HasLine(const std::string& text, const std::string& line) {
  const std::vector<std::string> lines = Lines(text);
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

// All other bytes stay as they are.
std::string Edited(const std::string& text, const std::string& line, const std::string& with) {
  std::string edited;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    std::string one = text.substr(begin, end - begin);
    begin = end;
    const bool ends = one.back() == '\n';
    if (one.substr(0, one.size() - (ends ? 1 : 0)) == line) {
      if (with.empty()) continue;
      one = with + (ends ? "\n" : "");
    }
    edited += one;
  }
  return edited;
}

bool Runs(const Process& process, const Finding& finding) {
  return !process.kernel && process.program == finding.path && (finding.line.empty() || process.CommandLine() == finding.line);
}

void CheckKept(const Tree& tree, const Bundle& bundle, const Finding& finding) {
  const KeptFile* kept = bundle.File(finding.path);
  if (kept == nullptr || (kept->target.empty() && !bundle.Keeps(kept->sha256))) {
    throw Error("not_in_evidence", finding.path + " is not in the evidence", "take evidence first: sanitize.evidence");
  }
  const std::string now = tree.Sha256(finding.path);
  // Of a file that lost some of its lines to a former try, the line counts.
  if (now == kept->sha256 || finding.remedy == Remedy::kEditLine) return;
  throw Error("changed_since", finding.path + " is another than the evidence has: " + now.substr(0, 16) + " instead of " +
                                   kept->sha256.substr(0, 16),
              "check again, and take evidence again under another case");
}

}  // namespace

bool IsThere(const Tree& tree, const Finding& finding) {
  switch (finding.remedy) {
    case Remedy::kRemoveFile: return tree.Look(finding.path).has_value();
    case Remedy::kEditLine: return HasLine(tree.Read(finding.path).value_or(""), finding.line);
    case Remedy::kClearMode: return HasRights(tree, finding.path);
    case Remedy::kRestoreFile: {
      const auto [kind, sum] = ExpectedSum(finding);
      const sdk::Fd fd = tree.Open(finding.path, O_RDONLY | O_NOFOLLOW);
      return !fd || SumOf(kind, fd.get()) != sum;
    }
    case Remedy::kEndProcess: {
      const std::vector<Process> processes = ReadProcesses();
      return std::any_of(processes.begin(), processes.end(), [&](const Process& process) { return Runs(process, finding); });
    }
    case Remedy::kNone: break;
  }
  throw Error("no_remedy", finding.kind + " " + finding.path + " (" + finding.Id() + ") has no remedy that a program knows",
              "a person must look at it; leave it out of findings");
}

std::vector<Operation> WorkOut(const Tree& tree, const Bundle& bundle, const std::vector<Finding>& findings,
                               PackageFiles& packages) {
  std::map<std::string, Operation> by_path;
  for (const Finding& finding : findings) {
    if (finding.remedy == Remedy::kEndProcess || !IsThere(tree, finding)) continue;
    // What is not there at all can be restored without evidence of it.
    const auto found = tree.Look(finding.path);
    if (found) CheckKept(tree, bundle, finding);
    Operation& operation = by_path[finding.path];
    operation.path = finding.path;
    switch (finding.remedy) {
      case Remedy::kRemoveFile: operation.removes = true; break;
      case Remedy::kClearMode: operation.clears_mode = true; break;
      case Remedy::kRestoreFile: operation.from = packages.For(finding); break;
      case Remedy::kEditLine:
        if (!operation.content) operation.content = tree.Read(finding.path).value_or("");
        operation.content = Edited(*operation.content, finding.line, finding.with);
        break;
      default: break;
    }
  }
  std::vector<Operation> operations;
  for (auto& [path, operation] : by_path) {
    if (!operation.removes) {
      operation.after = operation.from      ? operation.from->sha256
                        : operation.content ? sdk::Sha256OfText(*operation.content)
                                            : tree.Sha256(path);
    }
    operations.push_back(std::move(operation));
  }
  return operations;
}

void Carry(const Tree& tree, const Operation& operation) {
  if (operation.removes) {
    RemoveAt(tree, operation.path);
    return;
  }
  if (operation.from) {
    CopyTo(tree, operation.path, operation.from->file, operation.from->look);
  } else if (operation.content) {
    const auto found = tree.Look(operation.path);
    if (!found) return;
    WriteAt(tree, operation.path, *operation.content, {found->st_mode, found->st_uid, found->st_gid});
  }
  if (operation.clears_mode && tree.Look(operation.path) && !operation.from) ClearModeAt(tree, operation.path);
}

bool EndProcesses(const sdk::Context& context, const Finding& finding) {
  bool ended = false;
  for (const Process& process : ReadProcesses()) {
    if (!Runs(process, finding)) continue;
    context.ThrowIfCancelled();
    // Held before it is looked at again: its number cannot become another's.
    const sdk::Fd held(static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0)));
    if (!held && errno == ESRCH) continue;
    if (!held) sdk::ThrowErrno(errno, "hold process " + std::to_string(process.pid));
    const std::string sha256 = ProgramSha256(process.pid);
    if (sha256.empty()) continue;  // It ended by itself.
    if (sha256 != finding.sha256) {
      throw Error("changed_since", "process " + std::to_string(process.pid) + " runs another program than the evidence has",
                  "check again, and take evidence again under another case");
    }
    if (syscall(SYS_pidfd_send_signal, held.get(), SIGKILL, nullptr, 0) != 0 && errno != ESRCH) {
      sdk::ThrowErrno(errno, "end process " + std::to_string(process.pid));
    }
    pollfd gone = {held.get(), POLLIN, 0};
    if (poll(&gone, 1, 5000) <= 0) throw Error("not_ended", "process " + std::to_string(process.pid) + " does not end");
    ended = true;
  }
  return ended;
}

}  // namespace reprise::sanitize
