// fuzz_quick: every target on mutations of valid inputs, from a seed; without libFuzzer, for the tests of every day.
// 1 and the input in a file when one does not hold. `--help` says how.
#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/mutation.h"
#include "tests/fuzz/seeds.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/world.h"

// Each *_fuzz.cc has the entry that libFuzzer calls, renamed here.
#define REPRISE_FUZZ_TARGETS(ROW)                                  \
  ROW(dossier, DossierSeeds, kText, 1000)                          \
  ROW(selector, SelectorSeeds, kText, 20000)                       \
  ROW(statement, StatementSeeds, kText, 8000)                      \
  ROW(keyring, KeyringSeeds, kMessage, 2000)                       \
  ROW(minisign, MinisignSeeds, kText, 8000)                        \
  ROW(agent_batch, AgentBatchSeeds, kMessage, 400)                 \
  ROW(coordinator_batch, CoordinatorBatchSeeds, kMessage, 1000)    \
  ROW(plan, PlanSeeds, kMessage, 300)                              \
  ROW(events, EventsSeeds, kMessages, 600)                         \
  ROW(state, StateSeeds, kMessage, 600)                            \
  ROW(plugin_result, PluginResultSeeds, kText, 8000)               \
  ROW(planted, StatementSeeds, kText, 1000)

#define REPRISE_FUZZ_DECLARE(name, seeds, form, runs) extern "C" int Fuzz_##name(const uint8_t* data, size_t size);
REPRISE_FUZZ_TARGETS(REPRISE_FUZZ_DECLARE)

// The sanitizers' own, where they are linked.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace reprise::fuzz {
namespace {

struct Target {
  const char* name;
  int (*run)(const uint8_t* data, size_t size);
  std::vector<std::string> (*seeds)();
  Form form;
  uint64_t runs;  // Without --runs.
};

constexpr Target kTargets[] = {
#define REPRISE_FUZZ_ROW(name, seeds, form, runs) {#name, Fuzz_##name, seeds, Form::form, runs},
    REPRISE_FUZZ_TARGETS(REPRISE_FUZZ_ROW)};

// Only when it is named: it has a fault on purpose.
constexpr std::string_view kPlanted = "planted";

constexpr int kSecondsMax = 20;  // Of the processor, for one input; a thousand times what is usual.

// What is being tried, for whoever has to say so when the process dies.
struct Trial {
  const std::string* input = nullptr;
  std::array<char, 4096> file = {};
  std::array<char, 512> title = {};
} trial;

// In a signal's handler: only calls that may be made there.
void Keep() {
  if (trial.input == nullptr) return;
  const int file = open(trial.file.data(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const bool kept = file >= 0 && write(file, trial.input->data(), trial.input->size()) ==
                                     static_cast<ssize_t>(trial.input->size());
  for (const char* part : {static_cast<const char*>("FAILED "), static_cast<const char*>(trial.title.data()),
                           kept ? "; input kept in " : "; input not kept in ",
                           static_cast<const char*>(trial.file.data()), "\n"}) {
    if (write(STDERR_FILENO, part, std::char_traits<char>::length(part)) < 0) return;
  }
}

void Died(int signal) {
  const char* why = signal == SIGPROF ? "one input takes too long\n" : signal == SIGSEGV ? "segmentation fault\n" : "";
  if (write(STDERR_FILENO, why, std::char_traits<char>::length(why)) < 0) _exit(1);
  Keep();
  _exit(1);
}

void Watch() {
  static std::array<char, 64 << 10> stack;  // What ran out may be the usual one.
  const stack_t other = {.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
  sigaltstack(&other, nullptr);
  struct sigaction action = {};
  action.sa_handler = Died;
  action.sa_flags = SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF}) sigaction(signal, &action, nullptr);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(Keep);
}

void Run(const Target& target, const std::string& input) {
  trial.input = &input;
  const itimerval limit = {.it_interval = {}, .it_value = {.tv_sec = kSecondsMax, .tv_usec = 0}};
  setitimer(ITIMER_PROF, &limit, nullptr);
  // A copy without a byte behind it, so that a sanitizer sees who reads too far.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  target.run(bytes.data(), bytes.size());
  trial.input = nullptr;
}

struct Options {
  uint64_t seed = 1;
  uint64_t first = 0;
  uint64_t runs = 0;
  size_t bytes_max = 16 << 10;
  std::string out = ".";
};

void RunMutations(const Target& target, const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  const std::vector<std::string> seeds = target.seeds();
  const uint64_t runs = options.runs > 0 ? options.runs : target.runs;
  std::snprintf(trial.file.data(), trial.file.size(), "%s/fuzz-%s-%llu.input", options.out.c_str(), target.name,
                static_cast<unsigned long long>(options.seed));
  for (size_t i = 0; i < seeds.size(); ++i) {
    std::snprintf(trial.title.data(), trial.title.size(), "%s, valid input %zu", target.name, i);
    Run(target, seeds[i]);
  }
  for (uint64_t run = options.first; run < options.first + runs; ++run) {
    std::snprintf(trial.title.data(), trial.title.size(), "%s --seed %llu --first %llu --runs 1", target.name,
                  static_cast<unsigned long long>(options.seed), static_cast<unsigned long long>(run));
    std::seed_seq mixed = {options.seed, options.seed >> 32, run, run >> 32};
    Chance chance(mixed);
    Run(target, Mutated(seeds, target.form, options.bytes_max, chance));
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("%-18s %7llu runs from %zu valid inputs, %.1f s\n", target.name, static_cast<unsigned long long>(runs),
              seeds.size(), seconds);
  std::fflush(stdout);
}

int Replay(const Target& target, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "fuzz_quick: cannot read %s\n", path.c_str());
    return 2;
  }
  const std::string input{std::istreambuf_iterator<char>(file), {}};
  std::snprintf(trial.file.data(), trial.file.size(), "%s", path.c_str());
  std::snprintf(trial.title.data(), trial.title.size(), "%s", target.name);
  Run(target, input);
  std::printf("%s: %zu bytes, nothing found\n", target.name, input.size());
  return 0;
}

int WriteSeeds(const Target& target, const std::string& folder) {
  const std::filesystem::path own = std::filesystem::path(folder) / target.name;
  std::filesystem::create_directories(own);
  size_t number = 0;
  for (const std::string& seed : target.seeds()) {
    const auto path = own / ("valid-" + std::to_string(number++));
    if (!(std::ofstream(path, std::ios::binary) << seed).flush()) {
      std::fprintf(stderr, "fuzz_quick: cannot write %s\n", path.c_str());
      return 2;
    }
  }
  return 0;
}

int Main(int argc, char** argv) {
  CLI::App app("Puts mutated inputs to what reads bytes of others, from a seed.");
  Options options;
  std::vector<std::string> names, all;
  std::string input, write_seeds;
  for (const Target& target : kTargets) all.emplace_back(target.name);
  app.add_option("target", names, "which; without: all")->check(CLI::IsMember(all));
  app.add_option("--seed", options.seed, "where chance begins");
  app.add_option("--first", options.first, "the number of the first run; each run has its own chance");
  app.add_option("--runs", options.runs, "how many; without: as many as ./test does");
  app.add_option("--bytes-max", options.bytes_max, "the longest input");
  app.add_option("--out", options.out, "the folder for an input that does not hold");
  app.add_option("--input", input, "tries this file, and no mutations");
  app.add_option("--write-seeds", write_seeds, "writes the valid inputs into this folder, and tries nothing");
  CLI11_PARSE(app, argc, argv);
  if (!input.empty() && names.size() != 1) {
    std::fprintf(stderr, "fuzz_quick: --input needs one target; it is for one of: %s\n", CLI::detail::join(all).c_str());
    return 2;
  }
  std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  std::fflush(stdout);
  TheWorld();  // Its keys are the same only if they are the first.
  Watch();
  for (const Target& target : kTargets) {
    const bool named = std::find(names.begin(), names.end(), target.name) != names.end();
    if (!named && (!names.empty() || target.name == kPlanted)) continue;
    if (!input.empty()) return Replay(target, input);
    if (write_seeds.empty()) {
      RunMutations(target, options);
    } else if (const int failed = WriteSeeds(target, write_seeds); failed != 0) {
      return failed;
    }
  }
  return 0;
}

}  // namespace
}  // namespace reprise::fuzz

int main(int argc, char** argv) { return reprise::fuzz::Main(argc, argv); }
