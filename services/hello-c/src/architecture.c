/* What the compiler was told to build for: the only part of the output that differs by target. */

#include "checks.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define STRING_OF(value) #value
#define EXPANDED_STRING_OF(value) STRING_OF(value)

#if defined(__x86_64__)
#define ARCHITECTURE "x86_64"
#elif defined(__i386__)
#define ARCHITECTURE "i386"
#elif defined(__aarch64__)
#define ARCHITECTURE "aarch64"
#elif defined(__arm__)
#define ARCHITECTURE "armv" EXPANDED_STRING_OF(__ARM_ARCH)
#elif defined(__riscv)
#define ARCHITECTURE "riscv" EXPANDED_STRING_OF(__riscv_xlen)
#else
#define ARCHITECTURE "unknown"
#endif

#if defined(__arm__) && defined(__ARM_PCS_VFP)
#define FLOATS ", hard float"
#elif defined(__arm__)
#define FLOATS ", soft float"
#else
#define FLOATS ""
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTE_ORDER_NAME "little"
static const unsigned char ONE_IN_MEMORY[] = {1, 0, 0, 0};
#else
#define BYTE_ORDER_NAME "big"
static const unsigned char ONE_IN_MEMORY[] = {0, 0, 0, 1};
#endif

/* The machine that runs this, or the emulator, has to agree with the compiler. */
static bool byte_order_is_as_compiled(void)
{
    volatile uint32_t one = 1;
    uint32_t seen = one;
    return memcmp(&seen, ONE_IN_MEMORY, sizeof seen) == 0;
}

bool check_architecture(void)
{
    printf("architecture: %s, %zu bit, %s endian%s\n", ARCHITECTURE, sizeof(void *) * CHAR_BIT,
           BYTE_ORDER_NAME, FLOATS);
    return byte_order_is_as_compiled() || fault("byte order: not %s endian", BYTE_ORDER_NAME);
}
