// The same header in C++20; and its layout, which must never change under major version 1.
#include "plugins/api/reprise_plugin.h"

#include <type_traits>

static_assert(std::is_standard_layout_v<reprise_host_t> && std::is_standard_layout_v<reprise_plugin_entry_t> &&
              std::is_standard_layout_v<reprise_call_t> && std::is_standard_layout_v<reprise_action_t>);
static_assert(offsetof(reprise_plugin_entry_t, init) == 8 && offsetof(reprise_plugin_entry_t, deinit) == 24);
static_assert(offsetof(reprise_host_t, get_extension) == 16);
static_assert(offsetof(reprise_call_t, progress) == 24 && offsetof(reprise_call_t, cancelled) == 48);
static_assert(offsetof(reprise_action_t, run) == 8);
static_assert(sizeof(reprise_plugin_entry_t) == 32 && sizeof(reprise_call_t) == 56);
