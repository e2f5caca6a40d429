#ifndef CTIMERSLACK_H
#define CTIMERSLACK_H

// How many nanoseconds the calling thread's timers may be late; does nothing where there is no such thing.
void ctimerslack_set(unsigned long nanoseconds);

#endif
