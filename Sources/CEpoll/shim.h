#ifndef CEPOLL_SHIM_H
#define CEPOLL_SHIM_H

// Swift's Glibc module has neither of them.
#ifdef __linux__
#include <sys/epoll.h>
#include <sys/timerfd.h>
#endif

#endif
