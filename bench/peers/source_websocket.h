/* What is said on a WebSocket of the source: frames are read, requests become runs. */
#pragma once

#include <sys/random.h>

#include "source_socket.h"

/* A run whose events are sent one by one; `due_ns` grows along the queue, for the gap is the same for all. */
typedef struct paced {
    run run;
    int fd;
    uint64_t serial, due_ns;
    struct paced *next;
} paced;

static uint64_t serials, events_sent, gap_ns, hold_until;
static paced *first_paced, **last_paced = &first_paced;
static char clock_id[64];

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
