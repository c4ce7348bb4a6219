/* A source of events that saturates any generator: one thread, epoll, the native protocol (docs/wire.md).

   It is no server to be measured: tokens are read and not verified, runs are the same ten events for all. It counts
   its events and its own CPU time at /metrics, so that a generator is measured from outside.

   gcc -O2 -o source bench/peers/source.c && ./source --port 0 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "source_run.h"

enum {
    MOST_MESSAGE = 65536,
    MOST_UNSENT = 8 << 20, /* a reader that leaves more unread is dropped */
    READY_AT_ONCE = 512,
    MOST_ADDRESSES = 64,
};

typedef struct {
    char *user; /* NULL: no WebSocket yet */
    char *unread, *unsent;
    size_t unread_n, unsent_n;
    uint64_t serial, offset; /* serial: tells this connection from a later one of the same descriptor */
    int listening, open, greeted, closing;
} connection;

/* A run whose events are sent one by one; `due_ns` grows along the queue, for the gap is the same for all. */
typedef struct paced {
    run run;
    int fd;
    uint64_t serial, due_ns;
    struct paced *next;
} paced;

static connection *connections; /* by descriptor */
static int poller, most_descriptors;
static uint64_t sockets, serials, events_sent, gap_ns, hold_until;
static paced *first_paced, **last_paced = &first_paced;
static char clock_id[64], scratch[2 * MOST_MESSAGE];
static char *out; /* what is being written, with room for `out_room` */
static size_t out_room;

static void die(const char *what) {
    perror(what);
    exit(2);
}

static void *grown(void *at, size_t n) {
    if ((at = realloc(at, n)) == NULL) die("source: memory");
    return at;
}

static writer writer_of(size_t room) {
    if (room > out_room) out = grown(out, out_room = room);
    return (writer){out};
}

/* xorshift128+ (Vigna): nobody attacks a source of traffic. */
static uint64_t random_bits(void) {
    static uint64_t state[2];
    if (state[0] == 0 && getrandom(state, sizeof state, 0) != sizeof state) die("source: getrandom");
    uint64_t a = state[0], b = state[1];
    a ^= a << 23;
    state[0] = b;
    state[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
    return state[1] + b;
}

static void drop(int fd) {
    connection *c = &connections[fd];
    if (!c->open) return;
    if (c->user != NULL) sockets--;
    free(c->user), free(c->unread), free(c->unsent);
    memset(c, 0, sizeof *c);
    close(fd);
}

static void watch(int fd, int operation, int writing) {
    struct epoll_event wanted = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.fd = fd};
    if (epoll_ctl(poller, operation, fd, &wanted) != 0) die("source: epoll_ctl");
}

/* What the socket does not take now is kept until it does. */
static void send_bytes(int fd, const char *at, size_t n) {
    connection *c = &connections[fd];
    if (!c->open) return;
    if (c->unsent_n == 0) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            drop(fd);
            return;
        }
        if (sent > 0) at += sent, n -= (size_t)sent;
        if (n == 0) return;
        watch(fd, EPOLL_CTL_MOD, 1);
    }
    if (c->unsent_n + n > MOST_UNSENT) {
        drop(fd);
        return;
    }
    c->unsent = grown(c->unsent, c->unsent_n + n);
    memcpy(c->unsent + c->unsent_n, at, n);
    c->unsent_n += n;
}

static void flush(int fd) {
    connection *c = &connections[fd];
    ssize_t sent = send(fd, c->unsent, c->unsent_n, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) drop(fd);
        return;
    }
    c->unsent_n -= (size_t)sent;
    memmove(c->unsent, c->unsent + sent, c->unsent_n);
    if (c->unsent_n > 0) return;
    free(c->unsent);
    c->unsent = NULL;
    watch(fd, EPOLL_CTL_MOD, 0);
    if (c->closing) drop(fd);
}

static void send_written(int fd, writer w) { send_bytes(fd, out, (size_t)(w.at - out)); }

/* Everything is said that there was to say: gone as soon as it is sent. */
static void leave(int fd) {
    connections[fd].closing = 1;
    if (connections[fd].open && connections[fd].unsent_n == 0) drop(fd);
}

/* WebSocket */

static slice user_of(const connection *c) { return (slice){c->user, strlen(c->user)}; }

static void send_close(int fd, const char *payload, size_t n) {
    char frame[2 + 125] = {(char)0x88, (char)n};
    memcpy(frame + 2, payload, n);
    send_bytes(fd, frame, 2 + n);
    leave(fd);
}

static void fail(int fd, int code) {
    char payload[2] = {(char)(code >> 8), (char)code};
    send_close(fd, payload, 2);
}

static void greet(int fd) {
    connection *c = &connections[fd];
    uint64_t session[2] = {random_bits(), random_bits()};
    writer w = writer_of(ENVELOPE_ROOM + strlen(c->user));
    put_greeting(&w, user_of(c), (slice){clock_id, strlen(clock_id)}, c->serial, session);
    c->greeted = 1;
    send_written(fd, w);
}

/* With --hold, nobody is greeted until so many are there: all generators begin with all sockets open. Only the socket
   by which streamgauge looks at its target before a run is not to wait. */
static void greet_those_who_may(int fd) {
    if (equal(user_of(&connections[fd]), LITERAL("probe"))) {
        greet(fd);
        return;
    }
    if (sockets < hold_until) return;
    if (hold_until == 0 || sockets > hold_until) {
        greet(fd);
        return;
    }
    hold_until = 0;
    for (int each = 0; each < most_descriptors; each++)
        if (connections[each].user != NULL && !connections[each].greeted) greet(each);
}

static slice kept(char **at, slice text) {
    slice copy = {memcpy(*at, text.at, text.n), text.n};
    *at += text.n;
    return copy;
}

static void pace(int fd, const run *r) {
    slice texts[TEXTS_OF_A_RUN] = {r->request, r->thread, r->agent, r->context, r->text};
    size_t n = sizeof(paced);
    for (int i = 0; i < TEXTS_OF_A_RUN; i++) n += texts[i].n;
    paced *p = grown(NULL, n);
    char *at = (char *)(p + 1);
    *p = (paced){*r, fd, connections[fd].serial, clock_ns(CLOCK_MONOTONIC) + gap_ns, NULL};
    p->run.request = kept(&at, r->request), p->run.thread = kept(&at, r->thread), p->run.agent = kept(&at, r->agent);
    p->run.context = kept(&at, r->context), p->run.text = kept(&at, r->text);
    *last_paced = p;
    last_paced = &p->next;
}

static void start_run(int fd, slice payload) {
    static const slice NAMES[TEXTS_OF_A_RUN] = {LITERAL("request_id"), LITERAL("thread_id"), LITERAL("agent_name"),
                                                LITERAL("context"), LITERAL("user_request")};
    connection *c = &connections[fd];
    slice said[TEXTS_OF_A_RUN];
    if (!fields(payload, TEXTS_OF_A_RUN, NAMES, said) || said[0].n < 3 || said[4].n < 2) {
        writer w = writer_of(ENVELOPE_ROOM);
        put_refusal(&w, LITERAL("start_agent needs request_id and user_request"));
        send_written(fd, w);
        return;
    }
    run r = {inner(said[0]), inner(said[1]), inner(said[2]), said[3], inner(said[4]), .next = 1};
    writer id = {r.id};
    put(&id, LITERAL("r-")), put_hex(&id, random_bits()), put_hex(&id, random_bits());
    if (r.thread.n == 0) {
        writer made = {r.made_thread};
        put(&made, LITERAL("t-")), put_hex(&made, random_bits());
        r.thread = (slice){r.made_thread, sizeof r.made_thread};
    }
    if (r.agent.n == 0) r.agent = LITERAL("scripted");
    if (r.context.n == 0) r.context = LITERAL("{}");
    writer w = writer_of((EVENTS_OF_A_RUN + 1) * room_for_event(&r, user_of(c)));
    put_acceptance(&w, &r);
    if (gap_ns > 0) {
        pace(fd, &r);
        send_written(fd, w);
        return;
    }
    while (r.next <= EVENTS_OF_A_RUN) put_event(&w, &r, user_of(c), ++c->offset);
    events_sent += EVENTS_OF_A_RUN;
    send_written(fd, w);
}

/* Every paced run whose next event is due says it, and goes to the end of the queue. */
static void send_what_is_due(uint64_t now_ns) {
    while (first_paced != NULL && first_paced->due_ns <= now_ns) {
        paced *p = first_paced;
        if ((first_paced = p->next) == NULL) last_paced = &first_paced;
        connection *c = &connections[p->fd];
        if (c->serial == p->serial && !c->closing) {
            writer w = writer_of(room_for_event(&p->run, user_of(c)));
            put_event(&w, &p->run, user_of(c), ++c->offset);
            events_sent++;
            send_written(p->fd, w);
            if (p->run.next <= EVENTS_OF_A_RUN) {
                p->due_ns = now_ns + gap_ns;
                p->next = NULL;
                *last_paced = p;
                last_paced = &p->next;
                continue;
            }
        }
        free(p);
    }
}

static void hear(int fd, slice message) {
    static const slice ENVELOPE[] = {LITERAL("type"), LITERAL("payload")};
    static const slice OTHERS[] = {LITERAL("client_ns"), LITERAL("run_id")};
    slice said[2], other[2];
    if (!fields(message, 2, ENVELOPE, said)) {
        fail(fd, 1007);
        return;
    }
    slice type = inner(said[0]);
    if (equal(type, LITERAL("start_agent"))) {
        start_run(fd, said[1]);
        return;
    }
    fields(said[1], 2, OTHERS, other);
    writer w = writer_of(ENVELOPE_ROOM + message.n);
    if (equal(type, LITERAL("ping"))) put_pong(&w, other[0].n ? other[0] : LITERAL("0"));
    else put_ack(&w, type, inner(other[1]));
    send_written(fd, w);
}

/* One frame of the client; the bytes it took, 0 where it is not all there. */
static size_t hear_frame(int fd, uint8_t *at, size_t n) {
    if (n < 2) return 0;
    size_t head = 2, length = at[1] & 127u;
    if (length == 126) {
        if (n < 4) return 0;
        head = 4, length = (size_t)at[2] << 8 | at[3];
    } else if (length == 127) {
        if (n < 10) return 0;
        head = 10, length = 0;
        for (int i = 2; i < 10; i++) length = length << 8 | at[i];
    }
    int opcode = at[0] & 15;
    if (length > MOST_MESSAGE) {
        fail(fd, 1009);
        return n;
    }
    /* a client's frames are masked, and the requests of a load run are whole */
    if (!(at[1] & 128) || (at[0] & 0xf0) != 0x80 || (opcode >= 8 && length > 125)) {
        fail(fd, 1002);
        return n;
    }
    if (n < head + 4 + length) return 0;
    uint8_t *mask = at + head, *payload = mask + 4;
    for (size_t i = 0; i < length; i++) payload[i] ^= mask[i & 3];
    if (opcode == 1) hear(fd, (slice){(char *)payload, length});
    else if (opcode == 8) send_close(fd, (char *)payload, length);
    else if (opcode == 9) {
        char frame[2 + 125] = {(char)0x8a, (char)length};
        memcpy(frame + 2, payload, length);
        send_bytes(fd, frame, 2 + length);
    } else if (opcode != 10) fail(fd, 1003);
    return head + 4 + length;
}

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
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                   (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    char body[1024];
    snprintf(body, sizeof body,
             "# TYPE streamgauge_server_events_total counter\nstreamgauge_server_events_total %llu\n"
             "# TYPE streamgauge_server_cpu_seconds gauge\nstreamgauge_server_cpu_seconds %.6f\n"
             "# TYPE streamgauge_server_connections gauge\nstreamgauge_server_connections %llu\n",
             (unsigned long long)events_sent, cpu_s, (unsigned long long)sockets);
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
        struct timespec wait, *until = NULL;
        if (first_paced != NULL) {
            uint64_t left_ns = first_paced->due_ns > now_ns ? first_paced->due_ns - now_ns : 0;
            wait = (struct timespec){(time_t)(left_ns / SECOND_NS), (long)(left_ns % SECOND_NS)};
            until = &wait;
        }
        int n = epoll_pwait2(poller, ready, READY_AT_ONCE, until, NULL);
        if (n < 0 && errno != EINTR) die("source: epoll_pwait2");
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
        if (strcmp(option, "--port") == 0) port = (int)number(option, value);
        else if (strcmp(option, "--gap-us") == 0) gap_ns = (uint64_t)number(option, value) * 1000;
        else if (strcmp(option, "--hold") == 0) hold_until = (uint64_t)number(option, value);
        else if (strcmp(option, "--address") == 0 && value != NULL && named < MOST_ADDRESSES) addresses[named++] = value;
        else {
            fprintf(stderr, "usage: source [--port P] [--address 127.X.Y.Z]... [--gap-us G] [--hold N]\n"
                            "  --gap-us  0: acceptance and events of a run in one write; else one event per write,\n"
                            "            G microseconds after the one before\n"
                            "  --hold    greet nobody until N sockets are open\n");
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
