#include "CTimerSlack.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

void ctimerslack_set(unsigned long nanoseconds) {
#ifdef __linux__
    prctl(PR_SET_TIMERSLACK, nanoseconds);
#else
    (void)nanoseconds;
#endif
}
