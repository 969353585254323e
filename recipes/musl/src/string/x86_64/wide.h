/* Sixteen bytes at a time, from and to anywhere: every x86-64 has SSE2. */

typedef long long wide __attribute__((vector_size(16), aligned(1), may_alias));
typedef unsigned long long eight __attribute__((aligned(1), may_alias));
typedef unsigned four __attribute__((aligned(1), may_alias));
typedef unsigned short two __attribute__((aligned(1), may_alias));

/* Up to 128 bytes by pieces from both ends, which may overlap each other: all of it is read before
 * any is written, so that source and destination may overlap too. */
static inline __attribute__((always_inline)) void copy_few(
    unsigned char *to, const unsigned char *from, size_t n)
{
#define BOTH_ENDS(type)                                                   \
    do {                                                                  \
        type first = *(const type *)from;                                 \
        type last = *(const type *)(from + n - sizeof(type));             \
        *(type *)to = first;                                              \
        *(type *)(to + n - sizeof(type)) = last;                          \
    } while (0)
    if (n > 64) {
        const wide *a = (const wide *)from, *b = (const wide *)(from + n - 64);
        wide a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];
        wide b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
        wide *c = (wide *)to, *d = (wide *)(to + n - 64);
        c[0] = a0, c[1] = a1, c[2] = a2, c[3] = a3;
        d[0] = b0, d[1] = b1, d[2] = b2, d[3] = b3;
    } else if (n > 32) {
        const wide *a = (const wide *)from, *b = (const wide *)(from + n - 32);
        wide a0 = a[0], a1 = a[1], b0 = b[0], b1 = b[1];
        wide *c = (wide *)to, *d = (wide *)(to + n - 32);
        c[0] = a0, c[1] = a1, d[0] = b0, d[1] = b1;
    } else if (n >= 16)
        BOTH_ENDS(wide);
    else if (n >= 8)
        BOTH_ENDS(eight);
    else if (n >= 4)
        BOTH_ENDS(four);
    else if (n >= 2)
        BOTH_ENDS(two);
    else if (n)
        *to = *from;
#undef BOTH_ENDS
}
