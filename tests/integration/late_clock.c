// Preloaded into a program, puts its wall clock off by LATE_CLOCK_SECONDS, so that tests need not wait for a day to pass.
// Waiting keeps its pace: a futex that is given a time of day gets the true one.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long Offset(void) {
  static long offset;
  static int known;
  if (!known) {
    const char* text = getenv("LATE_CLOCK_SECONDS");
    offset = text == NULL ? 0 : strtol(text, NULL, 10);
    known = 1;
  }
  return offset;
}

int clock_gettime(clockid_t clock, struct timespec* at) {
  const long result = syscall(SYS_clock_gettime, clock, at);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += Offset();
  return (int)result;
}

int gettimeofday(struct timeval* restrict at, void* restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at != NULL) *at = now.tv_sec;
  return now.tv_sec;
}

typedef long (*syscall_t)(long, ...);

long syscall(long number, ...) {
  static syscall_t real;
  if (real == NULL) real = (syscall_t)dlsym(RTLD_NEXT, "syscall");
  va_list list;
  va_start(list, number);
  long a[6];
  for (int i = 0; i < 6; ++i) a[i] = va_arg(list, long);
  va_end(list);
  struct timespec true_time;
  if (number == SYS_futex && (a[1] & FUTEX_CLOCK_REALTIME) != 0 && a[3] != 0) {
    true_time = *(const struct timespec*)a[3];
    if (true_time.tv_sec > Offset()) true_time.tv_sec -= Offset();
    a[3] = (long)&true_time;
  }
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static int TimedWait(const char* name, void* one, void* two, const struct timespec* until) {
  typedef int (*wait_t)(void*, void*, const struct timespec*);
  const wait_t real = (wait_t)dlsym(RTLD_NEXT, name);
  struct timespec true_time = *until;
  // A deadline of the other clock lies far in the past of this one.
  if (true_time.tv_sec > Offset() + 1000000000L) true_time.tv_sec -= Offset();
  return real(one, two, &true_time);
}

int pthread_cond_timedwait(void* condition, void* mutex, const struct timespec* until) {
  return TimedWait("pthread_cond_timedwait", condition, mutex, until);
}
