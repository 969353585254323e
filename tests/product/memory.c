/* memcpy, memmove, memset and memcmp against bytes one by one, at the edges of pages that cannot be
 * touched: every size up to 300 at every alignment of the destination and every third of the source,
 * some sizes up to 5000, overlaps by up to 200 bytes; the bytes beside the destination must stay. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef unsigned char byte;
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile move)(void *, const void *, size_t) = memmove;
static void *(*volatile set)(void *, int, size_t) = memset;
static int (*volatile compare)(const void *, const void *, size_t) = memcmp;

enum { ROOM = 65536, SMALL = 300 };
static byte *front[2], *back[2]; /* right behind a page that cannot be touched, right before one */
static byte expected[ROOM];

static byte *fenced(void)
{
    size_t page = sysconf(_SC_PAGESIZE);
    byte *all = mmap(0, ROOM + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + page, ROOM, PROT_READ | PROT_WRITE)) exit(2);
    return all + page;
}

static void fail(const char *what, size_t n, size_t to, size_t from)
{
    printf("%s of %zu bytes is wrong, to %zu, from %zu\n", what, n, to, from);
    exit(1);
}

static void fill(byte *at, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++) at[i] = seed = seed * 1103515245 + 12345, at[i] ^= seed >> 16;
}

static void apart(size_t n, size_t to, size_t from)
{
    byte *ends[2][2] = {{front[0] + to, front[1] + from}, {back[0] - to - n, back[1] - from - n}};
    for (int end = 0; end < 2; end++) {
        byte *d = ends[end][0], *s = ends[end][1];
        int before = end || to, after = !end || to; /* there is room for a byte there */
        if (before) d[-1] = 0xa5;
        if (after) d[n] = 0x5a;
        for (int way = 0; way < 2; way++) {
            fill(s, n, n + to + from + way);
            if ((way ? move : copy)(d, s, n) != d) fail("memcpy's answer", n, to, from);
            for (size_t i = 0; i < n; i++)
                if (d[i] != s[i]) fail(way ? "memmove" : "memcpy", n, to, from);
        }
        if (compare(d, s, n)) fail("memcmp of equals", n, to, from);
        for (size_t at = n < SMALL ? 0 : n - 3; at < n; at += 1 + n / 16) {
            byte was = d[at];
            d[at] = was + 1;
            int sign = compare(d, s, n);
            if ((sign > 0) != (d[at] > s[at]) || !sign) fail("memcmp", n, to, from);
            d[at] = was;
        }
        set(d, n + to, n);
        for (size_t i = 0; i < n; i++)
            if (d[i] != (byte)(n + to)) fail("memset", n, to, from);
        if ((before && d[-1] != 0xa5) || (after && d[n] != 0x5a)) fail("the border", n, to, from);
    }
}

static void overlapping(size_t n, size_t to, size_t from)
{
    byte *room = front[0];
    fill(room, n + to + from, n);
    for (size_t i = 0; i < n; i++) expected[i] = room[from + i];
    move(room + to, room + from, n);
    for (size_t i = 0; i < n; i++)
        if (room[to + i] != expected[i]) fail("memmove over itself", n, to, from);
}

int main(void)
{
    for (int i = 0; i < 2; i++) front[i] = fenced(), back[i] = front[i] + ROOM;
    for (size_t n = 0; n <= SMALL; n++)
        for (size_t to = 0; to < 16; to++)
            for (size_t from = n % 3; from < 16; from += 3) apart(n, to, from);
    for (size_t n = 1000; n < 5000; n += 61)
        for (size_t to = 0; to < 16; to += 5) apart(n, to, n % 16);
    for (size_t n = 0; n < 700; n += n < 200 ? 1 : 37)
        for (size_t by = 0; by < 200; by += by < 20 ? 1 : 19) overlapping(n, by, 0), overlapping(n, 0, by);
    puts("as it should be");
}
