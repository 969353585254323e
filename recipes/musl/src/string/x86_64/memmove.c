#include <stdint.h>
#include <string.h>
#include "wide.h"

void *memmove(void *into, const void *source, size_t n)
{
    unsigned char *to = into;
    const unsigned char *from = source;
    if (n <= 128) {
        copy_few(to, from, n);
        return into;
    }
    if ((uintptr_t)to - (uintptr_t)from >= n && (uintptr_t)from - (uintptr_t)to >= n)
        return memcpy(into, source, n);
    if (to < from) {
        /* The end is read before it is written over. */
        const wide *b = (const wide *)(from + n - 64);
        wide b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
        wide *d = (wide *)(to + n - 64);
        for (; n > 64; n -= 64, to += 64, from += 64) {
            const wide *a = (const wide *)from;
            wide a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];
            wide *c = (wide *)to;
            c[0] = a0, c[1] = a1, c[2] = a2, c[3] = a3;
        }
        d[0] = b0, d[1] = b1, d[2] = b2, d[3] = b3;
    } else {
        const wide *b = (const wide *)from;
        wide b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
        for (; n > 64; n -= 64) {
            const wide *a = (const wide *)(from + n - 64);
            wide a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];
            wide *c = (wide *)(to + n - 64);
            c[0] = a0, c[1] = a1, c[2] = a2, c[3] = a3;
        }
        wide *d = (wide *)to;
        d[0] = b0, d[1] = b1, d[2] = b2, d[3] = b3;
    }
    return into;
}
