/* rows.h - rows into structs, for all store files.
 *
 * A noun has one function that reads a row; these two run it over one row or
 * over many.  What is read lives in the arena. */
#ifndef KEEP_STORE_ROWS_H
#define KEEP_STORE_ROWS_H

#include "db/db.h"

/* Fills the struct from the row; sets *failed when the arena is full. */
typedef void row_read_fn(const struct db_rows *row, struct arena *arena, void *out, bool *failed);

/* One row into *out.  None: ERR_NOT_FOUND, "no such <what>". */
int row_get(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
            struct arena *arena, row_read_fn *read, void *out, const char *what, struct err *err);

/* All rows, at most max (ERR_TOO_LARGE beyond); *out is an array of n structs of `size` bytes. */
int rows_list(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
              struct arena *arena, row_read_fn *read, size_t size, size_t max,
              void **out, size_t *n, struct err *err);

/* The same for queries that bound themselves (LIMIT, one image, one noun). */
enum { ROWS_MAX = 1000000 };
int rows_all(struct db *db, const struct db_query *q, const struct db_value *in, size_t n_in,
             struct arena *arena, row_read_fn *read, size_t size, void **out, size_t *n, struct err *err);

/* Bytes of a column copied into the arena. */
struct bytes row_bytes(const struct db_rows *row, int col, struct arena *arena, bool *failed);

/* A text column, never NULL. */
const char *row_text(const struct db_rows *row, int col, struct arena *arena, bool *failed);

#endif
