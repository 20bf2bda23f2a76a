// One run of reprise-plugin-host, from its start until the last process of it is gone, and what was heard from it.
// Never blocks: its owner polls what Watch() names and calls Turn(). All on the thread that started it.
#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/runner/cgroups.h"
#include "agents/runner/fd.h"

namespace reprise::runner {

using Steady = std::chrono::steady_clock;

struct Launch {
  std::string program;                   // reprise-plugin-host
  std::vector<std::string> before;       // bubblewrap and its arguments, or nothing. Its --info-fd is kInfoFd.
  std::vector<std::string> environment;
  int plugin = -1;                       // The library, an open file.
  int alive = -1;                        // Inherited, see WorkFolder.
  int memory_mb = 512;
  int64_t file_mb = 16384;
  VerbCgroups cgroups;
  std::string request;                   // One line of JSON, without its end.
};

// Where bubblewrap finds its --info-fd.
inline constexpr int kInfoFd = 6;

// What was heard.
struct Transcript {
  std::optional<Steady::time_point> started;
  std::string result;       // As the plugin gave it: one JSON object.
  std::string descriptor;
  std::string bad_result;   // Why the result was not taken.
  std::string refused;      // Why the library was not loaded.
  bool ended = false;       // run() returned…
  int returned = 0;         // …this errno value.
  bool flooded = false;     // It said more than anyone listens to, and was killed.
  std::string output;       // The tail of its standard output and error.
  int exit_status = 0;      // As of waitpid.
};

class PluginProcess {
 public:
  struct Listener {
    std::function<void(double fraction, const std::string& text)> progress;
    std::function<void(int level, const std::string& text)> log;
  };

  static absl::StatusOr<std::unique_ptr<PluginProcess>> Start(Launch launch, Listener listener);
  ~PluginProcess();  // Kills what is left, and waits for it.

  void Watch(std::vector<pollfd>& into) const;
  void Turn(Steady::time_point now);
  // When Turn must be called even if nothing happens.
  Steady::time_point NextWake() const;

  // Asks it to end, and kills it 2 seconds later.
  void AskToEnd(Steady::time_point now);
  void Kill();

  // Every process of it has ended and all that it said was heard.
  bool Gone() const { return gone_; }
  const Transcript& transcript() const { return transcript_; }

 private:
  PluginProcess(Listener listener, bool sandboxed) : listener_(std::move(listener)), sandboxed_(sandboxed) {}

  void SendRequest();
  void ReadChannel();
  void ReadOutput();
  void ReadInfo();
  void Hear(std::string_view line);
  void Reap();

  Listener listener_;
  const bool sandboxed_;
  pid_t pid_ = -1;
  Fd exited_;        // pidfd of the child; readable when it has ended.
  Fd inner_;         // pidfd of the namespace's first process; it ends after all others of the namespace.
  Fd channel_, output_, info_;
  VerbCgroups cgroups_;
  std::string to_send_;
  std::string line_, info_text_;
  size_t heard_bytes_ = 0;
  Steady::time_point kill_at_ = Steady::time_point::max();
  bool reaped_ = false;
  bool gone_ = false;
  Transcript transcript_;
};

}  // namespace reprise::runner
