/* Resolves numeric hosts, which asks no network and no file, and prints them in canonical form. */

#include "checks.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Holds every numeric form: 45 characters for IPv6, then a scope. */
enum { HOST_SIZE = 128 };

struct address {
    const char *given;
    const char *canonical;
    int family;
};

static const struct address ADDRESSES[] = {
    {"127.0.0.1", "127.0.0.1", AF_INET},
    {"::1", "::1", AF_INET6},
    {"2001:DB8:0:0:0:0:0:7", "2001:db8::7", AF_INET6},
};

static bool check_canonical(const struct address *address, const struct addrinfo *found)
{
    char host[HOST_SIZE];
    int error = getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, NULL, 0,
                            NI_NUMERICHOST);
    if (error != 0) {
        return fault("address %s: getnameinfo: %s", address->given, gai_strerror(error));
    }
    printf("address %s: %s\n", address->given, host);
    if (found->ai_family != address->family) {
        return fault("address %s: family %d instead of %d", address->given, found->ai_family,
                     address->family);
    }
    return strcmp(host, address->canonical) == 0
           || fault("address %s: %s instead of %s", address->given, host, address->canonical);
}

static bool check_address(const struct address *address)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int error = getaddrinfo(address->given, NULL, &hints, &found);
    if (error != 0) {
        return fault("address %s: getaddrinfo: %s", address->given, gai_strerror(error));
    }
    bool ok = check_canonical(address, found);
    freeaddrinfo(found);
    return ok;
}

static bool check_refusal(const char *name)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int error = getaddrinfo(name, NULL, &hints, &found);
    if (error == 0) {
        freeaddrinfo(found);
    }
    printf("address %s: %s\n", name, error == EAI_NONAME ? "not numeric" : "unexpected answer");
    return error == EAI_NONAME || fault("address %s: error %d instead of %d", name, error, EAI_NONAME);
}

bool check_addresses(void)
{
    bool ok = true;
    for (size_t i = 0; i < sizeof ADDRESSES / sizeof *ADDRESSES; i++) {
        ok &= check_address(&ADDRESSES[i]);
    }
    ok &= check_refusal("not.an.address");
    return ok;
}
