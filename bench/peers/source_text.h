/* Pure text: slices, JSON fields, Base64, SHA-1, and the buffer that messages are written into. */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *at;
    size_t n;
} slice;

#define LITERAL(text) ((slice){(text), sizeof(text) - 1})

static int equal(slice a, slice b) { return a.n == b.n && memcmp(a.at, b.at, a.n) == 0; }

/* What is inside the quotes of a raw JSON string, escapes left as they are. */
static slice inner(slice raw) {
    return raw.n >= 2 && raw.at[0] == '"' ? (slice){raw.at + 1, raw.n - 2} : (slice){"", 0};
}

/* A writer into a buffer whose room was seen to beforehand. */
typedef struct {
    char *at;
} writer;

static void put(writer *w, slice text) {
    memcpy(w->at, text.at, text.n);
    w->at += text.n;
}

static void put_digits(writer *w, uint64_t value, int width) {
    for (int i = width - 1; i >= 0; i--, value /= 10) w->at[i] = (char)('0' + value % 10);
    w->at += width;
}

static void put_number(writer *w, uint64_t value) {
    int width = 1;
    for (uint64_t rest = value; rest >= 10; rest /= 10) width++;
    put_digits(w, value, width);
}

static void put_hex(writer *w, uint64_t value) {
    for (int shift = 60; shift >= 0; shift -= 4) *w->at++ = "0123456789abcdef"[value >> shift & 15];
}

static const char *skip_space(const char *at, const char *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    return at;
}

/* The end of the string that begins at `at`; NULL where it has none. */
static const char *skip_string(const char *at, const char *end) {
    for (at++; at < end; at++) {
        if (*at == '\\') at++;
        else if (*at == '"') return at + 1;
    }
    return NULL;
}

/* The end of the value that begins at `at`; NULL where it has none. Brackets are counted, not matched. */
static const char *skip_value(const char *at, const char *end) {
    int depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            if (at == NULL) return NULL;
            if (depth == 0) return at;
            continue;
        }
        if (*at == '{' || *at == '[') depth++;
        else if (*at == '}' || *at == ']') {
            if (depth == 0) return at; /* the object around a bare value ends */
            if (--depth == 0) return at + 1;
        } else if (depth == 0 && (*at == ',' || *at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) return at;
        at++;
    }
    return depth == 0 ? at : NULL;
}

/* The raw values of the named fields of a JSON object (n = 0: absent); 0 where it is none. The last of duplicates wins. */
static int fields(slice object, int count, const slice *names, slice *values) {
    const char *at = object.at, *end = object.at + object.n;
    memset(values, 0, (size_t)count * sizeof *values);
    at = skip_space(at, end);
    if (at == end || *at++ != '{') return 0;
    for (;;) {
        at = skip_space(at, end);
        if (at < end && (*at == '}')) return 1;
        if (at < end && *at == ',') {
            at++;
            continue;
        }
        if (at == end || *at != '"') return 0;
        const char *key = at;
        if ((at = skip_string(at, end)) == NULL) return 0;
        slice name = inner((slice){key, (size_t)(at - key)});
        at = skip_space(at, end);
        if (at == end || *at++ != ':') return 0;
        const char *value = skip_space(at, end);
        if ((at = skip_value(value, end)) == NULL || at == value) return 0;
        for (int i = 0; i < count; i++)
            if (equal(name, names[i])) values[i] = (slice){value, (size_t)(at - value)};
    }
}

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_base64(writer *w, const uint8_t *data, size_t n) {
    for (size_t i = 0; i < n; i += 3) {
        uint32_t bits = (uint32_t)data[i] << 16;
        if (i + 1 < n) bits |= (uint32_t)data[i + 1] << 8;
        if (i + 2 < n) bits |= data[i + 2];
        *w->at++ = BASE64[bits >> 18 & 63];
        *w->at++ = BASE64[bits >> 12 & 63];
        *w->at++ = i + 1 < n ? BASE64[bits >> 6 & 63] : '=';
        *w->at++ = i + 2 < n ? BASE64[bits & 63] : '=';
    }
}

/* Decodes unpadded base64url into `out`, which has room for as many bytes as the text; the number of bytes. */
static size_t unbase64url(slice text, char *out) {
    uint32_t bits = 0;
    size_t n = 0;
    int held = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.at[i] == '-' ? '+' : text.at[i] == '_' ? '/' : text.at[i];
        const char *found = c ? strchr(BASE64, c) : NULL;
        if (found == NULL) break;
        bits = bits << 6 | (uint32_t)(found - BASE64);
        if ((held += 6) >= 8) out[n++] = (char)(bits >> (held -= 8));
    }
    return n;
}

static uint32_t rotated(uint32_t value, int by) { return value << by | value >> (32 - by); }

/* SHA-1 (FIPS 180-4) of at most 119 bytes: a handshake's key and GUID are 60. */
static void sha1(slice text, uint8_t digest[20]) {
    uint8_t data[128] = {0};
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    size_t blocks = (text.n + 8) / 64 + 1;
    memcpy(data, text.at, text.n);
    data[text.n] = 0x80;
    for (int i = 0; i < 8; i++) data[blocks * 64 - 1 - (size_t)i] = (uint8_t)((uint64_t)text.n * 8 >> 8 * i);
    for (const uint8_t *block = data; block < data + blocks * 64; block += 64) {
        uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 16; i++)
            w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
                   block[4 * i + 3];
        for (int i = 16; i < 80; i++) w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        for (int i = 0; i < 80; i++) {
            uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
            uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
            uint32_t next = rotated(a, 5) + f + e + k + w[i];
            e = d, d = c, c = rotated(b, 30), b = a, a = next;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    }
    for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}
