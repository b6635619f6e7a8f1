/* migrate.h - numbered, append-only schema files, embedded in the binary.
 *
 * schema/NNNN_words.sql are written once with the tokens INT64, BYTES, TEXT,
 * CLUSTERED and STRICT; the build (migrations.sh) turns them into each dialect.  Each runs in one write
 * transaction and is recorded with its hash (64-bit FNV-1a of the engine's text:
 * it is there to notice an accidental edit); a changed old file or a database
 * newer than the binary stops the start with a clear message.  Before SQLite is
 * migrated from an older version, a VACUUM INTO copy is kept beside the file. */
#ifndef KEEP_DB_MIGRATE_H
#define KEEP_DB_MIGRATE_H

#include "db/db.h"

struct migration {
    int number;              /* from the file name */
    const char *name;        /* "0001_base" */
    const char *sqlite, *postgres;
};

/* Generated at build from schema/NNNN_*.sql, ends with a row of number 0. */
extern const struct migration migrations[];

/* Brings the database at url to the binary's version; *applied counts what ran
 * (by this caller: of two at once, one waits for the other and applies nothing).
 * ERR_PRECONDITION: changed file, or newer database.  The copy is called
 * <file>.before-NNNN_words, after the first migration that follows it. */
int migrate_run(const char *url, const struct migration *all, int64_t now_ms, int *applied, struct err *err);

/* Fails with ERR_UNAVAILABLE and the command to type unless the schema is current. */
int migrate_check(struct db *db, const struct migration *all, struct err *err);

#endif
