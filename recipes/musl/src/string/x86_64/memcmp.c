#include <string.h>
#include "wide.h"

typedef char bytes __attribute__((vector_size(16), aligned(1), may_alias));

/* Which of two numbers is less as they lie in memory, their first byte the greatest. */
static inline int compare(unsigned long long a, unsigned long long b)
{
    a = __builtin_bswap64(a), b = __builtin_bswap64(b);
    return (a > b) - (a < b);
}

int memcmp(const void *one, const void *other, size_t n)
{
    const unsigned char *a = one, *b = other;
    for (; n >= 16; n -= 16, a += 16, b += 16) {
        unsigned equal = __builtin_ia32_pmovmskb128(*(const bytes *)a == *(const bytes *)b);
        if (equal != 0xffff) {
            unsigned at = __builtin_ctz(~equal);
            return a[at] - b[at];
        }
    }
    if (n >= 8) {
        eight x = *(const eight *)a, y = *(const eight *)b;
        if (x != y)
            return compare(x, y);
        x = *(const eight *)(a + n - 8), y = *(const eight *)(b + n - 8);
        return compare(x, y);
    }
    if (n >= 4) {
        four x = *(const four *)a, y = *(const four *)b;
        if (x != y)
            return compare(x, y);
        x = *(const four *)(a + n - 4), y = *(const four *)(b + n - 4);
        return compare(x, y);
    }
    for (; n; n--, a++, b++)
        if (*a != *b)
            return *a - *b;
    return 0;
}
