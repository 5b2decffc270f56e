/* skew - a wall clock that is wrong, for one process.
 *
 * Does:   preloaded (LD_PRELOAD), it adds SKEW_MS milliseconds to what CLOCK_REALTIME says.
 * Not:    the other clocks; whoever asks the kernel itself is told the truth.
 * Holds:  -
 * Limits: -
 * See:    clocks.py in this folder.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MS_A_SECOND 1000
#define NS_A_MS 1000000
#define NS_A_SECOND 1000000000

int clock_gettime(clockid_t id, struct timespec *time)
{
    int status = (int)syscall(SYS_clock_gettime, id, time);
    const char *text = getenv("SKEW_MS");
    if (status != 0 || id != CLOCK_REALTIME || text == NULL)
        return status;
    long long skew_ms = strtoll(text, NULL, 10);
    long long ns = time->tv_nsec + skew_ms % MS_A_SECOND * NS_A_MS;
    time->tv_sec += skew_ms / MS_A_SECOND;
    if (ns < 0) {
        ns += NS_A_SECOND;
        time->tv_sec--;
    } else if (ns >= NS_A_SECOND) {
        ns -= NS_A_SECOND;
        time->tv_sec++;
    }
    time->tv_nsec = (long)ns;
    return 0;
}
