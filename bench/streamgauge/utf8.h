/* Whether bytes are UTF-8, for the compiled readers: nearly all are ASCII, and Python's decoder judges the rest. */
#include <Python.h>
#include <string.h>

static int is_ascii(const char *at, Py_ssize_t n) {
    uint64_t some = 0, word;
    for (; n >= 8; at += 8, n -= 8) memcpy(&word, at, 8), some |= word;
    for (; n > 0; at++, n--) some |= (unsigned char)*at;
    return (some & 0x8080808080808080u) == 0;
}

static int is_utf8(const char *at, Py_ssize_t n) {
    if (is_ascii(at, n)) return 1;
    PyObject *text = PyUnicode_DecodeUTF8(at, n, "strict");
    if (text == NULL) PyErr_Clear();
    Py_XDECREF(text);
    return text != NULL;
}
