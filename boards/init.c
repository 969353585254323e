/* The first program of an emulated board: makes a machine of it, then starts the service as process 1
 * of a PID namespace of its own, and says how that ended.
 *
 *   /.board/modules    kernel modules to load, a path in each line
 *   /.board/network    there if the board has a network
 *   /.board/program    the service's program and its arguments, each with a NUL behind it
 *   /.board/port       the port it serves, if it serves one
 *
 * All that it says starts with "board: ", which is how the host tells its words from others'. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 32, WAITS = 100, STEP_MS = 200 };
enum { COMPRESSED = 4 }; /* MODULE_INIT_COMPRESSED_FILE of linux/module.h, since Linux 5.17 */

/* What QEMU's user-mode network gives to its first guest and says of itself. */
static const char *const ADDRESS = "10.0.2.15", *const MASK = "255.255.255.0",
                         *const GATEWAY = "10.0.2.2";

static void pause_ms(long ms) {
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void failed(const char *what) { printf("board: %s: %s\n", what, strerror(errno)); }

static void mount_at(const char *kind, const char *place) {
    mkdir(place, 0755);
    if (mount(kind, place, kind, 0, NULL) != 0) failed(place);
}

static void load_modules(void) {
    FILE *list = fopen("/.board/modules", "re");
    char path[256];
    while (list != NULL && fgets(path, sizeof path, list) != NULL) {
        path[strcspn(path, "\n")] = 0;
        size_t length = strlen(path);
        int packed = length > 3 && strcmp(path + length - 3, ".ko") != 0 ? COMPRESSED : 0;
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0 || syscall(SYS_finit_module, file, "", packed) != 0) failed(path);
        if (file >= 0) close(file);
    }
    if (list != NULL) fclose(list);
}

/* The first interface that is not the loopback one. */
static int find_interface(char name[IFNAMSIZ]) {
    DIR *folder = opendir("/sys/class/net");
    int found = 0;
    for (struct dirent *one; folder != NULL && !found && (one = readdir(folder)) != NULL;) {
        char path[300], kind[16] = "";
        snprintf(path, sizeof path, "/sys/class/net/%s/type", one->d_name);
        FILE *file = fopen(path, "re");
        if (file == NULL) continue;
        if (fgets(kind, sizeof kind, file) != NULL && atoi(kind) == 1) { /* ARPHRD_ETHER */
            snprintf(name, IFNAMSIZ, "%.*s", IFNAMSIZ - 1, one->d_name);
            found = 1;
        }
        fclose(file);
    }
    if (folder != NULL) closedir(folder);
    return found;
}

static void address(struct sockaddr *to, const char *text) {
    struct sockaddr_in *in = (struct sockaddr_in *)to;
    in->sin_family = AF_INET;
    inet_pton(AF_INET, text, &in->sin_addr);
}

static int bring_up(int sock, const char *name, const char *own, const char *mask) {
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    address(&request.ifr_addr, own);
    if (ioctl(sock, SIOCSIFADDR, &request) != 0) return -1;
    address(&request.ifr_netmask, mask);
    if (ioctl(sock, SIOCSIFNETMASK, &request) != 0) return -1;
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return ioctl(sock, SIOCSIFFLAGS, &request);
}

static void set_up_network(int wanted) {
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    char name[IFNAMSIZ] = "";
    if (bring_up(sock, "lo", "127.0.0.1", "255.0.0.0") != 0) failed("lo");
    for (int waited = 0; wanted && !find_interface(name) && waited < WAITS; waited++)
        pause_ms(STEP_MS);
    if (!wanted) {
        printf("board: no network is declared\n");
    } else if (name[0] == 0) {
        printf("board: over: no network came up in %d s\n", WAITS * STEP_MS / 1000);
    } else if (bring_up(sock, name, ADDRESS, MASK) != 0) {
        failed(name);
    } else {
        struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
        address(&route.rt_gateway, GATEWAY);
        address(&route.rt_dst, "0.0.0.0");
        address(&route.rt_genmask, "0.0.0.0");
        if (ioctl(sock, SIOCADDRT, &route) != 0) failed("route");
        printf("board: network by %s, %s\n", name, ADDRESS);
    }
    close(sock);
}

/* Says when the port is served; a child does, the service itself is process 1. */
static void watch(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    for (;;) {
        int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int taken = connect(sock, (struct sockaddr *)&to, sizeof to) == 0;
        close(sock);
        if (taken) {
            printf("\nboard: port %d is served\n", port);
            exit(0);
        }
        pause_ms(STEP_MS);
    }
}

/* The program and its arguments; 0 where there are too many. */
static int read_words(char *words[WORDS + 1]) {
    static char text[16384];
    FILE *file = fopen("/.board/program", "re");
    size_t length = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    int count = 0;
    if (file == NULL || !feof(file)) return 0;
    fclose(file);
    for (char *word = text; word < text + length; word += strlen(word) + 1) {
        if (count == WORDS) return 0;
        words[count++] = word;
    }
    return count;
}

static void drain(void) {
    fflush(stdout);
    tcdrain(STDOUT_FILENO);
}

int main(void) {
    static char port[16], *words[WORDS + 1];
    int status = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("board: user space\n");
    mount_at("proc", "/proc");
    mount_at("sysfs", "/sys");
    mount_at("devtmpfs", "/dev");
    load_modules();
    set_up_network(access("/.board/network", R_OK) == 0);

    FILE *file = fopen("/.board/port", "re");
    if (file != NULL && fgets(port, sizeof port, file) != NULL) {
        setenv("PORT", port, 1);
        pid_t watcher = fork();
        if (watcher < 0) failed("fork");
        if (watcher == 0) watch(atoi(port));
    }
    if (read_words(words) == 0) {
        printf("board: over: no program, or more than %d words\n", WORDS);
    } else {
        printf("board: starting %s\n", words[0]);
        drain();
        pid_t service = unshare(CLONE_NEWPID) == 0 ? fork() : -1;
        if (service == 0) {
            execv(words[0], words);
            failed(words[0]);
            _exit(127);
        }
        if (service < 0) {
            printf("board: over: no process 1 of a namespace (%s)\n", strerror(errno));
        } else {
            while (waitpid(service, &status, 0) < 0 && errno == EINTR) {
            }
            /* On a line of its own, wherever the program stopped. */
            printf(WIFSIGNALED(status) ? "\nboard: over: signal %d\n" : "\nboard: over: code %d\n",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        }
    }
    drain();
    for (;;) pause(); /* the host switches the board off */
}
