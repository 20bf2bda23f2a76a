// Linked into every program of a build with the address sanitizer but the plugin host, which looks for no leaks.
//
// libetpan 1.9 forgets a server's greeting when it is a good-bye: some ninety bytes for each connection that is refused so.
extern "C" const char* __lsan_default_suppressions() { return "leak:mailimap_greeting_new\n"; }
