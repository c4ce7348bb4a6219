/* A source of events that saturates any generator: one thread, epoll, the native protocol (docs/wire.md).

   It is no server to be measured: tokens are read and not verified, runs are the same ten events for all. It counts
   its events and its own CPU time at /metrics, so that a generator is measured from outside.

   With --poll it never sleeps: whoever writes to a process that sleeps pays for waking its processor, which on a virtual
   machine costs as much as some events. So it counts the time at which it was at work, not what it spent on asking.

   gcc -O2 -o source bench/peers/source.c && ./source --port 0 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include "source_websocket.h"

enum { READY_AT_ONCE = 512, MOST_ADDRESSES = 64 };

static char scratch[2 * MOST_MESSAGE];
static uint64_t worked_ns; /* by its thread's own clock, but for waiting and asking */
static int polls;

/* HTTP */

/* The value of a header, empty where it is not there; `name` with its colon. */
static slice header(slice head, const char *name) {
    const char *end = head.at + head.n;
    for (const char *line = head.at; line < end;) {
        const char *stop = memchr(line, '\r', (size_t)(end - line));
        if (stop == NULL) stop = end;
        if ((size_t)(stop - line) >= strlen(name) && strncasecmp(line, name, strlen(name)) == 0) {
            const char *value = skip_space(line + strlen(name), stop);
            return (slice){value, (size_t)(stop - value)};
        }
        line = stop + 2;
    }
    return (slice){"", 0};
}

static void answer_http(int fd, const char *status, const char *type, const char *body) {
    char text[2048];
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status,
                     type, strlen(body), body);
    send_bytes(fd, text, (size_t)n);
    leave(fd);
}

static void answer_metrics(int fd) {
    char body[1024];
    snprintf(body, sizeof body,
             "# TYPE streamgauge_server_events_total counter\nstreamgauge_server_events_total %llu\n"
             "# TYPE streamgauge_server_cpu_seconds gauge\nstreamgauge_server_cpu_seconds %.6f\n"
             "# TYPE streamgauge_server_connections gauge\nstreamgauge_server_connections %llu\n",
             (unsigned long long)events_sent, (double)worked_ns / SECOND_NS, (unsigned long long)sockets);
    answer_http(fd, "200 OK", "text/plain; version=0.0.4", body);
}

/* The `sub` of the bearer token, raw as in its JSON; the token is read, not verified. NULL: there is none. */
static char *subject(slice authorization) {
    static const slice SUB[] = {LITERAL("sub")};
    const char *end = authorization.at + authorization.n;
    const char *from = memchr(authorization.at, '.', authorization.n);
    const char *to = from == NULL ? NULL : memchr(from + 1, '.', (size_t)(end - from - 1));
    if (to == NULL) return NULL;
    char *claims = grown(NULL, (size_t)(to - from));
    slice sub[1] = {{"", 0}};
    fields((slice){claims, unbase64url((slice){from + 1, (size_t)(to - from - 1)}, claims)}, 1, SUB, sub);
    slice name = inner(sub[0]);
    char *user = name.n == 0 ? NULL : strndup(name.at, name.n);
    free(claims);
    return user;
}

static void upgrade(int fd, slice head) {
    connection *c = &connections[fd];
    slice key = header(head, "Sec-WebSocket-Key:");
    if (key.n == 0 || key.n > 64) {
        answer_http(fd, "426 Upgrade Required", "text/plain", "a WebSocket is spoken here, and /metrics\n");
        return;
    }
    if ((c->user = subject(header(head, "Authorization:"))) == NULL) {
        answer_http(fd, "401 Unauthorized", "text/plain", "no JWT with a sub in Authorization: Bearer\n");
        return;
    }
    char accept[64 + 36];
    uint8_t digest[20];
    writer w = {accept};
    put(&w, key), put(&w, LITERAL("258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    sha1((slice){accept, (size_t)(w.at - accept)}, digest);
    w = writer_of(ENVELOPE_ROOM);
    put(&w, LITERAL("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: "));
    put_base64(&w, digest, sizeof digest), put(&w, LITERAL("\r\n\r\n"));
    c->serial = ++serials;
    sockets++;
    send_written(fd, w);
    if (c->open) greet_those_who_may(fd);
}

/* One HTTP request; the bytes it took, 0 where it is not all there. */
static size_t hear_http(int fd, char *at, size_t n) {
    char *end = memmem(at, n, "\r\n\r\n", 4);
    if (end == NULL) {
        if (n > 16384) answer_http(fd, "431 Request Header Fields Too Large", "text/plain", "");
        return 0;
    }
    if (n >= 13 && memcmp(at, "GET /metrics ", 13) == 0) answer_metrics(fd);
    else upgrade(fd, (slice){at, (size_t)(end - at)});
    return (size_t)(end - at) + 4;
}

/* Sockets */

static void hear_socket(int fd) {
    connection *c = &connections[fd];
    size_t n = c->unread_n, at = 0;
    if (n > 0) memcpy(scratch, c->unread, n);
    ssize_t got = recv(fd, scratch + n, sizeof scratch - n, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) drop(fd);
        return;
    }
    n += (size_t)got;
    while (at < n && c->open && !c->closing) {
        size_t took = c->user == NULL ? hear_http(fd, scratch + at, n - at)
                                      : hear_frame(fd, (uint8_t *)scratch + at, n - at);
        if (took == 0) break;
        at += took;
    }
    if (!c->open) return;
    if (c->closing) at = n;
    c->unread_n = n - at;
    if (c->unread_n == 0) {
        free(c->unread);
        c->unread = NULL;
        return;
    }
    c->unread = grown(c->unread, c->unread_n);
    memcpy(c->unread, scratch + at, c->unread_n);
}

static void welcome(int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections[fd].open = 1;
        watch(fd, EPOLL_CTL_ADD, 0);
    }
    if (errno != EAGAIN && errno != ECONNABORTED) die("source: accept");
}

/* The port that it listens on. */
static int listen_on(const char *address, int port) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof name;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (inet_pton(AF_INET, address, &name.sin_addr) != 1 || ntohl(name.sin_addr.s_addr) >> 24 != 127) {
        fprintf(stderr, "source: --address %s: only addresses of 127.0.0.0/8 are listened on\n", address);
        exit(2);
    }
    if (fd < 0) die("source: socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&name, size) != 0 || listen(fd, 65535) != 0) die("source: listen");
    getsockname(fd, (struct sockaddr *)&name, &size);
    connections[fd].listening = 1;
    watch(fd, EPOLL_CTL_ADD, 0);
    return ntohs(name.sin_port);
}

static void serve(void) {
    static struct epoll_event ready[READY_AT_ONCE];
    for (;;) {
        uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
        struct timespec wait = {0, 0}, *until = polls ? &wait : NULL;
        if (!polls && first_paced != NULL) {
            uint64_t left_ns = first_paced->due_ns > now_ns ? first_paced->due_ns - now_ns : 0;
            wait = (struct timespec){(time_t)(left_ns / SECOND_NS), (long)(left_ns % SECOND_NS)};
            until = &wait;
        }
        int n = epoll_pwait2(poller, ready, READY_AT_ONCE, until, NULL);
        if (n < 0 && errno != EINTR) die("source: epoll_pwait2");
        uint64_t began_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (connections[fd].listening) {
                welcome(fd);
                continue;
            }
            if (connections[fd].open && ready[i].events & EPOLLOUT) flush(fd);
            if (connections[fd].open && ready[i].events & ~(unsigned)EPOLLOUT) hear_socket(fd);
        }
        send_what_is_due(clock_ns(CLOCK_MONOTONIC));
        if (n > 0 || !polls) worked_ns += clock_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns;
    }
}

static long number(const char *option, const char *text) {
    char *end;
    long value = text == NULL ? -1 : strtol(text, &end, 10);
    if (value < 0 || *end != 0) {
        fprintf(stderr, "source: %s needs a whole number, not below 0\n", option);
        exit(2);
    }
    return value;
}

int main(int count, char **words) {
    const char *addresses[MOST_ADDRESSES] = {"127.0.0.1"};
    int port = 0, named = 0;
    for (int i = 1; i < count; i += 2) {
        const char *option = words[i], *value = words[i + 1]; /* words ends in NULL */
        if (strcmp(option, "--poll") == 0) polls = 1, i--;
        else if (strcmp(option, "--port") == 0) port = (int)number(option, value);
        else if (strcmp(option, "--gap-us") == 0) gap_ns = (uint64_t)number(option, value) * 1000;
        else if (strcmp(option, "--hold") == 0) hold_until = (uint64_t)number(option, value);
        else if (strcmp(option, "--address") == 0 && value != NULL && named < MOST_ADDRESSES) addresses[named++] = value;
        else {
            fprintf(stderr, "usage: source [--port P] [--address 127.X.Y.Z]... [--gap-us G] [--hold N] [--poll]\n"
                            "  --gap-us  0: acceptance and events of a run in one write; else one event per write,\n"
                            "            G microseconds after the one before\n"
                            "  --hold    greet nobody until N sockets are open\n"
                            "  --poll    never sleep: it needs a core of its own\n");
            return 2;
        }
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    most_descriptors = (int)files.rlim_max;
    connections = calloc((size_t)most_descriptors, sizeof *connections);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (connections == NULL || poller < 0) die("source: set up");
    FILE *boot = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (boot == NULL || fscanf(boot, "%63s", clock_id) != 1) die("source: boot_id");
    fclose(boot);
    for (int i = 0; i == 0 || i < named; i++) port = listen_on(addresses[i], port);
    printf("{\"listening\":\"ws://%s:%d/ws\",\"port\":%d,\"pid\":%d}\n", addresses[0], port, port, getpid());
    fflush(stdout);
    serve();
}
