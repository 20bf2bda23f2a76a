#include "plugins/sanitize/live.h"

#include <unistd.h>

#include <algorithm>
#include <map>

#include "plugins/sanitize/processes.h"
#include "plugins/sanitize/suspicious.h"

namespace reprise::sanitize {
namespace {

// Of this verb: itself, and the sandbox that stands around it.
std::set<pid_t> Ours(const std::vector<Process>& processes) {
  std::map<pid_t, const Process*> by_pid;
  for (const Process& process : processes) by_pid[process.pid] = &process;
  std::set<pid_t> ours = {getpid()};
  for (auto at = by_pid.find(getpid()); at != by_pid.end(); at = by_pid.find(at->second->parent)) {
    const auto parent = by_pid.find(at->second->parent);
    if (parent == by_pid.end() || parent->second->name != "bwrap") break;
    ours.insert(parent->first);
  }
  return ours;
}

std::string Ports(const std::vector<const Listener*>& listeners) {
  std::string text;
  for (const Listener* listener : listeners) {
    text += (text.empty() ? "" : ", ") + listener->protocol;
    if (listener->protocol != "packet") text += " " + listener->address + " port " + std::to_string(listener->port);
  }
  return text;
}

class LiveHunt {
 public:
  explicit LiveHunt(Examination& on) : on_(on), processes_(ReadProcesses()), ours_(Ours(processes_)) {}

  void Run() {
    on_.report.Count("processes", processes_.size());
    ReadAllListeners();
    for (const Process& process : processes_) {
      if (process.kernel || ours_.contains(process.pid)) continue;
      if (!process.why_not.empty()) {
        on_.report.Unseen("process " + std::to_string(process.pid) + " (" + process.name + ")", process.why_not);
      }
      One(process);
    }
    Ownerless();
  }

 private:
  void ReadAllListeners() {
    std::set<std::string> seen;
    for (const Process& process : processes_) {
      if (process.network.empty() || ours_.contains(process.pid) || !seen.insert(process.network).second) continue;
      on_.Try("sockets of process " + std::to_string(process.pid), [&] {
        for (Listener& listener : ReadListeners(process.pid)) {
          // The inode is one of the kernel's, over all namespaces.
          if (listener.inode != 0) listeners_.try_emplace(listener.inode, std::move(listener));
        }
      });
    }
    on_.report.Count("listeners", listeners_.size());
  }

  void One(const Process& process) {
    std::vector<const Listener*> listens;
    for (const uint64_t inode : process.sockets) {
      const auto found = listeners_.find(inode);
      if (found == listeners_.end()) continue;
      owned_.insert(inode);
      listens.push_back(&found->second);
    }
    Finding finding = {.kind = listens.empty() ? "process" : "listener",
                       .path = process.program,
                       .remedy = Remedy::kEndProcess};
    const std::string script = process.Script();
    if (process.program.compare(0, 6, "memfd:") == 0) {
      finding.expected = "a program with a file", finding.found = "runs from memory", finding.sure = Sure::kCertain;
    } else if (IsOddPlaceForPrograms(process.program)) {
      finding.expected = "no program that runs from a folder that anybody may write";
      finding.found = process.deleted ? "runs, its file is gone" : "runs";
      finding.sure = process.deleted || IsBelow(process.program, "/dev/shm") || !listens.empty() ? Sure::kCertain : Sure::kLikely;
    } else if (IsOddPlaceForPrograms(script)) {
      finding.expected = "no script that runs from a folder that anybody may write";
      finding.found = "runs " + script, finding.line = process.CommandLine();
      finding.sure = IsBelow(script, "/dev/shm") ? Sure::kCertain : Sure::kLikely;
    } else if (process.deleted) {
      Deleted(process);
      return Judge(process, listens);
    } else {
      return Judge(process, listens);
    }
    if (!listens.empty()) finding.found += ", listens on " + Ports(listens);
    finding.found += "; process " + std::to_string(process.pid) + ": " + process.CommandLine().substr(0, 200);
    finding.sha256 = ProgramSha256(process.pid);
    on_.report.Add(std::move(finding));
  }

  // An upgraded package leaves such processes behind, until they are restarted.
  void Deleted(const Process& process) {
    if (on_.records.Find(process.program) != nullptr) {
      return on_.report.Note("runs a version of its program that was replaced: restart it",
                             process.program + ", process " + std::to_string(process.pid));
    }
    on_.report.Add({.kind = "process",
                    .path = process.program,
                    .expected = "a program with a file",
                    .found = "runs, its file is gone; process " + std::to_string(process.pid),
                    .remedy = Remedy::kEndProcess,
                    .sha256 = ProgramSha256(process.pid)});
  }

  void Judge(const Process& process, const std::vector<const Listener*>& listens) {
    for (const Listener* listener : listens) {
      if (listener->protocol == "packet") {
        if (on_.records.Find(process.program) != nullptr) continue;  // dhclient, tcpdump.
      } else if (!on_.profile.judges_listeners) {
        on_.report.Note("listeners (no profile says which are allowed)", process.program + ": " + Ports({listener}));
        continue;
      } else if (on_.profile.Allows({listener->protocol, listener->port, process.program})) {
        continue;
      }
      // The port is part of what it is: another port of the same program is another finding.
      on_.report.Add({.kind = listener->protocol == "packet" ? "packet_socket" : "listener",
                      .path = process.program,
                      .expected = "a listener that the profile allows",
                      .found = Ports({listener}) + "; process " + std::to_string(process.pid) + ": " +
                               process.CommandLine().substr(0, 200),
                      .remedy = Remedy::kEndProcess,
                      .line = process.CommandLine(),
                      .sha256 = ProgramSha256(process.pid)});
    }
  }

  // A socket that listens and that no process has: the kernel's own (NFS), or of a process that is hidden.
  void Ownerless() {
    for (const auto& [inode, listener] : listeners_) {
      if (owned_.contains(inode) || listener.protocol == "packet") continue;
      if (on_.profile.Allows({listener.protocol, listener.port, ""})) continue;
      if (Ended(inode)) continue;
      on_.report.Add({.kind = "listener",
                      .path = listener.protocol + " port " + std::to_string(listener.port),
                      .expected = "a process that owns it",
                      .found = Ports({&listener}) + ": no process has this socket"});
    }
  }

  // It may have come or gone between the two looks.
  bool Ended(uint64_t inode) {
    if (!again_) again_ = ReadProcesses();
    const bool owned = std::any_of(again_->begin(), again_->end(),
                                   [&](const Process& process) { return process.sockets.contains(inode); });
    if (owned) return true;
    for (const Process& process : *again_) {
      if (process.network.empty()) continue;
      try {
        for (const Listener& listener : ReadListeners(process.pid)) {
          if (listener.inode == inode) return false;
        }
      } catch (const std::exception&) {
        continue;
      }
    }
    return true;
  }

  Examination& on_;
  const std::vector<Process> processes_;
  const std::set<pid_t> ours_;
  std::map<uint64_t, Listener> listeners_;
  std::set<uint64_t> owned_;
  std::optional<std::vector<Process>> again_;
};

}  // namespace

void HuntLive(Examination& on) {
  if (!on.tree.live()) return on.report.Note("a mounted disk runs nothing", "processes and sockets");
  if (const std::string why_not = WhyNoProcesses(); !why_not.empty()) return on.report.Unseen("processes", why_not);
  LiveHunt(on).Run();
}

}  // namespace reprise::sanitize
