// An exception is thrown on one thread and caught on another: the unwinder has to find its tables
// in a static program, and the exception object has to outlive the thread that threw it.

#include "checks.h"

#include <future>
#include <iostream>
#include <string>
#include <vector>

namespace {

// Counts its living objects: unwinding has to destroy what stands between throw and catch.
class Guard {
public:
    explicit Guard(int &count) : count_(count) { ++count_; }
    ~Guard() { --count_; }
    Guard(const Guard &) = delete;
    Guard &operator=(const Guard &) = delete;

private:
    int &count_;
};

class Refused : public std::runtime_error {
public:
    explicit Refused(unsigned number)
        : std::runtime_error("number " + std::to_string(number)), number_(number)
    {
    }
    unsigned number() const { return number_; }

private:
    unsigned number_;
};

[[noreturn]] void refuse(unsigned depth, unsigned number, int &living)
{
    const Guard guard(living);
    if (depth == 0) {
        throw Refused(number);
    }
    refuse(depth - 1, number, living);
}

// Returns how many objects were left when the exception had passed.
void throw_and_wrap(unsigned number)
{
    int living = 0;
    try {
        refuse(20, number, living);
    } catch (const Refused &) {
        if (living != 0) {
            throw Fault("exceptions: unwinding left " + std::to_string(living) + " objects");
        }
        std::throw_with_nested(std::runtime_error("a thread was refused"));
    }
}

}  // namespace

void check_exceptions(unsigned threads)
{
    std::vector<std::future<void>> works;
    for (unsigned number = 0; number < threads; ++number) {
        works.push_back(std::async(std::launch::async, throw_and_wrap, number));
    }
    unsigned caught = 0;
    for (unsigned number = 0; number < threads; ++number) {
        try {
            works[number].get();
        } catch (const Fault &) {
            throw;
        } catch (const std::runtime_error &outer) {
            try {
                std::rethrow_if_nested(outer);
            } catch (const Refused &inner) {
                caught += inner.number() == number ? 1 : 0;
            }
        }
    }
    if (caught != threads) {
        throw Fault("exceptions: " + std::to_string(caught) + " came across instead of "
                    + std::to_string(threads));
    }
    std::cout << "exceptions: all came across threads\n";
}
