#include "checks.h"

#include <stdarg.h>
#include <stdio.h>

bool fault(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("FAILED ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    return false;
}
