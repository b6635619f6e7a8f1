/* bolt.h - reads a bbolt database (containerd's metadata) while its owner writes it.
 *
 * Format: pages; two of them, by turns, say where the root is (the valid one with the
 * higher transaction counts); B+ trees of keys, a value may be a bucket: a tree of
 * its own, or a page within the value.  Writers never change a page that is in use,
 * so what is read is the state of a moment; a page that was freed and written anew
 * meanwhile gives nonsense, which is bounded and checked like hostile input: the
 * answer is then "not found". */
#ifndef KEEP_AGENT_INVENTORY_BOLT_H
#define KEEP_AGENT_INVENTORY_BOLT_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct census;

struct bolt {
    int fd;
    uint32_t page_size;
    uint64_t root, n_pages;
};

/* The file below the scan's root; false: not there, or no such database. */
bool bolt_open(struct census *s, const char *path, struct bolt *out);
bool bolt_open_fd(int fd, struct bolt *out);               /* takes the descriptor over when it is one */
void bolt_close(struct bolt *b);

/* The value at the end of a path of buckets (NULL-terminated), when it is text.  The
 * arena's; NULL: not there. */
const char *bolt_text(const struct bolt *b, struct arena *arena, const char *const *path);

/* Every text value of the bucket at the end of the path, at most 1,000. */
void bolt_each(const struct bolt *b, struct arena *arena, const char *const *path,
               void (*each)(void *data, const char *key, const char *value), void *data);

#endif
