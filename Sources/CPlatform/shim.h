#ifndef CPLATFORM_SHIM_H
#define CPLATFORM_SHIM_H

// What Swift and its module of the system's library lack.

#include <poll.h>
#include <time.h>

// The monotonic clock. In C, because Swift has two modules that claim to define timespec.
static inline long long cplatform_monotonic_nanoseconds(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000000000 + time.tv_nsec;
}

// Swift has no word for it. A hint: it never faults, whatever the address.
static inline void cplatform_prefetch(const void *address) { __builtin_prefetch(address); }

#ifdef __linux__
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

// Swift's Glibc module exports neither epoll, eventfd and timerfd nor (without _GNU_SOURCE) ppoll.
static inline int cplatform_eventfd(void) {
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static inline int cplatform_timerfd(void) {
    return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

// Makes the timer's descriptor readable after so long; zero stops it, and takes back what it has shown.
static inline void cplatform_timerfd_set(int descriptor, long long nanoseconds) {
    const struct itimerspec time = {
        .it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000}};
    (void)timerfd_settime(descriptor, 0, &time, (struct itimerspec *)0);
}

// Gives the calling thread the policy SCHED_BATCH, if it has the usual one. Swift's Glibc module does not export the
// constant (without _GNU_SOURCE).
static inline void cplatform_sched_batch(void) {
    // System calls: musl has functions of these names that do nothing.
    const struct sched_param none = {.sched_priority = 0};
    if (syscall(SYS_sched_getscheduler, 0) == SCHED_OTHER) {
        (void)syscall(SYS_sched_setscheduler, 0, 3 /* SCHED_BATCH */, &none);
    }
}

// Names the calling thread. Swift calls no function of a variable number of arguments, and its Glibc module does not export
// pthread_setname_np (without _GNU_SOURCE).
static inline void cplatform_name_thread(const char *name) {
    (void)prctl(PR_SET_NAME, (unsigned long)name, 0ul, 0ul, 0ul);
}

// Waits with the resolution of nanoseconds; a negative time waits without a bound.
// Returns what ppoll returns.
static inline int cplatform_ppoll(struct pollfd *descriptors, unsigned int count, long long nanoseconds) {
    struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    return (int)syscall(SYS_ppoll, descriptors, (unsigned long)count, nanoseconds < 0 ? (struct timespec *)0 : &time,
                        (void *)0, (unsigned long)0);
}
#endif

#endif
