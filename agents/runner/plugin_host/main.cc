// reprise-plugin-host: loads one plugin, runs one verb of one action, says how it went, and exits. Started by the runner
// of the agent, once a verb; by hand only with --describe.
#include <getopt.h>
#include <linux/close_range.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agents/runner/plugin_host/channel.h"
#include "agents/runner/plugin_host/confinement.h"
#include "agents/runner/plugin_host/loaded_plugin.h"

namespace reprise::plugin_host {
namespace {

constexpr const char* kUsage =
    "usage: reprise-plugin-host --plugin FILE --describe\n"
    "       reprise-plugin-host --plugin FILE --fd N [limits]    (started by the agent)\n";

struct Options {
  std::string plugin;
  bool describe = false;
  int fd = -1;
  Limits limits;
};

// False: `text` is no number of that type, or a negative one.
template <typename Number>
bool ReadNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 0;
}

bool Parse(int argc, char** argv, Options& options) {
  enum { kPlugin, kDescribe, kFd, kMemory, kFile, kOpenFiles, kCgroup, kHelp };
  static const option kOptions[] = {
      {"plugin", required_argument, nullptr, kPlugin},       {"describe", no_argument, nullptr, kDescribe},
      {"fd", required_argument, nullptr, kFd},               {"memory-mb", required_argument, nullptr, kMemory},
      {"file-mb", required_argument, nullptr, kFile},        {"open-files", required_argument, nullptr, kOpenFiles},
      {"cgroup-fd", required_argument, nullptr, kCgroup},    {"help", no_argument, nullptr, kHelp},
      {nullptr, 0, nullptr, 0}};
  bool read = true;
  for (int found; read && (found = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    switch (found) {
      case kPlugin: options.plugin = optarg; break;
      case kDescribe: options.describe = true; break;
      case kFd: read = ReadNumber(optarg, options.fd); break;
      case kMemory: read = ReadNumber(optarg, options.limits.memory_mb); break;
      case kFile: read = ReadNumber(optarg, options.limits.file_mb); break;
      case kOpenFiles: read = ReadNumber(optarg, options.limits.open_files); break;
      case kCgroup: read = ReadNumber(optarg, options.limits.cgroups.emplace_back()); break;
      case kHelp: std::fputs(kUsage, stdout); std::exit(0);
      default: return false;
    }
  }
  return read && optind == argc && !options.plugin.empty() && options.describe != (options.fd >= 0);
}

int Describe(const Options& options) {
  if (const std::string failed = Confine(options.limits); !failed.empty()) {
    std::fprintf(stderr, "reprise-plugin-host: %s\n", failed.c_str());
    return 1;
  }
  const LoadedPlugin plugin = LoadPlugin(options.plugin);
  if (!plugin.error.empty()) {
    std::fprintf(stderr, "%s: %s\n", options.plugin.c_str(), plugin.error.c_str());
    return 1;
  }
  std::puts(plugin.action->describe());
  return std::fflush(stdout) == 0 ? 0 : 1;
}

Channel* channel;
std::atomic<bool> cancelled;

// Hears the runner. Its stack is small and it does not allocate, so that the plugin's memory is the plugin's.
void* Watch(void*) {
  while (channel->WaitForCancel()) {
    cancelled = true;
    kill(0, SIGTERM);  // To the programs that the plugin started in this group; this process ignores it.
  }
  // The agent is gone. No parent-death signal does this, for it would spare the children of this process.
  kill(0, SIGKILL);
  return nullptr;
}

bool StartWatcher() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128 << 10);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, Watch, nullptr) == 0;
  pthread_attr_destroy(&attributes);
  return started;
}

void OnTerm(int) {}

void CallProgress(const reprise_call_t*, double fraction, const char* text) { channel->Progress(fraction, text); }
void CallLog(const reprise_call_t*, int32_t level, const char* text) { channel->Log(level, text); }
void CallResult(const reprise_call_t*, const char* json, size_t size) {
  channel->Result(json == nullptr ? std::string_view() : std::string_view(json, size));
}
int32_t CallCancelled(const reprise_call_t*) { return cancelled ? 1 : 0; }

int Serve(const Options& options) {
  close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);  // Programs that the plugin starts get none of these.
  setpgid(0, 0);  // What it starts can be told to end, without telling what stands around it.
  // A handler, not SIG_IGN, so that programs start with the default.
  struct sigaction action {};
  action.sa_handler = OnTerm;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGPIPE, &action, nullptr);
  mallopt(M_ARENA_MAX, 2);  // An arena reserves 64 MiB of the address space that is limited.

  channel = new Channel(options.fd);
  std::string request = channel->ReadRequest();
  if (request.empty()) return 1;
  request.pop_back();  // The line feed.
  if (const std::string failed = Confine(options.limits); !failed.empty()) {
    channel->Refused("the plugin cannot be confined: " + failed);
    return 1;
  }
  if (!StartWatcher()) {
    channel->Refused("no thread for the watcher");
    return 1;
  }
  const LoadedPlugin plugin = LoadPlugin(options.plugin);
  if (!plugin.error.empty()) {
    channel->Refused(plugin.error);
    return 1;
  }
  if (nlohmann::json::parse(request, nullptr, false).value("describe", false)) {
    const char* descriptor = plugin.action->describe();
    channel->Descriptor(descriptor == nullptr ? "" : descriptor);
    channel->End(0);
    return 0;
  }
  const reprise_call_t call = {request.c_str(), request.size(), nullptr,      CallProgress,
                               CallLog,         CallResult,     CallCancelled};
  channel->Started();
  channel->End(plugin.action->run(&call));
  return 0;
}

}  // namespace
}  // namespace reprise::plugin_host

#ifdef REPRISE_SANITIZED
// Nothing in the sandbox may look for leaks (that takes ptrace), and whoever waits outside is to see a crash as one.
extern "C" const char* __asan_default_options() { return "detect_leaks=0:handle_segv=0:handle_abort=0"; }
extern "C" const char* __tsan_default_options() { return "handle_segv=0:handle_abort=0:ignore_noninstrumented_modules=1:atexit_sleep_ms=0"; }
#endif

int main(int argc, char** argv) {
  using namespace reprise::plugin_host;
  Options options;
  if (!Parse(argc, argv, options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  // No destructor of the plugin's runs after its answer.
  _exit(options.describe ? Describe(options) : Serve(options));
}
