// 64-bit atomics: below ARMv6K they are calls into libatomic, which has to be linked.

#include "checks.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::uint64_t ROUNDS = 20000;
constexpr std::uint64_t WIDE = (std::uint64_t{1} << 32) + 1;  // both halves have to move

// Lets all threads begin together.
class Gate {
public:
    void open()
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        is_open_ = true;
        opened_.notify_all();
    }
    void pass()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        opened_.wait(lock, [this] { return is_open_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable opened_;
    bool is_open_ = false;
};

}  // namespace

void check_atomics(unsigned threads)
{
    std::atomic<std::uint64_t> sum{0};
    Gate gate;
    std::vector<std::thread> adders;
    for (unsigned number = 0; number < threads; ++number) {
        adders.emplace_back([&sum, &gate] {
            gate.pass();
            for (std::uint64_t round = 0; round < ROUNDS; ++round) {
                sum.fetch_add(WIDE, std::memory_order_relaxed);
            }
        });
    }
    gate.open();
    for (std::thread &adder : adders) {
        adder.join();
    }
    const std::uint64_t wanted = WIDE * ROUNDS * threads;
    if (sum != wanted) {
        throw Fault("atomics: " + std::to_string(sum) + " instead of " + std::to_string(wanted));
    }
    std::cout << "atomics: no addition of 64 bits was lost\n";
}
