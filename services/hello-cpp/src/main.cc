// Checks the parts of a C++ library that a static build for a small processor gets wrong first.

#include "checks.h"

#include <charconv>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

namespace {

constexpr unsigned DEFAULT_THREADS = 4;
constexpr unsigned MOST_THREADS = 64;
constexpr int USAGE_ERROR = 2;

// 0 for what is not a number from 1 to MOST_THREADS.
unsigned parse_threads(std::string_view text)
{
    unsigned threads = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole && threads <= MOST_THREADS ? threads : 0;
}

}  // namespace

int main(int argc, char **argv)
{
    const unsigned threads = argc > 1 ? parse_threads(argv[1]) : DEFAULT_THREADS;
    if (argc > 2 || threads == 0) {
        std::cerr << "usage: hello-cpp [THREADS], from 1 to " << MOST_THREADS << '\n';
        return USAGE_ERROR;
    }
    try {
        check_exceptions(threads);
        check_thread_locals(threads);
        check_atomics(threads);
        check_streams();
    } catch (const std::exception &error) {
        std::cerr << "hello-cpp: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
    std::cout << "hello-cpp: ok\n" << std::flush;
    // Output that was lost must not pass for success.
    if (!std::cout) {
        std::cerr << "hello-cpp: standard output could not be written\n";
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
