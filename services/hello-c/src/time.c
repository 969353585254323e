/* Time after 19 January 2038, which 32 bits cannot count. */

#include "checks.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t FIRST_SECOND_BEYOND_32_BITS = INT64_C(1) << 31;
static const char EXPECTED[] = "2038-01-19T03:14:08Z";

static bool check_conversion(void)
{
    time_t instant = (time_t)FIRST_SECOND_BEYOND_32_BITS;
    struct tm calendar;
    char text[sizeof EXPECTED];
    if (gmtime_r(&instant, &calendar) == NULL
        || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &calendar) == 0) {
        return fault("time: cannot convert %lld", (long long)FIRST_SECOND_BEYOND_32_BITS);
    }
    printf("time: %s\n", text);
    return strcmp(text, EXPECTED) == 0 || fault("time: %s instead of %s", text, EXPECTED);
}

/* A libc and a kernel that disagree about the size of a timespec show it here. */
static bool check_clock(void)
{
    struct timespec before;
    struct timespec after;
    if (clock_gettime(CLOCK_MONOTONIC, &before) != 0
        || clock_gettime(CLOCK_MONOTONIC, &after) != 0) {
        return fault("time: no monotonic clock");
    }
    bool ordered = after.tv_sec > before.tv_sec
                   || (after.tv_sec == before.tv_sec && after.tv_nsec >= before.tv_nsec);
    return ordered || fault("time: the monotonic clock ran backwards");
}

bool check_time(void)
{
    printf("time_t: %zu bit\n", sizeof(time_t) * CHAR_BIT);
    if (sizeof(time_t) < sizeof(int64_t)) {
        return fault("time_t: %zu bit instead of 64", sizeof(time_t) * CHAR_BIT);
    }
    bool ok = check_conversion();
    ok &= check_clock();
    return ok;
}
