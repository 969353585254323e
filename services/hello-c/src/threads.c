/* Threads integrate exp(-x*x) from 0 to 1 by parts; erf, from the same libm, knows the answer. */

#include "checks.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 200000 };

/* The midpoint rule is off by 8e-13 here, rounding by less. Ten digits are printed and the next are
 * 12, so whatever is within this prints the same, with fused multiply-add and without. */
static const double TOLERANCE = 1e-11;

static const double SQRT_PI = 1.77245385090551602730;

/* Not zero, so that it lives in .tdata and every thread has to be given a copy. */
static const double UNTOUCHED = -1.0;
static _Thread_local double partial_sum = -1.0;

/* Zero, so that it lives in .tbss, and aligned beyond what malloc gives. */
static _Thread_local _Alignas(64) unsigned steps_done;

struct part {
    pthread_t thread;
    unsigned first;
    unsigned end;
    double sum;
    unsigned steps;
    bool storage_was_fresh;
};

static void *integrate(void *argument)
{
    struct part *part = argument;
    part->storage_was_fresh = partial_sum == UNTOUCHED && steps_done == 0;
    partial_sum = 0.0;
    for (unsigned step = part->first; step < part->end; step++) {
        double x = (step + 0.5) / STEPS;
        partial_sum += exp(-x * x);
        steps_done++;
    }
    part->sum = partial_sum;
    part->steps = steps_done;
    return NULL;
}

/* Returns how many were started: all, or those before the first that could not be. */
static unsigned start(struct part *parts, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        parts[i].first = STEPS / count * i;
        parts[i].end = i + 1 == count ? STEPS : STEPS / count * (i + 1);
        int error = pthread_create(&parts[i].thread, NULL, integrate, &parts[i]);
        if (error != 0) {
            fault("threads: number %u: %s", i, strerror(error));
            return i;
        }
    }
    return count;
}

static bool join(const struct part *parts, unsigned count)
{
    bool ok = true;
    for (unsigned i = 0; i < count; i++) {
        int error = pthread_join(parts[i].thread, NULL);
        if (error != 0) {
            ok = fault("threads: joining number %u: %s", i, strerror(error));
        }
    }
    return ok;
}

static bool check_integral(const struct part *parts, unsigned count)
{
    double sum = 0.0;
    for (unsigned i = 0; i < count; i++) {
        sum += parts[i].sum;
    }
    double integral = sum / STEPS;
    double expected = SQRT_PI / 2.0 * erf(1.0);
    printf("integral of exp(-x*x) from 0 to 1: %.10f\n", integral);
    return fabs(integral - expected) < TOLERANCE
           || fault("integral: %.17g instead of %.17g", integral, expected);
}

static bool check_storage(const struct part *parts, unsigned count)
{
    bool ok = true;
    unsigned steps = 0;
    for (unsigned i = 0; i < count; i++) {
        steps += parts[i].steps;
        if (!parts[i].storage_was_fresh) {
            ok = fault("thread-local storage: thread %u began with that of another", i);
        }
    }
    if (steps != STEPS) {
        ok = fault("thread-local storage: %u steps counted instead of %d", steps, STEPS);
    }
    if (partial_sum != UNTOUCHED || steps_done != 0) {
        ok = fault("thread-local storage: a thread wrote to that of the main one");
    }
    printf("thread-local storage: %s\n", ok ? "separate" : "shared");
    return ok;
}

bool check_threads(unsigned threads)
{
    struct part *parts = calloc(threads, sizeof *parts);
    if (parts == NULL) {
        return fault("threads: out of memory");
    }
    unsigned started = start(parts, threads);
    bool ok = join(parts, started) && started == threads;
    if (ok) {
        ok = check_integral(parts, threads);
        ok &= check_storage(parts, threads);
    }
    free(parts);
    return ok;
}
