/* The sockets of the source: what each remembers, and how it is written to without waiting. */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "source_run.h"

enum {
    MOST_MESSAGE = 65536,
    MOST_UNSENT = 8 << 20, /* a reader that leaves more unread is dropped */
};

typedef struct {
    char *user; /* NULL: no WebSocket yet */
    char *unread, *unsent;
    size_t unread_n, unsent_n;
    uint64_t serial, offset; /* serial: tells this connection from a later one of the same descriptor */
    int listening, open, greeted, closing;
} connection;

static connection *connections; /* by descriptor */
static int poller, most_descriptors;
static uint64_t sockets; /* those that are WebSockets */
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
