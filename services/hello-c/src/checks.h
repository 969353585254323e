#ifndef HELLO_C_CHECKS_H
#define HELLO_C_CHECKS_H

#include <stdbool.h>

/* Each prints what it saw and returns whether it was right. */

bool check_architecture(void);
bool check_threads(unsigned threads);
bool check_addresses(void);
bool check_time(void);

/* One line per fault, in the same form everywhere. Returns false, to be returned in turn. */
bool fault(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
