/* Gathers plain events of the native protocol (docs/wire.md): what stretch.py calls a stretch, compiled.

   It takes an event only where native.py would read the same from it. Whatever is rare, doubtful or wrong (another
   type, an escape in a name, a key twice, a number not written as a plain integer, somebody else's canary …) ends the
   stretch, and is left to native.py, which knows what it means. A test holds the two against each other. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <ctype.h>
#include <string.h>

#include "../utf8.h"

enum { MOST_DEPTH = 64, MOST_DIGITS = 18, MOST_CALLS = 8, MOST_STEP = 15 };

/* The forms of stretch.py: three bits of kind (event.py), five of detail. */
enum { STARTED = 1, THINKING, TOOL_EXECUTING, TOOL_COMPLETED, PARTIAL, COMPLETED, KIND_BITS = 3 };

typedef struct {
    const char *at; /* NULL: there is none */
    Py_ssize_t n;
} slice;

#define LITERAL(text) ((slice){text, sizeof(text) - 1})

static int same(slice one, slice two) { return one.n == two.n && (one.n == 0 || memcmp(one.at, two.at, (size_t)one.n) == 0); }

/* JSON: each function takes where a value begins, and returns where it ends, NULL where it is none (RFC 8259). */

static const char *skip_value(const char *at, const char *end, int depth);

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    return at;
}

static int read_hex(const char *at, const char *end) {
    int code = 0;
    for (const char *stop = at + 4; at < stop; at++) {
        if (at >= end || !isxdigit((unsigned char)*at)) return -1;
        code = code << 4 | (*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
    }
    return code;
}

/* What the escape behind the backslash at `at` means, and where it ends. Letters and digits written as \u are refused,
   for a canary could hide in them, and so are halves of characters. */
static const char *read_escape(const char *at, const char *end, int *code) {
    static const char LETTERS[] = "\"\\/bfnrt", MEANT[] = "\"\\/\b\f\n\r\t";
    if (++at >= end) return NULL;
    if (*at != 'u') {
        const char *letter = memchr(LETTERS, *at, sizeof LETTERS - 1);
        if (letter == NULL) return NULL;
        *code = MEANT[letter - LETTERS];
        return at + 1;
    }
    if ((*code = read_hex(at + 1, end)) < 0x80 || (*code >= 0xDC00 && *code < 0xE000)) return NULL;
    at += 5;
    if (*code < 0xD800 || *code >= 0xE000) return at;
    int low = end - at >= 2 && at[0] == '\\' && at[1] == 'u' ? read_hex(at + 2, end) : -1;
    if (low < 0xDC00 || low >= 0xE000) return NULL;
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    return at + 6;
}

static const char *skip_string(const char *at, const char *end) {
    if (at >= end || *at != '"') return NULL;
    for (at++; at < end;) {
        unsigned char c = (unsigned char)*at;
        int code;
        if (c == '"') return at + 1;
        if (c < 0x20) return NULL;
        if (c != '\\') at++;
        else if ((at = read_escape(at, end, &code)) == NULL) return NULL;
    }
    return NULL;
}

static const char *skip_digits(const char *at, const char *end) {
    const char *begin = at;
    while (at < end && *at >= '0' && *at <= '9') at++;
    return at == begin ? NULL : at;
}

static const char *skip_number(const char *at, const char *end) {
    if (at < end && *at == '-') at++;
    const char *whole = at;
    if ((at = skip_digits(at, end)) == NULL || (*whole == '0' && at - whole > 1)) return NULL;
    if (at < end && *at == '.' && (at = skip_digits(at + 1, end)) == NULL) return NULL;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-')) at++;
        at = skip_digits(at, end);
    }
    return at;
}

static const char *skip_word(const char *at, const char *end, slice word) {
    return end - at >= word.n && memcmp(at, word.at, (size_t)word.n) == 0 ? at + word.n : NULL;
}

static const char *skip_array(const char *at, const char *end, int depth) {
    at = skip_space(at + 1, end);
    if (at < end && *at == ']') return at + 1;
    for (;;) {
        if ((at = skip_value(at, end, depth)) == NULL) return NULL;
        if ((at = skip_space(at, end)) >= end) return NULL;
        if (*at == ']') return at + 1;
        if (*at != ',') return NULL;
        at = skip_space(at + 1, end);
    }
}

/* Reads an object, and of it the values of the `n` fields named; a field twice, or a key with an escape, is refused. */
static const char *read_object(const char *at, const char *end, int depth, int n, const slice *names, slice *values) {
    if (at >= end || *at != '{') return NULL;
    at = skip_space(at + 1, end);
    if (at < end && *at == '}') return at + 1;
    for (;;) {
        const char *key = at + 1;
        if ((at = skip_string(at, end)) == NULL) return NULL;
        slice name = {key, at - 1 - key};
        if (n > 0 && memchr(name.at, '\\', (size_t)name.n) != NULL) return NULL;
        at = skip_space(at, end);
        if (at >= end || *at != ':') return NULL;
        const char *value = skip_space(at + 1, end);
        if ((at = skip_value(value, end, depth)) == NULL) return NULL;
        for (int i = 0; i < n; i++) {
            if (!same(name, names[i])) continue;
            if (values[i].at != NULL) return NULL;
            values[i] = (slice){value, at - value};
            break;
        }
        if ((at = skip_space(at, end)) >= end) return NULL;
        if (*at == '}') return at + 1;
        if (*at != ',') return NULL;
        at = skip_space(at + 1, end);
    }
}

static const char *skip_value(const char *at, const char *end, int depth) {
    if (at >= end || depth > MOST_DEPTH) return NULL;
    switch (*at) {
    case '"': return skip_string(at, end);
    case '{': return read_object(at, end, depth + 1, 0, NULL, NULL);
    case '[': return skip_array(at, end, depth + 1);
    case 't': return skip_word(at, end, LITERAL("true"));
    case 'f': return skip_word(at, end, LITERAL("false"));
    case 'n': return skip_word(at, end, LITERAL("null"));
    default: return skip_number(at, end);
    }
}

/* A string's inside; only `escaped` ones may hold a backslash. */
static int read_string(slice value, slice *inside, int escaped) {
    if (value.at == NULL || *value.at != '"') return 0;
    *inside = (slice){value.at + 1, value.n - 2};
    return escaped || memchr(inside->at, '\\', (size_t)inside->n) == NULL;
}

static int read_number(slice value, long long *number) {
    if (value.at == NULL || value.n > MOST_DIGITS) return 0;
    *number = 0;
    for (Py_ssize_t i = 0; i < value.n; i++) {
        if (value.at[i] < '0' || value.at[i] > '9') return 0;
        *number = *number * 10 + (value.at[i] - '0');
    }
    return 1;
}

/* Messages */

typedef struct {
    slice run, thread, user, agent, clock;
    long long seq, offset, emitted;
    int kind, detail;
    slice request, context, answer; /* of a start or an end */
    slice call;                     /* of a tool's */
    slice delta;                    /* of a part, and which it is */
    long long index;
} event;

static int read_opening(slice payload, event *e) {
    static const slice NAMES[] = {LITERAL("request_id"), LITERAL("context"), LITERAL("answer_sha256")};
    slice values[3] = {{NULL, 0}};
    if (read_object(payload.at, payload.at + payload.n, 1, 3, NAMES, values) == NULL) return 0;
    e->context = values[1];
    if (e->kind == COMPLETED && !read_string(values[2], &e->answer, 0)) return 0;
    return e->context.at != NULL && read_string(values[0], &e->request, 0);
}

static int read_thought(slice payload, event *e) {
    static const slice NAMES[] = {LITERAL("source"), LITERAL("step_number")};
    slice values[2] = {{NULL, 0}}, source;
    long long step = 0;
    if (read_object(payload.at, payload.at + payload.n, 1, 2, NAMES, values) == NULL) return 0;
    if (!read_string(values[0], &source, 0)) return 0;
    if (values[1].at != NULL && *values[1].at != 'n' && !read_number(values[1], &step)) return 0;
    int of_pipeline = same(source, LITERAL("pipeline"));
    if (of_pipeline ? step < 1 || step > 3 : !same(source, LITERAL("agent")) || step > MOST_STEP) return 0;
    e->detail = (int)step << 1 | of_pipeline;
    return 1;
}

static int read_tool(slice payload, event *e) {
    static const slice NAMES[] = {LITERAL("tool_call_id"), LITERAL("status")};
    static const slice STATUS[] = {LITERAL("success"), LITERAL("error"), LITERAL("timeout"), LITERAL("cancelled")};
    slice values[2] = {{NULL, 0}}, status;
    if (read_object(payload.at, payload.at + payload.n, 1, 2, NAMES, values) == NULL) return 0;
    if (!read_string(values[0], &e->call, 0) || e->call.n == 0) return 0;
    if (e->kind == TOOL_EXECUTING) return 1;
    if (!read_string(values[1], &status, 0)) return 0;
    for (int i = 0; i < 4; i++) {
        e->detail = i * MOST_CALLS;
        if (same(status, STATUS[i])) return 1;
    }
    return 0;
}

static int read_part(slice payload, event *e) {
    static const slice NAMES[] = {LITERAL("index"), LITERAL("delta")};
    slice values[2] = {{NULL, 0}};
    if (read_object(payload.at, payload.at + payload.n, 1, 2, NAMES, values) == NULL) return 0;
    return read_number(values[0], &e->index) && read_string(values[1], &e->delta, 1);
}

static int read_event(const char *at, const char *end, event *e) {
    enum { TYPE, RUN, THREAD, USER, AGENT, SEQ, OFFSET, EMITTED, PAYLOAD, CLOCK, FIELDS };
    static const slice NAMES[FIELDS] = {
        LITERAL("type"), LITERAL("run_id"), LITERAL("thread_id"),  LITERAL("user_id"), LITERAL("agent_name"),
        LITERAL("seq"),  LITERAL("offset"), LITERAL("emitted_ns"), LITERAL("payload"), LITERAL("clock_id"),
    };
    static const struct {
        slice type;
        int kind;
        int (*read)(slice, event *);
    } TYPES[] = {
        {LITERAL("agent_thinking"), THINKING, read_thought},    {LITERAL("partial_result"), PARTIAL, read_part},
        {LITERAL("tool_executing"), TOOL_EXECUTING, read_tool}, {LITERAL("tool_completed"), TOOL_COMPLETED, read_tool},
        {LITERAL("agent_started"), STARTED, read_opening},      {LITERAL("agent_completed"), COMPLETED, read_opening},
    };
    slice values[FIELDS] = {{NULL, 0}}, type;
    *e = (event){.detail = 0};
    at = read_object(skip_space(at, end), end, 0, FIELDS, NAMES, values);
    if (at == NULL || skip_space(at, end) != end) return 0;
    if (!read_string(values[TYPE], &type, 0) || !read_string(values[RUN], &e->run, 0) || e->run.n == 0) return 0;
    if (!read_string(values[THREAD], &e->thread, 0) || !read_string(values[USER], &e->user, 0)) return 0;
    if (!read_string(values[AGENT], &e->agent, 0)) return 0;
    if (values[CLOCK].at != NULL && !read_string(values[CLOCK], &e->clock, 0)) return 0;
    if (!read_number(values[SEQ], &e->seq) || !read_number(values[OFFSET], &e->offset)) return 0;
    if (!read_number(values[EMITTED], &e->emitted) || e->seq == 0 || e->offset == 0 || e->emitted == 0) return 0;
    if (values[PAYLOAD].at == NULL) return 0;
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (!same(type, TYPES[i].type)) continue;
        e->kind = TYPES[i].kind;
        return TYPES[i].read(values[PAYLOAD], e);
    }
    return 0;
}

/* Whether a message accepts the run that `start` begins. */
static int accepts(const char *at, const char *end, const event *start) {
    static const slice MESSAGE[] = {LITERAL("type"), LITERAL("payload")};
    static const slice PAYLOAD[] = {LITERAL("request_id"), LITERAL("run_id"), LITERAL("thread_id")};
    slice values[2] = {{NULL, 0}}, inside[3] = {{NULL, 0}}, text[3], type;
    at = read_object(skip_space(at, end), end, 0, 2, MESSAGE, values);
    if (at == NULL || skip_space(at, end) != end) return 0;
    if (!read_string(values[0], &type, 0) || !same(type, LITERAL("run_accepted")) || values[1].at == NULL) return 0;
    if (read_object(values[1].at, values[1].at + values[1].n, 1, 3, PAYLOAD, inside) == NULL) return 0;
    for (int i = 0; i < 3; i++)
        if (!read_string(inside[i], &text[i], 0)) return 0;
    return same(text[0], start->request) && same(text[1], start->run) && same(text[2], start->thread);
}

/* Whether every canary in it is its reader's own. */
static int is_private(const char *at, const char *end, slice own) {
    static const slice PREFIX = LITERAL("sgcanary"); /* of canary.py */
    while ((at = memmem(at, (size_t)(end - at), PREFIX.at, (size_t)PREFIX.n)) != NULL) {
        if (own.n < PREFIX.n || end - at < own.n || memcmp(at, own.at, (size_t)own.n) != 0) return 0;
        at += own.n;
    }
    return 1;
}

/* Stretches */

enum { MOST_EVENTS = 256 };

typedef struct {
    int n;
    Py_ssize_t accepted; /* bytes of the message that accepted the run, 0: it is not here */
    event first;
    slice request, context, answer;
    slice calls[MOST_CALLS];
    int calls_n;
    long long index; /* of the first part, -1: there is none yet */
    slice deltas[MOST_EVENTS];
    int deltas_n;
    unsigned char forms[MOST_EVENTS];
    uint32_t sizes[MOST_EVENTS];
    long long emitted[MOST_EVENTS];
} stretch;

/* Which of the stretch's calls it is, a new one being the next; -1: too many. */
static int call_of(stretch *s, slice call) {
    for (int i = 0; i < s->calls_n; i++)
        if (same(s->calls[i], call)) return i;
    if (s->calls_n == MOST_CALLS) return -1;
    s->calls[s->calls_n] = call;
    return s->calls_n++;
}

/* Takes the next event where the stretch goes on with it. */
static int take(stretch *s, event *e, Py_ssize_t size) {
    const event *first = &s->first;
    if (s->n == 0) {
        s->first = *e;
    } else if (!same(e->run, first->run) || !same(e->thread, first->thread) || !same(e->user, first->user) ||
               !same(e->agent, first->agent) || !same(e->clock, first->clock) || e->seq != first->seq + s->n ||
               e->offset != first->offset + s->n) {
        return 0;
    }
    if (e->request.at != NULL) {
        if (s->request.at != NULL && !(same(s->request, e->request) && same(s->context, e->context))) return 0;
        s->request = e->request, s->context = e->context;
    }
    if (e->kind == PARTIAL) {
        if (s->deltas_n > 0 && e->index != s->index + s->deltas_n) return 0;
        if (s->deltas_n == 0) s->index = e->index;
        s->deltas[s->deltas_n++] = e->delta;
    }
    if (e->call.at != NULL) {
        int call = call_of(s, e->call);
        if (call < 0) return 0;
        e->detail |= call;
    }
    if (e->kind == COMPLETED) s->answer = e->answer;
    s->forms[s->n] = (unsigned char)(e->kind | e->detail << KIND_BITS);
    s->sizes[s->n] = (uint32_t)size;
    s->emitted[s->n] = e->emitted;
    s->n++;
    return 1;
}

static PyObject *text_of(slice text) { return PyUnicode_DecodeUTF8(text.at == NULL ? "" : text.at, text.n, "strict"); }

static PyObject *bytes_of(slice raw) { return PyBytes_FromStringAndSize(raw.at == NULL ? "" : raw.at, raw.n); }

static char *put_utf8(char *at, int code) {
    if (code < 0x80) {
        *at++ = (char)code;
        return at;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3; /* bytes after the first */
    *at++ = (char)((0xFF00 >> (more + 1) & 0xFF) | code >> 6 * more);
    while (more-- > 0) *at++ = (char)(0x80 | (code >> 6 * more & 0x3F));
    return at;
}

/* The texts of strings in which escapes may stand, one after the other, and the bytes of each. */
static PyObject *joined(const slice *texts, int n, uint32_t *sizes) {
    Py_ssize_t most = 0; /* no escape is shorter than what it means */
    for (int i = 0; i < n; i++) most += texts[i].n;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, most);
    if (bytes == NULL) return NULL;
    char *to = PyBytes_AS_STRING(bytes);
    for (int i = 0; i < n; i++) {
        char *begin = to;
        for (const char *at = texts[i].at, *end = at + texts[i].n; at < end;) {
            int code;
            if (*at != '\\') *to++ = *at++;
            else at = read_escape(at, end, &code), to = put_utf8(to, code);
        }
        sizes[i] = (uint32_t)(to - begin);
    }
    _PyBytes_Resize(&bytes, to - PyBytes_AS_STRING(bytes));
    return bytes;
}

static PyObject *tuple_of(const slice *texts, int n) {
    PyObject *tuple = PyTuple_New(n);
    for (int i = 0; tuple != NULL && i < n; i++) {
        PyObject *text = text_of(texts[i]);
        if (text == NULL) Py_CLEAR(tuple);
        else PyTuple_SET_ITEM(tuple, i, text);
    }
    return tuple;
}

/* What `NativeReader.gather` unpacks, in its order, which _native.pyi repeats. */
static PyObject *gathered(const stretch *s) {
    const event *e = &s->first;
    uint32_t parts[MOST_EVENTS];
    PyObject *text = joined(s->deltas, s->deltas_n, parts);
    PyObject *fields[] = {
        text_of(e->user),
        text_of(e->run),
        text_of(e->thread),
        text_of(e->agent),
        text_of(e->clock),
        PyLong_FromLongLong(e->seq),
        PyLong_FromLongLong(e->offset),
        PyBytes_FromStringAndSize((const char *)s->forms, s->n),
        PyBytes_FromStringAndSize((const char *)s->sizes, s->n * (Py_ssize_t)sizeof *s->sizes),
        PyBytes_FromStringAndSize((const char *)s->emitted, s->n * (Py_ssize_t)sizeof *s->emitted),
        tuple_of(s->calls, s->calls_n),
        text_of(s->request),
        bytes_of(s->context),
        text_of(s->answer),
        PyLong_FromLongLong(s->deltas_n > 0 ? s->index : -1),
        PyLong_FromSsize_t(s->accepted),
        PyBytes_FromStringAndSize((const char *)parts, s->deltas_n * (Py_ssize_t)sizeof *parts),
        text,
    };
    enum { N = sizeof fields / sizeof *fields };
    PyObject *tuple = PyTuple_New(N);
    int whole = tuple != NULL;
    for (int i = 0; i < N; i++) whole = whole && fields[i] != NULL;
    for (int i = 0; i < N; i++) {
        if (whole) PyTuple_SET_ITEM(tuple, i, fields[i]);
        else Py_XDECREF(fields[i]);
    }
    if (!whole) Py_CLEAR(tuple);
    return tuple;
}

static PyObject *gather(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t n) {
    if (n != 4 || !PyList_Check(arguments[0]) || !PyBytes_Check(arguments[2])) {
        PyErr_SetString(PyExc_TypeError, "gather(messages: list, start: int, canary: bytes, max_bytes: int)");
        return NULL;
    }
    Py_ssize_t start = PyLong_AsSsize_t(arguments[1]), max_bytes = PyLong_AsSsize_t(arguments[3]);
    if (PyErr_Occurred()) return NULL;
    if (start < 0) {
        PyErr_SetString(PyExc_ValueError, "start is the place of a message: 0 or more");
        return NULL;
    }
    if (max_bytes > UINT32_MAX) max_bytes = UINT32_MAX; /* as much as `sizes` holds */
    slice own = {PyBytes_AS_STRING(arguments[2]), PyBytes_GET_SIZE(arguments[2])};
    stretch s;
    s.n = s.calls_n = s.deltas_n = 0;
    s.accepted = 0;
    s.request = s.context = s.answer = (slice){NULL, 0};
    slice accepting = {NULL, 0}; /* what comes before the first event, if anything does */
    for (Py_ssize_t i = start; i < PyList_GET_SIZE(arguments[0]) && s.n < MOST_EVENTS; i++) {
        PyObject *message = PyList_GET_ITEM(arguments[0], i);
        if (!PyBytes_Check(message) || PyBytes_GET_SIZE(message) > max_bytes) break;
        const char *at = PyBytes_AS_STRING(message), *end = at + PyBytes_GET_SIZE(message);
        event e;
        if (!is_private(at, end, own) || !is_utf8(at, end - at)) break;
        if (!read_event(at, end, &e)) {
            if (i > start) break;
            accepting = (slice){at, end - at};
            continue;
        }
        if (s.n == 0 && accepting.at != NULL) {
            if (e.kind != STARTED || !accepts(accepting.at, accepting.at + accepting.n, &e)) break;
            s.accepted = accepting.n;
        }
        if (!take(&s, &e, end - at) || e.kind == COMPLETED) break;
    }
    if (s.n == 0) Py_RETURN_NONE;
    return gathered(&s);
}

static PyMethodDef METHODS[] = {
    {"gather", (PyCFunction)(void (*)(void))gather, METH_FASTCALL, "See streamgauge.protocol.native."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_native", NULL, 0, METHODS, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__native(void) { return PyModule_Create(&MODULE); }
