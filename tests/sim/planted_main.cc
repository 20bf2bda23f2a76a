// sim_planted: plants one mistake in engines that were compiled for it, and looks for the seed at which the witness
// says what it must. 0: it did; 1: it never did.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "tests/sim/planted_bugs.h"
#include "tests/sim/simulation.h"

namespace reprise::sim {
namespace {

int Catch(const PlantedBug& bug, uint64_t first, uint64_t seeds) {
  Bugs bugs;
  if (bug.in_process != nullptr) bugs.*bug.in_process = true;
  planted::chosen = bug.in_engine;
  uint64_t others = 0;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const std::string complaint = Simulate(seed, bugs).complaint;
    if (complaint.find(bug.complaint) == std::string::npos) {
      if (!complaint.empty() && others++ == 0) {
        std::printf("(seed %llu: %s)\n", static_cast<unsigned long long>(seed), complaint.c_str());
      }
      continue;
    }
    std::printf("%s: caught after %llu seed(s), %llu of them with other complaints: %s\n", bug.name,
                static_cast<unsigned long long>(seed - first + 1), static_cast<unsigned long long>(others),
                complaint.c_str());
    return 0;
  }
  std::printf("%s: NOT CAUGHT within %llu seeds; other complaints at %llu\n", bug.name,
              static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(others));
  return 1;
}

int Main(int argc, char** argv) {
  CLI::App app("Plants a mistake and sees whether the simulator notices it.");
  uint64_t seed = 1, seeds = 1000;
  std::string name;
  bool list = false;
  app.add_option("--plant", name, "which mistake; else all, one after the other");
  app.add_option("--seed", seed, "the first seed");
  app.add_option("--runs", seeds, "how many seeds at most");
  app.add_flag("--list", list, "names them");
  CLI11_PARSE(app, argc, argv);
  int status = name.empty() ? 0 : 2;
  for (const PlantedBug& bug : PlantedBugs()) {
    if (list) {
      std::printf("%s\n", bug.name);
    } else if (name.empty()) {
      status = std::max(status, Catch(bug, seed, seeds));
    } else if (name == bug.name) {
      return Catch(bug, seed, seeds);
    }
  }
  if (status == 2 && !list) std::fprintf(stderr, "sim_planted: there is no mistake %s; see --list\n", name.c_str());
  return list ? 0 : status;
}

}  // namespace
}  // namespace reprise::sim

int main(int argc, char** argv) {
  return reprise::sim::Main(argc, argv);
}
