/* profile.c - see profile.h. */
#include "store/profile.h"
#include "store/rows.h"

#define COLS "id, profile_id, repository, digest, source, version, mode, document, signer_id, evidence_id, created_ms, created_by, reason"
#define COLS_OUT "itttiiitttitt"

enum { Q_ENFORCED, Q_KEYS, Q_GET, Q_CURRENT, Q_NEXT, Q_LAST, Q_RETIRE, Q_INSERT, Q_SUBJECTS, Q_VERSIONS, Q_CHANGED, Q_GENERATION, Q_N };
static const struct db_query Q[] = {
    [Q_ENFORCED] = { "profile.enforced", "ii", COLS_OUT,
        "SELECT " COLS " FROM profiles WHERE is_current = 1 AND source = $1 ORDER BY repository, digest LIMIT $2" },
    [Q_KEYS] = { "profile.keys", "ii", "itt",
        "SELECT id, repository, digest FROM profiles WHERE is_current = 1 AND source = $1 ORDER BY repository, digest LIMIT $2" },
    [Q_GET] = { "profile.get", "i", COLS_OUT, "SELECT " COLS " FROM profiles WHERE id = $1" },
    [Q_CURRENT] = { "profile.current", "t", COLS_OUT,
        "SELECT " COLS " FROM profiles WHERE profile_id = $1 AND is_current = 1 ORDER BY id" },
    [Q_NEXT] = { "profile.next", "", "i", "SELECT COALESCE(MAX(id), 0) + 1 FROM profiles" },
    [Q_LAST] = { "profile.last", "ti", "i", "SELECT COALESCE(MAX(version), 0) FROM profiles WHERE profile_id = $1 AND source = $2" },
    [Q_RETIRE] = { "profile.retire", "ti", "",
        "UPDATE profiles SET is_current = 0 WHERE profile_id = $1 AND source = $2 AND is_current = 1" },
    [Q_INSERT] = { "profile.insert", "itttiiitttitt", "",
        "INSERT INTO profiles (" COLS ", is_current) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1)" },
    [Q_SUBJECTS] = { "profile.subjects", "tti", "ttt",
        "SELECT DISTINCT profile_id, repository, digest FROM profiles WHERE is_current = 1 AND (repository, digest) > ($1, $2)"
        " ORDER BY repository, digest LIMIT $3" },
    [Q_VERSIONS] = { "profile.versions", "tii", COLS_OUT,
        "SELECT " COLS " FROM profiles WHERE profile_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3" },
    [Q_CHANGED] = { "profile.changed", "", "",
        "INSERT INTO settings (name, setting) VALUES ('profile_generation', '1') ON CONFLICT (name)"
        " DO UPDATE SET setting = CAST(CAST(settings.setting AS BIGINT) + 1 AS TEXT)" },
    [Q_GENERATION] = { "profile.generation", "", "i",
        "SELECT CAST(setting AS BIGINT) FROM settings WHERE name = 'profile_generation'" },
};
const struct db_queries profile_queries = { Q, Q_N };

static void profile_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct profile_row *p = out;

    *p = (struct profile_row){
        .id = db_col_i(row, 0),
        .profile_id = row_text(row, 1, arena, failed),
        .repository = row_text(row, 2, arena, failed),
        .digest = row_text(row, 3, arena, failed),
        .source = (int)db_col_i(row, 4),
        .version = db_col_i(row, 5),
        .mode = (int)db_col_i(row, 6),
        .document = row_text(row, 7, arena, failed),
        .signer_id = db_col_text(row, 8, arena, failed),
        .evidence_id = db_col_text(row, 9, arena, failed),
        .created_ms = db_col_i(row, 10),
        .created_by = row_text(row, 11, arena, failed),
        .reason = row_text(row, 12, arena, failed),
    };
}

static void key_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct profile_key *k = out;

    *k = (struct profile_key){ db_col_i(row, 0), row_text(row, 1, arena, failed), row_text(row, 2, arena, failed) };
}

static void subject_read(const struct db_rows *row, struct arena *arena, void *out, bool *failed)
{
    struct profile_subject *s = out;

    *s = (struct profile_subject){ row_text(row, 0, arena, failed), row_text(row, 1, arena, failed), row_text(row, 2, arena, failed) };
}

int profile_list_enforced(struct db *db, struct arena *arena, struct profile_row **out, size_t *n, struct err *err)
{
    void *list;

    if (rows_all(db, &Q[Q_ENFORCED], DB_IN(db_i(PROFILE_ENFORCED), db_i(PROFILES_ENFORCED_MAX)), arena, profile_read, sizeof **out, &list, n, err) != 0)
        return -1;
    *out = list;
    return 0;
}

int profile_keys_enforced(struct db *db, struct arena *arena, struct profile_key **out, size_t *n, struct err *err)
{
    void *list;

    if (rows_all(db, &Q[Q_KEYS], DB_IN(db_i(PROFILE_ENFORCED), db_i(PROFILES_ENFORCED_MAX)), arena, key_read, sizeof **out, &list, n, err) != 0)
        return -1;
    *out = list;
    return 0;
}

int profile_get(struct db *db, int64_t id, struct arena *arena, struct profile_row *out, struct err *err)
{
    return row_get(db, &Q[Q_GET], DB_IN(db_i(id)), arena, profile_read, out, "profile", err);
}

int profile_current(struct db *db, const char *profile_id, struct arena *arena, struct profile_row out[PROFILE_SOURCE_N], size_t *n,
                    struct err *err)
{
    void *list;
    size_t found;

    if (rows_all(db, &Q[Q_CURRENT], DB_IN(db_t(profile_id)), arena, profile_read, sizeof *out, &list, &found, err) != 0)
        return -1;
    for (size_t i = 0; i < PROFILE_SOURCE_N; i++)
        out[i] = (struct profile_row){ 0 };
    for (size_t i = 0; i < found; i++) {
        const struct profile_row *row = &((struct profile_row *)list)[i];
        if (row->source >= 0 && row->source < PROFILE_SOURCE_N)
            out[row->source] = *row;
    }
    *n = found;
    return 0;
}

static int changed(struct db *db, int source, struct err *err)
{
    return source == PROFILE_ENFORCED ? db_exec(db, &Q[Q_CHANGED], DB_NONE, NULL, err) : 0;
}

int profile_generation(struct db *db, int64_t *generation, struct err *err)
{
    return db_int(db, &Q[Q_GENERATION], DB_NONE, 0, generation, err);
}

int profile_retire(struct db *db, const char *profile_id, int source, struct err *err)
{
    return db_exec(db, &Q[Q_RETIRE], DB_IN(db_t(profile_id), db_i(source)), NULL, err) != 0 ? -1 : changed(db, source, err);
}

int profile_insert(struct db *db, struct profile_row *row, struct err *err)
{
    int64_t id, last;

    if (db_int(db, &Q[Q_NEXT], DB_NONE, 1, &id, err) != 0 ||
        db_int(db, &Q[Q_LAST], DB_IN(db_t(row->profile_id), db_i(row->source)), 0, &last, err) != 0 ||
        profile_retire(db, row->profile_id, row->source, err) != 0 ||
        db_exec(db, &Q[Q_INSERT], DB_IN(db_i(id), db_t(row->profile_id), db_t(row->repository), db_t(row->digest), db_i(row->source),
                db_i(last + 1), db_i(row->mode), db_t(row->document), db_t(row->signer_id), db_t(row->evidence_id), db_i(row->created_ms),
                db_t(row->created_by), db_t(row->reason)), NULL, err) != 0)
        return -1;
    row->id = id;
    row->version = last + 1;
    return 0;
}

int profile_subjects(struct db *db, const char *repository, const char *digest, int64_t limit, struct arena *arena,
                     struct profile_subject **out, size_t *n, struct err *err)
{
    void *list;

    if (rows_list(db, &Q[Q_SUBJECTS], DB_IN(db_t(repository), db_t(digest), db_i(limit)), arena, subject_read, sizeof **out, (size_t)limit,
                  &list, n, err) != 0)
        return -1;
    *out = list;
    return 0;
}

int profile_versions(struct db *db, const char *profile_id, int64_t before, int64_t limit, struct arena *arena,
                     struct profile_row **out, size_t *n, struct err *err)
{
    void *list;

    if (rows_list(db, &Q[Q_VERSIONS], DB_IN(db_t(profile_id), db_i(before), db_i(limit)), arena, profile_read, sizeof **out, (size_t)limit,
                  &list, n, err) != 0)
        return -1;
    *out = list;
    return 0;
}
