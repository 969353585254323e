// Formatting and parsing by iostreams: facets of the classic locale are linked in by tables that a
// linker without them would leave out.

#include "checks.h"

#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

namespace {

void expect(std::string_view what, const std::string &got, std::string_view wanted)
{
    if (got != wanted) {
        throw Fault("streams: " + std::string(what) + ": '" + got + "' instead of '"
                    + std::string(wanted) + "'");
    }
    std::cout << what << ": " << got << '\n';
}

std::string round_trip(double value)
{
    std::stringstream text;
    text << std::setprecision(17) << value;
    double back = 0.0;
    text >> back;
    return text.eof() && back == value ? "equal" : "another number";
}

}  // namespace

void check_streams()
{
    std::ostringstream number;
    number << std::fixed << std::setprecision(3) << std::setw(10) << std::setfill('*') << 1234.5678;
    expect("fixed", number.str(), "**1234.568");
    std::ostringstream hexadecimal;
    hexadecimal << std::hex << std::showbase << 0xfeedu;
    expect("hexadecimal", hexadecimal.str(), "0xfeed");
    expect("round trip", round_trip(0.1), "equal");
    std::istringstream words("nineteen 19 x");
    std::string word;
    int value = 0;
    words >> word >> value;
    int none = 0;
    const bool refused = !(words >> none);
    expect("parsed", word + " " + std::to_string(value) + (refused ? " refused" : " taken"),
           "nineteen 19 refused");
}
