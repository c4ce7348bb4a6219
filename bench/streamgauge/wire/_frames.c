/* `read_texts` of frames.py, compiled: the same frames, bytes and places, a test demands it.

   Everything that is not a whole, unmasked, shortly written text frame of valid UTF-8 ends the reading, as there. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../utf8.h"

/* Bytes of head and payload of the text frame at `at`, of which `left` bytes are there; 0 where it is none. */
static int read_head(const unsigned char *at, Py_ssize_t left, Py_ssize_t *head, Py_ssize_t *size) {
    if (left < 2 || at[0] != 0x81) return 0;
    if (at[1] < 126) {
        *head = 2, *size = at[1];
        return 1;
    }
    if (at[1] == 126) {
        if (left < 4) return 0;
        *head = 4, *size = at[2] << 8 | at[3];
        return *size >= 126;
    }
    if (at[1] > 127 || left < 10 || at[2] & 0x80) return 0;
    uint64_t size64 = 0;
    for (int i = 2; i < 10; i++) size64 = size64 << 8 | at[i];
    *head = 10, *size = (Py_ssize_t)size64;
    return size64 >= 65536;
}

static PyObject *read_texts(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t n) {
    if (n != 4 || !PyBytes_Check(arguments[0]) || !PyList_Check(arguments[3])) {
        PyErr_SetString(PyExc_TypeError, "read_texts(data: bytes, start: int, max_size: int, messages: list)");
        return NULL;
    }
    const unsigned char *data = (const unsigned char *)PyBytes_AS_STRING(arguments[0]);
    Py_ssize_t end = PyBytes_GET_SIZE(arguments[0]), start = PyLong_AsSsize_t(arguments[1]);
    Py_ssize_t max_size = PyLong_AsSsize_t(arguments[2]), head, size;
    if (PyErr_Occurred()) return NULL;
    if (start < 0) {
        PyErr_SetString(PyExc_ValueError, "start is the place of a byte: 0 or more");
        return NULL;
    }
    while (start <= end && read_head(data + start, end - start, &head, &size)) {
        const unsigned char *payload = data + start + head;
        if (size > max_size || size > end - start - head || !is_utf8((const char *)payload, size)) break;
        PyObject *message = PyBytes_FromStringAndSize((const char *)payload, size);
        if (message == NULL) return NULL;
        int failed = PyList_Append(arguments[3], message);
        Py_DECREF(message);
        if (failed) return NULL;
        start += head + size;
    }
    return PyLong_FromSsize_t(start);
}

static PyMethodDef METHODS[] = {
    {"read_texts", (PyCFunction)(void (*)(void))read_texts, METH_FASTCALL, "See streamgauge.wire.frames."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "_frames", NULL, 0, METHODS, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__frames(void) { return PyModule_Create(&MODULE); }
