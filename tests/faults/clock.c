/* A clock that is wrong: put before a program with LD_PRELOAD, it moves the time of day and no other clock.
   SHUZHI_CLOCK holds the seconds it is off, and after how many seconds of the process it begins to be. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

typedef int (*reader)(clockid_t, struct timespec *);

static reader real(void) {
  static reader found = 0;
  if (!found) found = (reader)dlsym(RTLD_NEXT, "clock_gettime");
  return found;
}

static long offset(void) {
  static double seconds, delay;
  static struct timespec start;
  static int known = 0;
  struct timespec now;
  real()(CLOCK_MONOTONIC, &now);
  if (!known) {
    const char *given = getenv("SHUZHI_CLOCK");
    char *rest;
    if (given) {
      seconds = strtod(given, &rest);
      delay = strtod(rest, 0);
    }
    start = now;
    known = 1;
  }
  double age = (double)(now.tv_sec - start.tv_sec) + (now.tv_nsec - start.tv_nsec) / 1e9;
  return age >= delay ? (long)seconds : 0;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
  int code = real()(clock, at);
  if (!code && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += offset();
  return code;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
