/* A whole plugin in C11: proves that the header needs nothing else. Built with every warning an error. */
#include "plugins/api/reprise_plugin.h"

static int32_t Init(const reprise_host_t* host) { return host->abi_major == REPRISE_PLUGIN_ABI_MAJOR ? 0 : 22; }
static const char* Describe(void) { return "{\"name\":\"c11\",\"version\":\"1.0.0\",\"actions\":[]}"; }
static int32_t Run(const reprise_call_t* call) {
  call->progress(call, -1.0, NULL);
  call->log(call, REPRISE_LOG_DEBUG, call->request);
  call->result(call, "{}", 2);
  return call->cancelled(call);
}
static const reprise_action_t kAction = {Describe, Run};
static const void* GetExtension(const char* id) { return id[0] != '\0' ? &kAction : NULL; }
static void Deinit(void) {}

const reprise_plugin_entry_t reprise_plugin_entry = {REPRISE_PLUGIN_ABI_MAJOR, REPRISE_PLUGIN_ABI_MINOR, Init,
                                                     GetExtension, Deinit};

_Static_assert(offsetof(reprise_plugin_entry_t, abi_major) == 0, "the version is read before anything else");
