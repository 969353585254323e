#ifndef HELLO_CPP_CHECKS_H
#define HELLO_CPP_CHECKS_H

// Each prints what it saw on standard output and throws Fault where it was not right.

#include <stdexcept>

class Fault : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

void check_exceptions(unsigned threads);
void check_thread_locals(unsigned threads);
void check_atomics(unsigned threads);
void check_streams();

#endif
