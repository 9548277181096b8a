/* A wall clock that is faster, for LD_PRELOAD: only the time of day is changed, and neither timeouts nor sleeps are.
 * WALL_CLOCK="BEGUN START SPEED": at the real time BEGUN it is START, and from then on it is SPEED times as fast, the
 * same for every process. BEGUN and START are nanoseconds since 1970. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long begun, start, speed;

static long long now(void) {
    struct timespec real;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &real);
    long long nanoseconds = real.tv_sec * 1000000000LL + real.tv_nsec;
    if (speed == 0) {
        const char *given = getenv("WALL_CLOCK");
        if (given == NULL || sscanf(given, "%lld %lld %lld", &begun, &start, &speed) != 3) return nanoseconds;
    }
    return start + (nanoseconds - begun) * speed;
}

int clock_gettime(clockid_t clock, struct timespec *found) {
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return syscall(SYS_clock_gettime, clock, found);
    long long nanoseconds = now();
    found->tv_sec = nanoseconds / 1000000000LL;
    found->tv_nsec = nanoseconds % 1000000000LL;
    return 0;
}

int gettimeofday(struct timeval *restrict found, void *restrict zone) {
    long long nanoseconds = now();
    found->tv_sec = nanoseconds / 1000000000LL;
    found->tv_usec = nanoseconds % 1000000000LL / 1000;
    return 0;
}

time_t time(time_t *found) {
    time_t seconds = now() / 1000000000LL;
    if (found != NULL) *found = seconds;
    return seconds;
}
