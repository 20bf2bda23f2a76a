// Linked into every program of a build with the thread sanitizer, whoever starts it and with whatever environment.
//
// gRPC, Abseil and protobuf come from Debian, built without the sanitizer. How gRPC hands a call from one of its threads to
// another it cannot see, and takes every reactor that is made on one and called on the next for a race. So what runs below a
// callback of gRPC is not watched for races against another such callback; an upload's parts likewise, which one worker takes,
// gRPC reads on, and the next worker takes. Everything else is watched.

// Not weak: the sanitizer's own is, and of two weak ones the linker takes either. The plugin host has its own.
extern "C" const char* __tsan_default_options() {
  // At its end a process would wait a second for races to be reported; the kit forks among threads, and starts some after it.
  return "ignore_noninstrumented_modules=1:history_size=4:atexit_sleep_ms=0:die_after_fork=0";
}

extern "C" const char* __tsan_default_suppressions() {
  return "race:grpc::\n"
         "race:UploadReactor\n";
}
