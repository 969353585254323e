// Objects of static and thread storage with constructors and destructors: a static program runs
// them from its own start and exit, and each thread runs those of its own.

#include "checks.h"

#include <atomic>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<int> made{0};
std::atomic<int> gone{0};

class Diary {
public:
    Diary() : text_("begun") { ++made; }
    ~Diary() { ++gone; }
    Diary(const Diary &) = delete;
    Diary &operator=(const Diary &) = delete;
    void write(const std::string &more) { text_ += more; }
    const std::string &text() const { return text_; }

private:
    std::string text_;
};

thread_local Diary diary;
const std::string before_main = std::string("made ") + "before main";

}  // namespace

void check_thread_locals(unsigned threads)
{
    if (before_main != "made before main") {
        throw Fault("thread-local objects: constructors did not run before main");
    }
    std::vector<std::thread> writers;
    std::atomic<unsigned> right{0};
    for (unsigned number = 0; number < threads; ++number) {
        writers.emplace_back([number, &right] {
            diary.write(", " + std::to_string(number));
            right += diary.text() == "begun, " + std::to_string(number) ? 1u : 0u;
        });
    }
    for (std::thread &writer : writers) {
        writer.join();
    }
    const auto wanted = static_cast<int>(threads);
    if (right != threads || made != wanted || gone != wanted) {
        throw Fault("thread-local objects: " + std::to_string(right) + " right, "
                    + std::to_string(made) + " made and " + std::to_string(gone)
                    + " destroyed instead of " + std::to_string(threads));
    }
    std::cout << "thread-local objects: each thread had its own\n";
}
