// A host's side of one call, for tests of the SDK without a plugin host.
#pragma once

#include <atomic>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plugins/sdk/sdk.h"

namespace reprise::sdk {

class FakeCall {
 public:
  explicit FakeCall(Json request) : text_(request.dump()), request_(std::move(request)) {
    call_.request = text_.c_str();
    call_.request_size = text_.size();
    call_.data = this;
    call_.progress = [](const reprise_call_t* call, double, const char* text) { Of(call).progress.push_back(text); };
    call_.log = [](const reprise_call_t* call, int32_t, const char* text) { Of(call).logs.push_back(text); };
    call_.result = [](const reprise_call_t* call, const char* json, size_t size) {
      Of(call).result = Json::parse(json, json + size);
    };
    call_.cancelled = [](const reprise_call_t* call) { return Of(call).cancelled ? 1 : 0; };
  }
  const reprise_call_t* call() const { return &call_; }
  const Json& request() const { return request_; }

  std::vector<std::string> progress, logs;
  Json result;
  std::atomic<bool> cancelled = false;  // Set from another thread.

 private:
  static FakeCall& Of(const reprise_call_t* call) { return *static_cast<FakeCall*>(call->data); }
  reprise_call_t call_{};
  std::string text_;
  Json request_;
};

}  // namespace reprise::sdk
