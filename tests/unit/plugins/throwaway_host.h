// A plugin under the agent's own runner, on a host that is thrown away: this machine seen through an overlay (root
// only). For tests of adapters, which change hosts. Nothing of it reaches this machine.
#pragma once

#include <gmock/gmock.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <fstream>
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

#include "agents/runner/conformance/conformance.h"
#include "agents/runner/conformance/throwaway_root.h"
#include "agents/runner/process_runner.h"
#include "core/base/text.h"
#include "core/crypto/sha256.h"
#include "tests/support/files.h"

namespace reprise::plugins {

namespace fs = std::filesystem;
using nlohmann::json;
using Artifacts = std::map<std::string, fs::path>;

using model::v1::VERB_APPLY;
using model::v1::VERB_PLAN;
using model::v1::VERB_PROBE;
using model::v1::VERB_ROLLBACK;
using model::v1::VERB_VERIFY;

inline fs::path PluginFile(const std::string& name) {
  return BuildFolder() / "plugins" / (name + ".so");
}
inline fs::path PluginHost() {
  return BuildFolder() / "bin" / "reprise-plugin-host";
}

// True as soon as `condition` is, false when two minutes are over: no machine is that busy.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

struct Answer {
  agents::VerbResult result;
  json value;  // Of a verb that is done.

  bool done() const { return result.end == agents::VerbEnd::kDone; }
  bool holds() const { return done() && value.value("holds", false); }
  bool changed() const { return done() && value.value("changed", false); }
  // "done", or the error's code; for one that ended otherwise, its message.
  std::string code() const { return done() ? "done" : result.code.empty() ? result.message : result.code; }
};
inline void PrintTo(const Answer& answer, std::ostream* out) {
  *out << answer.code() << ": " << answer.result.message << " [" << answer.result.hint << "] " << answer.value.dump();
}

class PluginBench {
 public:
  // `folder` has the libraries and artifacts; the runner's own files go there too.
  PluginBench(const fs::path& folder, const fs::path& plugin, const fs::path& plugin_host, const Artifacts& artifacts) {
    spdlog::set_level(spdlog::level::off);
    options_.plugin_host = plugin_host;
    options_.cache = folder / "cache";
    options_.work = folder / "work";
    options_.host = "ws-001";
    fs::create_directories(options_.cache);
    plugin_ = Add(plugin);
    for (const auto& [name, file] : artifacts) artifacts_.emplace_back(name, Add(file));
  }

  Answer Run(model::v1::Verb verb, const std::string& action, const json& params = json::object(),
             std::chrono::milliseconds deadline = std::chrono::seconds(60)) {
    return Start(verb, action, params, deadline).get();
  }
  std::future<Answer> Start(model::v1::Verb verb, const std::string& action, const json& params = json::object(),
                            std::chrono::milliseconds deadline = std::chrono::seconds(60)) {
    agents::VerbRequest request;
    request.id = next_id_++;
    request.verb = verb;
    request.plugin_sha256 = plugin_;
    request.action = action;
    request.params_json = params.dump();
    request.artifacts = artifacts_;
    request.deadline = SystemClock().Now() + deadline.count();
    auto promise = std::make_shared<std::promise<Answer>>();
    runner().Start(
        request, [](agents::VerbProgress) {},
        [promise](agents::VerbResult result) {
          json value = result.result_json.empty() ? json() : json::parse(result.result_json);
          promise->set_value({std::move(result), std::move(value)});
        });
    return promise->get_future();
  }
  // As when the agent is killed: all that runs is gone when it returns.
  void KillAll() {
    runner_.reset();
    runner();
  }

  runner::ProcessRunner& runner() {
    if (!runner_) {
      auto made = runner::ProcessRunner::Create(options_);
      if (!made.ok()) throw std::runtime_error(std::string(made.status().message()));
      runner_ = *std::move(made);
    }
    return *runner_;
  }

 private:
  std::string Add(const fs::path& file) {
    const std::string sha256 = *crypto::Sha256OfFile(file);
    fs::copy_file(file, options_.cache / ToHex(sha256), fs::copy_options::overwrite_existing);
    return sha256;
  }

  runner::ProcessRunnerOptions options_;
  std::string plugin_;
  std::vector<std::pair<std::string, std::string>> artifacts_;
  std::unique_ptr<runner::ProcessRunner> runner_;
  uint64_t next_id_ = 1;
};

// Runs `body`, with its expectations, on the throw-away host. Returns why there can be none here; empty: it ran.
inline std::string OnThrowawayHost(const std::string& plugin, const Artifacts& artifacts,
                                   const std::function<void(PluginBench&)>& body) {
  std::vector<conformance::KitFile> files = {{PluginFile(plugin), "plugin.so"}, {PluginHost(), "reprise-plugin-host"}};
  for (const auto& [name, file] : artifacts) files.push_back({file, name});
  std::fflush(stdout);  // The child would print it again.
  const auto answer = conformance::InThrowawayRoot(files, [&](conformance::Root& root) {
    {
      Artifacts there;
      for (const auto& [name, file] : artifacts) there[name] = root.kit() / name;
      PluginBench bench(root.kit(), root.kit() / "plugin.so", root.kit() / "reprise-plugin-host", there);
      body(bench);
    }
    std::fflush(stdout);
    return json{{"failed", ::testing::Test::HasFailure()}};
  });
  if (absl::IsUnavailable(answer.status())) return std::string(answer.status().message());
  if (!answer.ok()) {
    ADD_FAILURE() << answer.status();
  } else if (answer->at("failed")) {
    ADD_FAILURE() << "on the throw-away host: see above";
  }
  return "";
}

// For a test that can do nothing else.
#define ON_THROWAWAY_HOST(...) \
  if (const std::string why_not = OnThrowawayHost(__VA_ARGS__); !why_not.empty()) GTEST_SKIP() << why_not

}  // namespace reprise::plugins
