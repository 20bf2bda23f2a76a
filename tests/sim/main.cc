// sim: runs simulations from a seed on; 1 when one finds fault. `--help` says how.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "core/base/planted.h"
#include "tests/sim/campaign.h"

static_assert(!REPRISE_PLANTED(kBudgetOffByOne), "this one is linked with what people run");

int main(int argc, char** argv) {
  CLI::App app("Simulates whole hospitals in virtual time: the real engines, and faults from a seed.");
  reprise::sim::Campaign campaign;
  campaign.first_seed = 1;
  uint64_t runs = 1;
  double minutes = 0;
  bool verbose = false;
  std::string json;
  app.add_option("--seed", campaign.first_seed, "the first seed");
  app.add_option("--runs", runs, "how many seeds, one after the other");
  app.add_option("--minutes", minutes, "goes on until so much real time has passed, whatever --runs says");
  app.add_flag("--verbose", verbose, "tells what happens, line by line");
  app.add_option("--json", json, "writes what it adds up to into this file");
  CLI11_PARSE(app, argc, argv);

  std::printf("seed %llu\n", static_cast<unsigned long long>(campaign.first_seed));
  std::fflush(stdout);
  const auto began = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
  while (minutes > 0 ? seconds() < minutes * 60 : campaign.seeds < runs) {
    const size_t failed = campaign.failed.size();
    campaign.RunNext(verbose);
    if (campaign.failed.size() == failed) continue;
    std::printf("FAILED seed %llu: %s\n", static_cast<unsigned long long>(campaign.failed.back().first),
                campaign.failed.back().second.c_str());
    std::fflush(stdout);
  }
  std::printf("%s", campaign.Text().c_str());
  if (!json.empty() && !(std::ofstream(json) << campaign.Json(seconds())).flush()) {
    std::fprintf(stderr, "sim: cannot write %s\n", json.c_str());
    return 2;
  }
  return campaign.failed.empty() ? 0 : 1;
}
