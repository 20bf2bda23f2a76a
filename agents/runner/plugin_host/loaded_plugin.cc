#include "agents/runner/plugin_host/loaded_plugin.h"

#include <boost/dll/shared_library.hpp>
#include <cstring>

namespace reprise::plugin_host {
namespace {

const void* NoExtension(const reprise_host_t*, const char*) { return nullptr; }
constexpr reprise_host_t kHost = {REPRISE_PLUGIN_ABI_MAJOR, REPRISE_PLUGIN_ABI_MINOR, nullptr, NoExtension};

LoadedPlugin Refused(std::string why) { return {nullptr, nullptr, std::move(why)}; }

}  // namespace

LoadedPlugin LoadPlugin(const std::string& file) {
  namespace dll = boost::dll;
  auto* library = new dll::shared_library();  // Kept for ever: an unmapped library under a live object is a crash.
  try {
    library->load(file, dll::load_mode::rtld_now | dll::load_mode::rtld_local);
  } catch (const std::exception& error) {  // Its text has the loader's reason.
    return Refused(std::string("the library cannot be loaded: ") + error.what());
  }
  if (!library->has(REPRISE_PLUGIN_ENTRY_SYMBOL)) {
    return Refused("it exports no " REPRISE_PLUGIN_ENTRY_SYMBOL ": not a plugin of Reprise");
  }
  const auto* entry = &library->get<const reprise_plugin_entry_t>(REPRISE_PLUGIN_ENTRY_SYMBOL);
  if (entry->abi_major != REPRISE_PLUGIN_ABI_MAJOR) {
    return Refused("it is built for plugin ABI " + std::to_string(entry->abi_major) + ", this host has " +
                   std::to_string(REPRISE_PLUGIN_ABI_MAJOR));
  }
  if (entry->init == nullptr || entry->get_extension == nullptr) return Refused("its entry is incomplete");
  if (const int32_t number = entry->init(&kHost); number != 0) {
    return Refused(std::string("its init failed: ") + std::strerror(number));
  }
  const auto* action = static_cast<const reprise_action_t*>(entry->get_extension(REPRISE_EXTENSION_ACTION));
  if (action == nullptr || action->describe == nullptr || action->run == nullptr) {
    return Refused("it does not offer " REPRISE_EXTENSION_ACTION);
  }
  return {entry, action, ""};
}

}  // namespace reprise::plugin_host
