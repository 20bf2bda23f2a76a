// What an action is given for one verb: parameters, files, time, and the ways to speak while it works.
// Lives for one verb. Progress, Log and Cancelled may be called from any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "plugins/api/reprise_plugin.h"
#include "plugins/sdk/params.h"

namespace reprise::sdk {

enum class LogLevel {
  kDebug = REPRISE_LOG_DEBUG,
  kInfo = REPRISE_LOG_INFO,
  kWarning = REPRISE_LOG_WARNING,
  kError = REPRISE_LOG_ERROR,
};

class Context {
 public:
  // `request` is the object of reprise_call.request, its params already complete.
  Context(const reprise_call_t* call, const Json& request)
      : call_(call), verb_(request.value("verb", "")), params_(request.value("params", Json::object())) {
    const auto artifacts = request.value("artifacts", std::map<std::string, std::string>());
    artifacts_.insert(artifacts.begin(), artifacts.end());
    work_dir_ = request.value("work_dir", "");
    host_ = request.value("host", "");
    attempt_ = request.value("attempt", 1u);
    deadline_ = Clock::time_point(std::chrono::milliseconds(request.value("deadline_ms", int64_t{0})));
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const std::string& verb() const { return verb_; }
  const Json& params() const { return params_; }
  bool Has(const std::string& name) const { return params_.contains(name); }
  // The value of a parameter that is required or has a default.
  template <typename T = std::string>
  T Param(const std::string& name) const {
    const auto found = params_.find(name);
    if (found == params_.end()) throw Error("bad_params", "parameter " + name + " is missing");
    return found->get<T>();
  }
  template <typename T>
  T Param(const std::string& name, T otherwise) const {
    return Has(name) ? Param<T>(name) : otherwise;
  }
  std::chrono::milliseconds Duration(const std::string& name) const {
    const auto ms = ParseDurationMs(Param(name));
    if (!ms) throw Error("bad_params", "parameter " + name + " is no duration");
    return std::chrono::milliseconds(*ms);
  }

  // Files of the step, already fetched and verified: name -> path. Read-only.
  const std::map<std::string, std::filesystem::path>& artifacts() const { return artifacts_; }
  std::filesystem::path Artifact(const std::string& name) const {
    const auto found = artifacts_.find(name);
    if (found == artifacts_.end()) {
      throw Error("artifact_missing", "artifact " + name + " was not given to this step",
                  "name it under artifacts: in the workflow's step");
    }
    return found->second;
  }

  // Writable in every verb, empty at its start, removed after it.
  const std::filesystem::path& work_dir() const { return work_dir_; }
  const std::string& host() const { return host_; }
  uint32_t attempt() const { return attempt_; }

  using Clock = std::chrono::system_clock;
  // Zero at the latest.
  std::chrono::milliseconds TimeLeft() const {
    if (deadline_ == Clock::time_point()) return std::chrono::hours(24);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now());
    return std::max(left, std::chrono::milliseconds(0));
  }

  // `fraction` from 0 to 1, or negative for unknown.
  void Progress(double fraction, const std::string& text) const { call_->progress(call_, fraction, text.c_str()); }
  void Log(LogLevel level, const std::string& text) const {
    call_->log(call_, static_cast<int32_t>(level), text.c_str());
  }

  // True once the verb should end: return or throw within 2 seconds.
  bool Cancelled() const { return call_->cancelled(call_) != 0; }
  void ThrowIfCancelled() const {
    if (Cancelled()) throw Error("cancelled", verb_ + " was asked to end");
  }

 private:
  const reprise_call_t* call_;
  std::string verb_;
  Json params_;
  std::map<std::string, std::filesystem::path> artifacts_;
  std::filesystem::path work_dir_;
  std::string host_;
  uint32_t attempt_ = 1;
  Clock::time_point deadline_;
};

}  // namespace reprise::sdk
