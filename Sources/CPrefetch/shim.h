#ifndef CPREFETCH_SHIM_H
#define CPREFETCH_SHIM_H

// Swift has no word for it. A hint: it never faults, whatever the address.
static inline void cprefetch(const void *address) { __builtin_prefetch(address); }

#endif
