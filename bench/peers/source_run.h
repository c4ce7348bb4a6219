/* What the source says, as native messages (docs/wire.md): a greeting, small answers, and a run of ten events.
   Every function writes one whole WebSocket text frame. What people read and programs do not (timestamp, status texts,
   progress) is left out, so that an event has the length of the figures it is compared with, 250 to 300 bytes. */
#pragma once

#include <time.h>

#include "source_text.h"

enum { EVENTS_OF_A_RUN = 10, TEXTS_OF_A_RUN = 5, ENVELOPE_ROOM = 1024 };

#define SECOND_NS 1000000000ull

/* What a request said, raw as it stood in the JSON (strings without their quotes), and what became of it. */
typedef struct {
    slice request, thread, agent, context, text;
    char id[2 + 32], made_thread[2 + 16];
    int next; /* seq of the next event, from 1 */
} run;

/* printf '%s' 'Money goes ' 'out, and ' 'comes late.' | sha256sum */
static const slice DELTAS[] = {
    LITERAL("Money goes "),
    LITERAL("out, and "),
    LITERAL("comes late."),
};
static const char ANSWER_SHA256[] = "2f19dfab6b9089061c27408a3f1982b00d86cd330d0075a0cf47d67ab99bfcb4";

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* How much a frame of this run takes at most. */
static size_t room_for_event(const run *r, slice user) {
    return ENVELOPE_ROOM + user.n + r->request.n + r->thread.n + r->agent.n + r->context.n + r->text.n;
}

/* A text frame begins: its payload is written behind a head of the usual length. */
static char *begin_frame(writer *w) {
    w->at += 4;
    return w->at;
}

static void end_frame(writer *w, char *payload) {
    size_t n = (size_t)(w->at - payload);
    uint8_t *head = (uint8_t *)payload - 4;
    size_t length_bytes = n < 126 ? 0 : n < 65536 ? 2 : 8;
    if (length_bytes != 2) {
        memmove(head + 2 + length_bytes, payload, n);
        w->at = payload + length_bytes - 2 + n;
    }
    head[0] = 0x81;
    head[1] = (uint8_t)(length_bytes == 0 ? n : length_bytes == 2 ? 126 : 127);
    for (size_t i = 0; i < length_bytes; i++) head[2 + i] = (uint8_t)(n >> 8 * (length_bytes - 1 - i));
}

#define PUT(text) put(w, LITERAL(text))

static void put_greeting(writer *w, slice user, slice clock_id, uint64_t connection, const uint64_t session[2]) {
    char *payload = begin_frame(w);
    PUT("{\"type\":\"connection_established\",\"payload\":{\"protocol\":1,\"user_id\":\""), put(w, user);
    PUT("\",\"connection_id\":\"c-"), put_number(w, connection);
    PUT("\",\"server_id\":\"s-source\",\"clock_id\":\""), put(w, clock_id);
    PUT("\",\"server_ns\":"), put_number(w, clock_ns(CLOCK_MONOTONIC));
    PUT(",\"heartbeat_s\":86400,\"max_message_bytes\":65536,\"session\":{\"id\":\"");
    put_hex(w, session[0]), put_hex(w, session[1]);
    PUT("\",\"window_s\":0,\"resume\":false}}}");
    end_frame(w, payload);
}

static void put_acceptance(writer *w, const run *r) {
    char *payload = begin_frame(w);
    PUT("{\"type\":\"run_accepted\",\"payload\":{\"request_id\":\""), put(w, r->request);
    PUT("\",\"run_id\":\""), put(w, (slice){r->id, sizeof r->id});
    PUT("\",\"thread_id\":\""), put(w, r->thread), PUT("\"}}");
    end_frame(w, payload);
}

static void put_pong(writer *w, slice client_ns) {
    char *payload = begin_frame(w);
    PUT("{\"type\":\"pong\",\"payload\":{\"client_ns\":"), put(w, client_ns);
    PUT(",\"server_ns\":"), put_number(w, clock_ns(CLOCK_MONOTONIC)), PUT("}}");
    end_frame(w, payload);
}

static void put_ack(writer *w, slice command, slice run_id) {
    char *payload = begin_frame(w);
    PUT("{\"type\":\"ack\",\"payload\":{\"command\":\""), put(w, command);
    PUT("\",\"run_id\":\""), put(w, run_id), PUT("\"}}");
    end_frame(w, payload);
}

static void put_refusal(writer *w, slice message) {
    char *payload = begin_frame(w);
    PUT("{\"type\":\"error\",\"payload\":{\"code\":\"bad_request\",\"message\":\""), put(w, message), PUT("\"}}");
    end_frame(w, payload);
}

static void put_echo(writer *w, const run *r) {
    PUT("\"request_id\":\""), put(w, r->request), PUT("\",\"context\":"), put(w, r->context);
}

static void put_thought(writer *w, slice thought, int step) {
    PUT("{\"reasoning\":\""), put(w, thought);
    PUT("\",\"step_number\":"), put_number(w, (uint64_t)step);
    PUT(",\"source\":\"pipeline\"}");
}

static void put_delta(writer *w, int index) {
    PUT("{\"index\":"), put_number(w, (uint64_t)index), PUT(",\"delta\":\""), put(w, DELTAS[index]), PUT("\"}");
}

static void put_call(writer *w, const run *r) {
    PUT("{\"tool_call_id\":\"c-"), put(w, (slice){r->id + 2, 16}), PUT("\",\"tool_name\":\"look_up\",");
}

static void put_payload(writer *w, const run *r) {
    switch (r->next) {
    case 1:
        PUT("{"), put_echo(w, r), PUT("}");
        return;
    case 2: put_thought(w, r->text, 1); return;
    case 3: put_thought(w, LITERAL("This is planned."), 2); return;
    case 4:
        put_call(w, r), PUT("\"parameters\":{\"rows\":3}}");
        return;
    case 5:
        put_call(w, r), PUT("\"result\":{\"rows\":3},\"status\":\"success\"}");
        return;
    case 6:
    case 7:
    case 8: put_delta(w, r->next - 6); return;
    case 9: put_thought(w, LITERAL("This was done."), 3); return;
    default:
        PUT("{"), put_echo(w, r), PUT(",\"result\":{\"answer\":\"");
        for (int i = 0; i < 3; i++) put(w, DELTAS[i]);
        PUT("\"},\"answer_sha256\":\""), PUT(ANSWER_SHA256);
        PUT("\"}");
    }
}

static const slice EVENT_TYPES[EVENTS_OF_A_RUN + 1] = {
    LITERAL(""),
    LITERAL("agent_started"),
    LITERAL("agent_thinking"),
    LITERAL("agent_thinking"),
    LITERAL("tool_executing"),
    LITERAL("tool_completed"),
    LITERAL("partial_result"),
    LITERAL("partial_result"),
    LITERAL("partial_result"),
    LITERAL("agent_thinking"),
    LITERAL("agent_completed"),
};

/* The run's next event, stamped now, under the connection's next offset. */
static void put_event(writer *w, run *r, slice user, uint64_t offset) {
    uint64_t emitted_ns = clock_ns(CLOCK_MONOTONIC);
    char *payload = begin_frame(w);
    PUT("{\"type\":\""), put(w, EVENT_TYPES[r->next]);
    PUT("\",\"run_id\":\""), put(w, (slice){r->id, sizeof r->id});
    PUT("\",\"thread_id\":\""), put(w, r->thread);
    PUT("\",\"user_id\":\""), put(w, user);
    PUT("\",\"agent_name\":\""), put(w, r->agent);
    PUT("\",\"seq\":"), put_number(w, (uint64_t)r->next);
    PUT(",\"offset\":"), put_number(w, offset);
    PUT(",\"emitted_ns\":"), put_number(w, emitted_ns);
    PUT(",\"payload\":"), put_payload(w, r), PUT("}");
    end_frame(w, payload);
    r->next++;
}

#undef PUT
