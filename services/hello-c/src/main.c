/* Checks the parts of libc that a static musl build for a small processor gets wrong first. */

#include "checks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_THREADS = 4, MOST_THREADS = 64, USAGE_ERROR = 2 };

/* 0 for what is not a number from 1 to MOST_THREADS. */
static unsigned parse_threads(const char *text)
{
    char *end;
    errno = 0;
    long threads = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || threads < 1 || threads > MOST_THREADS) {
        return 0;
    }
    return (unsigned)threads;
}

int main(int argc, char **argv)
{
    unsigned threads = argc > 1 ? parse_threads(argv[1]) : DEFAULT_THREADS;
    if (argc > 2 || threads == 0) {
        fprintf(stderr, "usage: hello-c [THREADS], from 1 to %d\n", MOST_THREADS);
        return USAGE_ERROR;
    }

    bool ok = check_architecture();
    ok &= check_threads(threads);
    ok &= check_addresses();
    ok &= check_time();

    if (ok) {
        puts("hello-c: ok");
    }
    /* Output that was lost must not pass for success. */
    if (fflush(stdout) != 0) {
        perror("hello-c: stdout");
        return EXIT_FAILURE;
    }
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
