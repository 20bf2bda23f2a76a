#include "agents/runner/supervisor.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/runner/sandbox.h"
#include "core/base/status_macros.h"
#include "core/base/text.h"

namespace reprise::runner {
namespace {

using agents::VerbEnd;

constexpr std::chrono::seconds kDescribeTime(20);
constexpr size_t kProgressTextMax = 512;
// Less and not even the plugin host itself can start.
constexpr int kMemoryMbMin = 64;

Steady::time_point ToSteady(UnixMs deadline) {
  if (deadline <= 0) return Steady::time_point::max();
  const auto left = std::chrono::milliseconds(deadline - SystemClock().Now());
  return Steady::now() + std::min<std::chrono::milliseconds>(left, std::chrono::hours(24 * 365));
}

void LogForPlugin(const std::string& who, int level, const std::string& text) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                   spdlog::level::err};
  spdlog::log(kLevels[std::clamp(level, 0, 3)], "plugin {}: {}", who, Plain(text, 4096));
}

}  // namespace

Supervisor::Supervisor(ProcessRunnerOptions options, WorkFolder work, Cage cage)
    : options_(std::move(options)),
      cage_(std::move(cage)),
      work_(std::move(work)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      plugins_(options_.cache),
      thread_([this] { Run(); }) {}

Supervisor::~Supervisor() {
  Post([this] { stopping_ = true; });
  thread_.join();
}

void Supervisor::Post(std::function<void()> command) {
  {
    const std::lock_guard lock(mutex_);
    commands_.push_back(std::move(command));
  }
  eventfd_write(wake_.get(), 1);
}

void Supervisor::Start(const agents::VerbRequest& request, OnProgress on_progress, OnEnd on_end) {
  Verb verb{.request = request,
            .on_progress = std::move(on_progress),
            .on_end = std::move(on_end),
            .requested = Steady::now(),
            .deadline = ToSteady(request.deadline)};
  auto shared = std::make_shared<Verb>(std::move(verb));
  Post([this, shared] { StartVerb(std::move(*shared)); });
}

void Supervisor::Kill(uint64_t id) {
  Post([this, id] {
    const auto verb = verbs_.find(id);
    if (verb == verbs_.end() || verb->second.asked != Asked::kNo) return;
    verb->second.asked = Asked::kKill;
    if (verb->second.process) verb->second.process->AskToEnd(Steady::now());
  });
}

void Supervisor::Describe(const std::string& plugin_sha256, OnDescribed on_described) {
  Post([this, plugin_sha256, on_described = std::move(on_described)] {
    if (const auto known = described_.find(plugin_sha256); known != described_.end()) {
      return on_described(known->second.text);
    }
    describing_[plugin_sha256].waiting.push_back(on_described);
    StartDescribing(plugin_sha256);
  });
}

void Supervisor::Run() {
  while (!stopping_) {
    Wait();
    std::vector<std::function<void()>> commands;
    {
      const std::lock_guard lock(mutex_);
      commands.swap(commands_);
    }
    for (const auto& command : commands) command();
    Turn();
  }
  for (auto& [sha256, describing] : describing_) {
    describing.process.reset();
    for (const OnDescribed& waiting : describing.waiting) waiting(absl::CancelledError("the runner stops"));
  }
  for (auto& [id, verb] : verbs_) {
    verb.process.reset();
    if (verb.on_end) End(verb, VerbEnd::kCancelled, "cancelled", "the agent stops");
  }
}

void Supervisor::Wait() {
  std::vector<pollfd> fds = {{wake_.get(), POLLIN, 0}};
  Steady::time_point next = Steady::time_point::max();
  for (const auto& [id, verb] : verbs_) {
    if (verb.process) {
      verb.process->Watch(fds);
      next = std::min(next, verb.process->NextWake());
    }
    if (verb.asked == Asked::kNo) next = std::min(next, verb.deadline);
  }
  for (const auto& [sha256, describing] : describing_) {
    if (describing.process) describing.process->Watch(fds);
    next = std::min(next, describing.deadline);
  }
  int wait_ms = -1;
  if (next != Steady::time_point::max()) {
    // Rounded up, so that it is not woken just before.
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Steady::now()).count();
    wait_ms = static_cast<int>(std::clamp<int64_t>(left, 0, 60'000));
  }
  poll(fds.data(), fds.size(), wait_ms);
  eventfd_t ignored;
  eventfd_read(wake_.get(), &ignored);
}

void Supervisor::Turn() {
  const Steady::time_point now = Steady::now();
  std::vector<std::string> finished;
  for (auto& [sha256, describing] : describing_) {
    if (!describing.process) continue;
    if (now >= describing.deadline) describing.process->Kill();
    describing.process->Turn(now);
    if (describing.process->Gone()) finished.push_back(sha256);
  }
  for (const std::string& sha256 : finished) FinishDescribing(sha256);

  for (auto& [id, verb] : verbs_) {
    if (!verb.on_end) continue;
    if (verb.asked == Asked::kNo && now >= verb.deadline) {
      verb.asked = Asked::kDeadline;
      if (verb.process) verb.process->AskToEnd(now);
    }
    if (verb.process) verb.process->Turn(now);
    // One that waits for its plugin's description has nothing to end.
    if (verb.process ? verb.process->Gone() : verb.asked != Asked::kNo) Finish(verb);
  }
  std::erase_if(verbs_, [](const auto& item) { return !item.second.on_end; });
}

void Supervisor::StartVerb(Verb given) {
  const auto [found, is_new] = verbs_.try_emplace(given.request.id);
  if (!is_new) {
    End(given, VerbEnd::kRefused, "busy", absl::StrCat("verb ", given.request.id, " is running already"));
    return;
  }
  Verb& verb = found->second = std::move(given);
  const std::string& sha256 = verb.request.plugin_sha256;
  if (const auto known = described_.find(sha256); known != described_.end()) {
    LaunchVerb(verb, known->second);
  } else {
    StartDescribing(sha256);
  }
}

// The descriptor says what a verb may use, so that it is asked before the first one, in the narrowest sandbox.
void Supervisor::StartDescribing(const std::string& sha256) {
  Describing& describing = describing_[sha256];
  if (describing.process) return;
  describing.deadline = Steady::now() + kDescribeTime;
  absl::StatusOr<std::filesystem::path> work_dir = work_.Make(next_folder_++);
  if (!work_dir.ok()) return Described(sha256, work_dir.status());
  describing.work_dir = *work_dir;
  auto process = Launch(sha256, /*writes=*/false, ActionTraits{.memory_mb = options_.memory_mb_max}, *work_dir, {},
                        R"({"describe":true})", {});
  if (!process.ok()) return Described(sha256, process.status());
  describing.process = *std::move(process);
}

void Supervisor::FinishDescribing(const std::string& sha256) {
  const Transcript& heard = describing_[sha256].process->transcript();
  if (heard.descriptor.empty()) {
    const agents::VerbResult result = ReadTranscript(0, heard);
    const std::string what = absl::StrCat("the plugin does not describe itself: ", result.message);
    // Killed in the middle, it may do better the next time.
    return Described(sha256, result.end == VerbEnd::kCrashed ? absl::AbortedError(what)
                                                             : absl::FailedPreconditionError(what));
  }
  auto actions = ReadTraits(heard.descriptor);
  if (!actions.ok()) return Described(sha256, actions.status());
  Described(sha256, Description{heard.descriptor, *std::move(actions)});
}

void Supervisor::Described(const std::string& sha256, const absl::StatusOr<Description>& description) {
  Describing done = std::move(describing_[sha256]);
  describing_.erase(sha256);
  done.process.reset();
  if (!done.work_dir.empty()) WorkFolder::Remove(done.work_dir);
  if (description.ok()) described_[sha256] = *description;
  for (const OnDescribed& waiting : done.waiting) {
    if (description.ok()) {
      waiting(description->text);
    } else {
      waiting(description.status());
    }
  }
  for (auto& [id, verb] : verbs_) {
    if (!verb.on_end || verb.process || verb.request.plugin_sha256 != sha256) continue;
    if (description.ok()) {
      LaunchVerb(verb, *description);
    } else {
      const bool crashed = absl::IsAborted(description.status());
      End(verb, crashed ? VerbEnd::kCrashed : VerbEnd::kRefused, crashed ? "crashed" : "refused",
          std::string(description.status().message()));
    }
  }
}

void Supervisor::LaunchVerb(Verb& verb, const Description& description) {
  if (verb.asked != Asked::kNo) return;
  const agents::VerbRequest& request = verb.request;
  const auto traits = description.actions.find(request.action);
  if (traits == description.actions.end()) {
    return End(verb, VerbEnd::kError, "unknown_action", absl::StrCat("the plugin has no action ", request.action));
  }
  if (request.effect_max != model::v1::EFFECT_UNSPECIFIED && traits->second.effect > request.effect_max) {
    return End(verb, VerbEnd::kRefused, "effect",
               absl::StrCat("by the plugin's own word ", request.action, " goes beyond the effect that the plan gives it"));
  }
  const bool dry_run = request.effect_max == model::v1::EFFECT_UNSPECIFIED;
  if (traits->second.restores && !request.restores && !dry_run) {
    return End(verb, VerbEnd::kRefused, "verdict",
               absl::StrCat("by the plugin's own word ", request.action,
                            " restores data, and the plan names no copy that was proven good"));
  }
  const auto artifacts = Artifacts(request);
  if (!artifacts.ok()) {
    return End(verb, VerbEnd::kError, "artifact_missing", std::string(artifacts.status().message()));
  }
  const absl::StatusOr<std::filesystem::path> work_dir = work_.Make(next_folder_++);
  if (!work_dir.ok()) return End(verb, VerbEnd::kError, "disk_full", std::string(work_dir.status().message()));
  verb.work_dir = *work_dir;
  auto line = RequestLine(request, {options_.host, work_dir->string(), *artifacts});
  if (!line.ok()) return End(verb, VerbEnd::kError, "bad_params", std::string(line.status().message()));
  PluginProcess::Listener listener;
  listener.progress = [this, id = request.id](double fraction, const std::string& text) {
    const auto found = verbs_.find(id);
    if (found != verbs_.end() && found->second.on_progress) {
      found->second.on_progress({id, fraction, Plain(text, kProgressTextMax)});
    }
  };
  listener.log = [this, who = absl::StrCat(request.action, " ", std::string(NameOf(request.verb)))](
                     int level, const std::string& text) {
    LogForPlugin(who, level, text);
    if (options_.on_log) options_.on_log(level, text);
  };
  const bool writes = options_.every_verb_writes || (Writes(request.verb) && !traits->second.reads_only);
  auto process = Launch(request.plugin_sha256, writes, traits->second, *work_dir, *artifacts, *std::move(line),
                        std::move(listener));
  if (!process.ok()) return End(verb, VerbEnd::kRefused, "refused", std::string(process.status().message()));
  verb.process = *std::move(process);
}

absl::StatusOr<std::unique_ptr<PluginProcess>> Supervisor::Launch(
    const std::string& sha256, bool writes, const ActionTraits& traits, const std::filesystem::path& work_dir,
    const std::map<std::string, std::string>& artifacts, std::string request, PluginProcess::Listener listener) {
  ASSIGN_OR_RETURN(const int plugin, plugins_.Open(sha256));
  runner::Launch launch;
  launch.program = options_.plugin_host.string();
  launch.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                        "LANG=C.UTF-8", absl::StrCat("TMPDIR=", work_dir.string())};
  launch.plugin = plugin;
  launch.alive = work_.alive();
  launch.memory_mb = std::clamp(traits.memory_mb, kMemoryMbMin, std::max(kMemoryMbMin, options_.memory_mb_max));
  launch.file_mb = options_.file_mb_max;
  // Twice, for a verb is a plugin and the program that it runs.
  launch.cgroups = VerbCgroups::Make(next_folder_, options_.processes_max,
                                     2 * int64_t{launch.memory_mb});
  launch.request = std::move(request);
  if (!cage_.bubblewrap.empty()) {
    Sandbox sandbox;
    sandbox.writes = writes;
    sandbox.network = traits.network || !cage_.network_namespaces;
    sandbox.processes = traits.processes;
    sandbox.work_dir = work_dir;
    sandbox.hidden = options_.hidden;
    sandbox.visible = {options_.plugin_host};
    for (const auto& [name, path] : artifacts) sandbox.visible.push_back(path);
    sandbox.info_fd = kInfoFd;
    launch.before = SandboxArguments(sandbox);
    launch.before.insert(launch.before.begin(), cage_.bubblewrap);
  }
  return PluginProcess::Start(std::move(launch), std::move(listener));
}

absl::StatusOr<std::map<std::string, std::string>> Supervisor::Artifacts(const agents::VerbRequest& request) const {
  std::map<std::string, std::string> paths;
  for (const auto& [name, sha256] : request.artifacts) {
    const std::filesystem::path path = options_.cache / ToHex(sha256);
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
      return absl::NotFoundError(absl::StrCat("artifact ", name, " (", ToHex(sha256), ") is not in the cache"));
    }
    paths[name] = path.string();
  }
  return paths;
}

void Supervisor::End(Verb& verb, VerbEnd end, std::string code, std::string message) {
  agents::VerbResult result;
  result.id = verb.request.id;
  result.end = end;
  result.code = std::move(code);
  result.message = std::move(message);
  if (!verb.work_dir.empty()) WorkFolder::Remove(verb.work_dir);
  std::exchange(verb.on_end, nullptr)(std::move(result));
}

void Supervisor::Finish(Verb& verb) {
  const auto after = [&] {
    const auto lasted = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - verb.requested);
    return FormatDurationMs(lasted.count());
  };
  if (verb.asked == Asked::kKill) {
    return End(verb, VerbEnd::kCancelled, "cancelled", absl::StrCat("ended on request after ", after()));
  }
  if (verb.asked == Asked::kDeadline) {
    return End(verb, VerbEnd::kTimedOut, "timed_out", absl::StrCat("killed at its deadline, after ", after()));
  }
  const Transcript& heard = verb.process->transcript();
  agents::VerbResult result = ReadTranscript(verb.request.id, heard);
  if (heard.started) {
    result.start_delay_us =
        std::chrono::duration_cast<std::chrono::microseconds>(*heard.started - verb.requested).count();
  }
  WorkFolder::Remove(verb.work_dir);
  std::exchange(verb.on_end, nullptr)(std::move(result));
}

}  // namespace reprise::runner
