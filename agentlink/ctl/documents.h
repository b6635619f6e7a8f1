/* documents.h - files of several YAML (or JSON) documents, each with its own text.
 *
 * A line that begins with "---" ends a document wherever it stands, so the text is
 * cut there and each piece is read by itself: a policy is sent exactly as written. */
#ifndef KEEP_CTL_DOCUMENTS_H
#define KEEP_CTL_DOCUMENTS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/json.h"

enum { DOCUMENTS_MAX = 1000, DOCUMENTS_FILE_MAX = 16 * 1024 * 1024 };

struct document {
    const char *file;
    struct bytes text;
    unsigned line;                   /* of the file, where the text begins (from 1) */
    struct json value;               /* an object */
    const char *kind, *name;         /* "" when not given */
};

struct documents { struct document *items; size_t n; };

/* Cuts text into documents and leaves out empty ones; values are not read yet. */
int documents_split(struct arena *arena, const char *file, struct bytes text, struct documents *out, struct err *err);

/* Adds all documents of a file ("-": standard input), read.  The error says file and line. */
int documents_read(struct arena *arena, const char *file, struct documents *out, struct err *err);

#endif
