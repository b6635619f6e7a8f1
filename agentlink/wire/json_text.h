/* json_text.h - what the JSON reader and writer know about bytes in strings. */
#ifndef KEEP_WIRE_JSON_TEXT_H
#define KEEP_WIRE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that need no attention: ASCII but control characters, quote and backslash. */
static inline bool json_is_plain(char c)
{
    return (unsigned char)(c - 0x20) < 0x60 && c != '"' && c != '\\';
}

/* How many bytes of s..end are plain, eight at a time. */
static inline size_t json_plain_run(const char *s, const char *end)
{
    const char *start = s;
    const uint64_t ones = ~UINT64_C(0) / 255, high = ones << 7;

    while (end - s >= 8) {
        uint64_t w;
        memcpy(&w, s, 8);
        uint64_t quote = w ^ (ones * '"'), back = w ^ (ones * '\\');
        /* The lowest byte marked is a true one; borrows only mark bytes above it. */
        uint64_t odd = (((quote - ones) & ~quote) | ((back - ones) & ~back) | ((w - ones * 0x20) & ~w) | w) & high;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        if (odd != 0)
            return (size_t)(s - start) + (size_t)__builtin_ctzll(odd) / 8;
#else
        if (odd != 0)
            break;
#endif
        s += 8;
    }
    while (s < end && json_is_plain(*s))
        s++;
    return (size_t)(s - start);
}

#endif
