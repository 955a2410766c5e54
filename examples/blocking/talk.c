/* The same conversation in C: wasi-libc and WasmEdge's socket imports, blocking calls, no event loop.
 *
 *     clang --target=wasm32-wasi -O2 -o talk-c.wasm talk.c
 *
 *     talk serve 127.0.0.1 PORT   answers what callers say, one caller at a time, until one says "bye"
 *     talk ask localhost PORT     says each line of the standard input, and prints the answers
 *
 * wasi-libc has no socket(), bind() or connect(), so they are declared here. What they open is a descriptor like any
 * other: read, write, poll and close work on it. */

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IMPORT(name) \
    __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) int32_t name

struct octets { uint8_t *bytes; uint32_t len; };
struct sockaddr_wasi { uint8_t family; uint32_t len; uint8_t *data; };
struct info {
    uint16_t flags; uint8_t family, type, protocol; uint32_t addrlen;
    struct sockaddr_wasi *addr; char *canonname; uint32_t canonlen; struct info *next;
};

IMPORT(sock_open)(int32_t family, int32_t type, uint32_t *fd);
IMPORT(sock_bind)(uint32_t fd, struct octets *address, uint32_t port);
IMPORT(sock_listen)(uint32_t fd, uint32_t backlog);
IMPORT(sock_accept)(uint32_t fd, uint32_t *connection);
IMPORT(sock_connect)(uint32_t fd, struct octets *address, uint32_t port);
IMPORT(sock_getlocaladdr)(uint32_t fd, struct octets *address, uint32_t *family, uint32_t *port);
IMPORT(sock_getaddrinfo)(const char *node, uint32_t node_len, const char *service, uint32_t service_len,
                         const struct info *hints, struct info **results, uint32_t max, uint32_t *count);

enum { INET4 = 1, STREAM = 2, TCP = 1 };

static void check(int32_t error, const char *what) {
    if (error == 0) return;
    fprintf(stderr, "%s: %s\n", what, strerror(error));
    exit(1);
}

/* Asks for the IPv4 address of a name; the host suspends us while it looks. */
static void look_up(const char *name, uint8_t octets[4]) {
    uint8_t data[26];
    struct sockaddr_wasi addr = {INET4, sizeof data, data};
    struct info answer = {.addr = &addr}, hints = {.family = INET4, .type = STREAM, .protocol = TCP};
    struct info *answers = &answer;
    uint32_t count = 0;
    check(sock_getaddrinfo(name, strlen(name), "0", 1, &hints, &answers, 1, &count), name);
    memcpy(octets, data + 2, 4); /* after the port */
}

static uint32_t open_socket(const char *name, uint8_t octets[4]) {
    uint32_t fd;
    look_up(name, octets);
    check(sock_open(INET4, STREAM, &fd), "open");
    return fd;
}

static int write_all(int fd, const char *bytes, size_t len) {
    while (len > 0) {
        ssize_t sent = write(fd, bytes, len);
        if (sent < 0) return errno;
        bytes += sent, len -= sent;
    }
    return 0;
}

static int serve(const char *host, uint32_t port) {
    uint8_t octets[16];
    struct octets address = {octets, 4}, own = {octets, 16};
    uint32_t listener = open_socket(host, octets), family, connection;
    check(sock_bind(listener, &address, port), "bind");
    check(sock_listen(listener, 16), "listen");
    check(sock_getlocaladdr(listener, &own, &family, &port), "getlocaladdr");
    printf("listening on port %u\n", port);
    fflush(stdout);
    for (;;) {
        char line[1024];
        struct timespec pause = {0, 100 * 1000 * 1000};
        int error = sock_accept(listener, &connection);
        if (error) { /* most often no descriptor is free: the caller waits until one is */
            fprintf(stderr, "accept: %s\n", strerror(error));
            nanosleep(&pause, NULL);
            continue;
        }
        FILE *caller = fdopen(connection, "r");
        while (fgets(line, sizeof line, caller)) {
            struct timespec thought = {0, 10 * 1000 * 1000};
            nanosleep(&thought, NULL);
            int bye = strcmp(line, "bye\n") == 0;
            for (char *c = line; *c; c++) *c = toupper((unsigned char)*c);
            if (write_all(connection, line, strlen(line))) break; /* the caller is gone */
            if (bye) return 0;
        }
        fclose(caller);
    }
}

/* Waits for a line and for the end of the connection, whichever is first. */
static int a_line_comes(int server) {
    struct pollfd both[2] = {{STDIN_FILENO, POLLIN, 0}, {server, POLLIN, 0}};
    if (poll(both, 2, -1) < 0) check(errno, "poll");
    if (both[0].revents) return 1;
    fprintf(stderr, "the server went away\n");
    exit(1);
}

static int ask(const char *host, uint32_t port) {
    uint8_t octets[16];
    struct octets address = {octets, 4};
    uint32_t server = open_socket(host, octets);
    check(sock_connect(server, &address, port), "connect");
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    char line[1024];
    int lines = 0, bye = 0;
    setvbuf(stdin, NULL, _IONBF, 0); /* what is buffered, poll does not see */
    while (!bye && a_line_comes(server) && fgets(line, sizeof line, stdin)) {
        bye = strcmp(line, "bye\n") == 0;
        size_t want = strlen(line), got = 0;
        check(write_all(server, line, want), "write");
        while (got < want) {
            ssize_t n = read(server, line + got, want - got);
            if (n <= 0) check(n ? errno : EPIPE, "read");
            got += n;
        }
        fwrite(line, 1, got, stdout);
        fflush(stdout);
        lines++;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    fprintf(stderr, "%d answers in %lld ms\n", lines,
            (now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "serve") == 0) return serve(argv[2], atoi(argv[3]));
    if (argc == 4 && strcmp(argv[1], "ask") == 0) return ask(argv[2], atoi(argv[3]));
    fprintf(stderr, "usage: talk serve|ask HOST PORT\n");
    return 2;
}
