// The way from the C boundary to the author's classes and back; authors use only the last line, in one .cc file:
//
//   REPRISE_PLUGIN("edr", "1.0.0", "Endpoint protection", Install, Scan)
//
// Checks the parameters, calls the verb, and turns what it returned or threw into JSON.
#pragma once

#include <cerrno>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <system_error>

#include "plugins/api/reprise_plugin.h"
#include "plugins/sdk/action.h"

namespace reprise::sdk {

struct PluginInfo {
  const char* name;
  const char* version;
  const char* summary;
};

inline std::string Dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

inline Json ErrorJson(const std::string& code, const std::string& message, const std::string& hint) {
  return {{"error", {{"code", code}, {"message", message}, {"hint", hint}}}};
}

inline Json DescribeAction(const ActionInfo& info) {
  const char* effect = info.effect == Effect::kRead     ? "read"
                       : info.effect == Effect::kChange ? "change"
                                                        : "destroy";
  return {{"name", info.name},
          {"summary", info.summary},
          {"effect", effect},
          {"undoable", info.undoable},
          {"idempotent", info.idempotent},
          {"needs", {{"root", info.needs.root}, {"network", info.needs.network}, {"processes", info.needs.processes}, {"paths", info.needs.paths}}},
          {"timeout", info.timeout},
          {"memory_mb", info.memory_mb},
          {"protected", info.protected_class},
          {"restores", info.restores},
          {"params", info.params.Schema()}};
}

inline Json RunVerb(Action& action, const reprise_call_t* call, Json request) {
  request["params"] = action.Describe().params.Complete(request.value("params", Json::object()));
  Context context(call, request);
  const std::string& verb = context.verb();
  if (verb == "probe") return ToJson(action.Probe(context));
  if (verb == "plan") return ToJson(action.Plan(context));
  if (verb == "apply") return ToJson(action.Apply(context));
  if (verb == "verify") return ToJson(action.Verify(context));
  if (verb == "rollback") return ToJson(action.Rollback(context));
  throw Error("unknown_verb", "verb " + verb.substr(0, 40) + " is unknown, expected probe, plan, apply, verify or rollback");
}

template <typename... Actions>
class Plugin {
 public:
  static std::string Describe(const PluginInfo& info) {
    Json actions = Json::array();
    (actions.push_back(DescribeAction(Actions().Describe())), ...);
    return Dump({{"name", info.name}, {"version", info.version}, {"summary", info.summary}, {"actions", actions}});
  }

  // Never throws; always answers.
  static int32_t Run(const reprise_call_t* call) noexcept {
    try {
      const std::string answer = Dump(Answer(call));
      call->result(call, answer.data(), answer.size());
      return 0;
    } catch (...) {
      return ENOMEM;  // Not even the answer could be made.
    }
  }

 private:
  static Json Answer(const reprise_call_t* call) {
    try {
      Json request = Json::parse(call->request, call->request + call->request_size, nullptr, false);
      if (!request.is_object()) throw Error("bad_request", "the request is no JSON object");
      const std::string wanted = request.value("action", "");
      std::unique_ptr<Action> action;
      ((action = action ? std::move(action) : Make<Actions>(wanted)), ...);
      if (!action) throw Error("unknown_action", "action " + wanted.substr(0, 80) + " is unknown to this plugin");
      return RunVerb(*action, call, std::move(request));
    } catch (const Error& error) {
      return ErrorJson(error.code(), error.what(), error.hint());
    } catch (const std::system_error& error) {  // Files and folders among them.
      return ErrorJson(error.code() == std::errc::no_space_on_device ? "disk_full" : "system", error.what(), "");
    } catch (const std::bad_alloc&) {
      return ErrorJson("out_of_memory", "memory_mb of the action was not enough", "raise memory_mb in its descriptor");
    } catch (const std::exception& error) {
      return ErrorJson("internal", error.what(), "report this to the plugin's author");
    } catch (...) {
      return ErrorJson("internal", "an exception of unknown type", "report this to the plugin's author");
    }
  }

  template <typename A>
  static std::unique_ptr<Action> Make(const std::string& wanted) {
    auto action = std::make_unique<A>();
    return action->Describe().name == wanted ? std::move(action) : nullptr;
  }
};

}  // namespace reprise::sdk

// Once in each plugin, at file scope: name, version, summary, then the classes.
#define REPRISE_PLUGIN(plugin_name, plugin_version, plugin_summary, ...)                                             \
  namespace {                                                                                                        \
  using ReprisePlugin = ::reprise::sdk::Plugin<__VA_ARGS__>;                                                         \
  int32_t RepriseInit(const reprise_host_t* host) {                                                                  \
    return host->abi_major == REPRISE_PLUGIN_ABI_MAJOR ? 0 : EPROTONOSUPPORT;                                        \
  }                                                                                                                  \
  const char* RepriseDescribe() {                                                                                    \
    static const std::string text = ReprisePlugin::Describe({plugin_name, plugin_version, plugin_summary});          \
    return text.c_str();                                                                                             \
  }                                                                                                                  \
  const void* RepriseGetExtension(const char* id) {                                                                  \
    static const reprise_action_t action = {RepriseDescribe, ReprisePlugin::Run};                                    \
    return std::string(id) == REPRISE_EXTENSION_ACTION ? &action : nullptr;                                          \
  }                                                                                                                  \
  void RepriseDeinit() {}                                                                                            \
  }                                                                                                                  \
  extern "C" REPRISE_PLUGIN_EXPORT const reprise_plugin_entry_t reprise_plugin_entry = {                             \
      REPRISE_PLUGIN_ABI_MAJOR, REPRISE_PLUGIN_ABI_MINOR, RepriseInit, RepriseGetExtension, RepriseDeinit};
