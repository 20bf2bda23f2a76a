/* The boundary between Reprise and a plugin: plain C, so that any compiler and any language can stand on either side.
 *
 * A plugin is a shared library that exports one symbol, `reprise_plugin_entry`. It is loaded by `reprise-plugin-host`, a
 * process that lives for one verb of one action, confined, and then exits; never by the agent. Authors in C++ write
 * against plugins/sdk, which fills all this in.
 *
 * Course:  entry.init -> entry.get_extension("reprise.action/1") -> action.describe -> action.run -> the process ends.
 * The library is never unloaded. No C++ object and no exception crosses; text is UTF-8; JSON is one object.
 *
 * Versions: `abi_major` must be equal on both sides. Fields are only added, at the end of a struct, and each addition
 * raises `abi_minor`: who reads a field newer than the other side's minor reads past the end, so compare first.
 *
 * Threads, in brackets at each function:
 *   [loader-thread]  the thread that loaded the library, which also calls describe and run
 *   [any-thread]     whichever thread, also several at once
 * Compiles as C11 and as C++20. */
#ifndef REPRISE_PLUGIN_H_
#define REPRISE_PLUGIN_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define REPRISE_PLUGIN_ABI_MAJOR 1u
#define REPRISE_PLUGIN_ABI_MINOR 0u

/* The name of the exported symbol, for who looks it up. */
#define REPRISE_PLUGIN_ENTRY_SYMBOL "reprise_plugin_entry"

/* Put before the definition of the symbol. */
#define REPRISE_PLUGIN_EXPORT __attribute__((visibility("default")))

/* Who loads the plugin. Host-owned; valid for the life of the process. */
typedef struct reprise_host {
  uint32_t abi_major;
  uint32_t abi_minor;
  /* Passed back to the host in its own functions; of no meaning to the plugin. */
  void* data;
  /* What more the host offers, by name; NULL if it does not know `id`. Host-owned. [any-thread] */
  const void* (*get_extension)(const struct reprise_host* host, const char* id);
} reprise_host_t;

/* What the plugin exports as `reprise_plugin_entry`. Plugin-owned, constant. */
typedef struct reprise_plugin_entry {
  uint32_t abi_major; /* Must equal the host's. */
  uint32_t abi_minor; /* Grows when fields are added at the end. */
  /* Called once, first. Returns 0 or an errno value, which ends the process. [loader-thread] */
  int32_t (*init)(const reprise_host_t* host);
  /* NULL if absent, e.g. for "reprise.action/2". Plugin-owned, valid until deinit. [any-thread] */
  const void* (*get_extension)(const char* id);
  /* Undoes init. No call may follow. A host that is killed does not call it. [loader-thread, nothing running] */
  void (*deinit)(void);
} reprise_plugin_entry_t;

#define REPRISE_EXTENSION_ACTION "reprise.action/1"

enum reprise_log_level {
  REPRISE_LOG_DEBUG = 0,
  REPRISE_LOG_INFO = 1,
  REPRISE_LOG_WARNING = 2,
  REPRISE_LOG_ERROR = 3
};

/* One verb of one action: what is asked, and how to answer. Host-owned; valid until run() returns, not after. */
typedef struct reprise_call {
  /* {"verb":"probe|plan|apply|verify|rollback","action","params":{},"artifacts":{"name":"/path"},"work_dir","host",
   *  "attempt","deadline_ms"}. NUL-terminated; `request_size` without the NUL. */
  const char* request;
  size_t request_size;
  /* Passed back to the host through `call`; of no meaning to the plugin. */
  void* data;
  /* How far it is: 0 to 1, or negative for unknown. `text` (UTF-8, may be NULL) is copied. Cheap: the host drops what
   * comes too fast. [any-thread, while run() runs] */
  void (*progress)(const struct reprise_call* call, double fraction, const char* text);
  /* A line for the host's log, at a reprise_log_level. `text` is copied; 64 KiB a call of run() in all. Never a
   * secret. [any-thread, while run() runs] */
  void (*log)(const struct reprise_call* call, int32_t level, const char* text);
  /* The answer: one JSON object of at most 1 MiB, copied. The first call counts. [any-thread, while run() runs] */
  void (*result)(const struct reprise_call* call, const char* json, size_t size);
  /* 1 once the verb should end: end within 2 seconds or be killed. Children of the plugin in its process group have
   * then got SIGTERM; the plugin's own process ignores it. [any-thread, while run() runs] */
  int32_t (*cancelled)(const struct reprise_call* call);
} reprise_call_t;

/* What get_extension("reprise.action/1") returns. */
typedef struct reprise_action {
  /* The descriptor, JSON: {"name","version","summary","actions":[{"name","summary","effect":"read|change|destroy",
   * "undoable","idempotent","needs":{"root","network","paths"},"timeout","memory_mb","protected","params":JSON Schema
   * draft 7}]}. Plugin-owned, NUL-terminated, the same at every call. Does no I/O. [loader-thread] */
  const char* (*describe)(void);
  /* Does one verb and answers with call->result(): a result of that verb, or {"error":{"code","message","hint"}}.
   * Returns 0 once it has answered; otherwise an errno value. [loader-thread] */
  int32_t (*run)(const reprise_call_t* call);
} reprise_action_t;

/* Declared here so that a definition with another type does not compile. */
extern REPRISE_PLUGIN_EXPORT const reprise_plugin_entry_t reprise_plugin_entry;

#ifdef __cplusplus
}
#endif

#endif /* REPRISE_PLUGIN_H_ */
