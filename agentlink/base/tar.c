/* tar.c - see tar.h.  gzip is undone by compress.h, whose bounds hold before a byte
 * is written; libarchive sees plain tar and nothing else. */
#include "base/tar.h"

#include "base/compress.h"

#include <archive.h>
#include <archive_entry.h>

#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX_READ = 1024, NAME_MAX_WRITE = 100, FILES_MAX = 1000, FILE_MAX = 64 << 20, TOTAL_MAX = 256 << 20,
    RATIO_MAX = 1100, GZIP_LEVEL = 6, BLOCK = 512,
};

/* ---- writing ------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct tar_file *const *)a)->name, (*(const struct tar_file *const *)b)->name);
}

static bool is_plain(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > NAME_MAX_WRITE || *name == '/' || name[len - 1] == '/' || !str_is_utf8(name, len))
        return false;
    for (const char *part = name; part != NULL; part = strchr(part, '/')) {
        part += part != name;
        size_t n = strcspn(part, "/");
        if (n == 0 || (n == 1 && *part == '.') || (n == 2 && strncmp(part, "..", 2) == 0))
            return false;
    }
    return true;
}

static int check_names(const struct tar_file *const *sorted, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_plain(sorted[i]->name))
            return err_set(err, ERR_INVALID, "archive: a member's name is not a plain relative path");
        if (i > 0 && strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
            return err_set(err, ERR_INVALID, "archive: %s would be in it twice", sorted[i]->name);
    }
    return 0;
}

static la_ssize_t put(struct archive *a, void *data, const void *bytes, size_t len)
{
    struct buf *b = data;

    (void)a;
    buf_put(b, bytes, len);
    return b->failed ? -1 : (la_ssize_t)len;
}

static bool put_file(struct archive *a, struct archive_entry *e, const struct tar_file *f)
{
    archive_entry_clear(e);
    archive_entry_set_pathname(e, f->name);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, (la_int64_t)f->content.len);
    archive_entry_set_mtime(e, 0, 0);
    if (archive_write_header(a, e) != ARCHIVE_OK)
        return false;
    return f->content.len == 0 || archive_write_data(a, f->content.ptr, f->content.len) == (la_ssize_t)f->content.len;
}

static bool put_all(const struct tar_file *const *sorted, size_t n, struct buf *tar)
{
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    bool ok = a != NULL && e != NULL && archive_write_set_format_ustar(a) == ARCHIVE_OK &&
              archive_write_set_bytes_per_block(a, 0) == ARCHIVE_OK && archive_write_open(a, tar, NULL, put, NULL) == ARCHIVE_OK;

    for (size_t i = 0; ok && i < n; i++)
        ok = put_file(a, e, sorted[i]);
    ok = ok && archive_write_close(a) == ARCHIVE_OK;
    archive_entry_free(e);
    archive_write_free(a);
    return ok && !tar->failed;
}

int tar_gz_write(const struct tar_file *files, size_t n, struct buf *out, struct err *err)
{
    const struct tar_file **sorted = calloc(n + 1, sizeof *sorted);
    struct buf tar;

    if (sorted == NULL)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &files[i];
    qsort(sorted, n, sizeof *sorted, by_name);
    buf_init(&tar, TOTAL_MAX);
    int rc = check_names(sorted, n, err);
    if (rc == 0 && !put_all(sorted, n, &tar))
        rc = err_set(err, ERR_UNAVAILABLE, "archive: cannot be written");
    if (rc == 0)
        rc = gzip_deflate(tar.ptr, tar.len, GZIP_LEVEL, out, err);
    buf_free(&tar);
    free(sorted);
    return rc;
}

/* ---- reading ------------------------------------------------------------------- */

struct reading {
    struct tar_bounds bounds;
    struct arena *arena;
    struct tar_file *files;
    size_t n;
};

static int read_content(struct archive *a, struct reading *r, struct tar_file *f, la_int64_t size, struct err *err)
{
    if (size < 0 || (uint64_t)size > r->bounds.max_file)
        return err_set(err, ERR_TOO_LARGE, "archive: a member has more than %zu bytes", r->bounds.max_file);
    size_t want = (size_t)size, got = 0;
    unsigned char *to = arena_bytes(r->arena, want + 1);
    if (to == NULL)
        return err_nomem(err);
    while (got < want) {
        la_ssize_t step = archive_read_data(a, to + got, want - got);
        if (step <= 0)
            return err_set(err, ERR_INVALID, "archive: a member is cut off");
        got += (size_t)step;
    }
    to[want] = '\0';
    f->content = (struct bytes){ to, want };
    return 0;
}

static int read_member(struct archive *a, struct archive_entry *e, struct reading *r, struct err *err)
{
    const char *name = archive_entry_pathname(e);

    if (archive_entry_filetype(e) == AE_IFDIR && archive_entry_hardlink(e) == NULL)
        return 0;
    if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) != NULL)
        return err_set(err, ERR_INVALID, "archive: a member is neither file nor folder");
    size_t len = name != NULL ? strlen(name) : 0;
    if (len == 0 || len > NAME_MAX_READ || !str_is_utf8(name, len))
        return err_set(err, ERR_INVALID, "archive: a member's name is not 1 to %d bytes of UTF-8", NAME_MAX_READ);
    if (r->n == r->bounds.max_files)
        return err_set(err, ERR_TOO_LARGE, "archive: more than %zu files", r->bounds.max_files);
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->files[i].name, name) == 0)
            return err_set(err, ERR_INVALID, "archive: a member is in it twice");
    }
    struct tar_file f = { .name = arena_strdup(r->arena, name) };
    if (f.name == NULL)
        return err_nomem(err);
    if (read_content(a, r, &f, archive_entry_size(e), err) != 0)
        return -1;
    r->files[r->n++] = f;
    return 0;
}

static int read_members(struct archive *a, struct reading *r, struct err *err)
{
    struct archive_entry *e;
    int rc;

    while ((rc = archive_read_next_header(a, &e)) == ARCHIVE_OK) {
        if (read_member(a, e, r, err) != 0)
            return -1;
    }
    return rc == ARCHIVE_EOF ? 0 : err_set(err, ERR_INVALID, "archive: damaged, or not a tar");
}

static int read_tar(const struct buf *tar, struct reading *r, struct err *err)
{
    struct archive *a;

    if (tar->len < 2 * BLOCK || tar->len % BLOCK != 0)
        return err_set(err, ERR_INVALID, "archive: cut off, or not a tar");
    a = archive_read_new();
    if (a == NULL)
        return err_nomem(err);
    int rc = -1;
    if (archive_read_support_format_tar(a) != ARCHIVE_OK || archive_read_support_filter_none(a) != ARCHIVE_OK ||
        archive_read_open_memory(a, tar->ptr, tar->len) != ARCHIVE_OK)
        err_set(err, ERR_INVALID, "archive: damaged, or not a tar");
    else
        rc = read_members(a, r, err);
    archive_read_free(a);
    return rc;
}

int tar_gz_read(const void *bytes, size_t len, const struct tar_bounds *bounds, struct arena *arena,
                const struct tar_file **files, size_t *n, struct err *err)
{
    struct reading r = { .arena = arena, .bounds = bounds != NULL ? *bounds : (struct tar_bounds){ 0 } };
    struct buf tar;

    if (r.bounds.max_files == 0)
        r.bounds.max_files = FILES_MAX;
    if (r.bounds.max_file == 0)
        r.bounds.max_file = FILE_MAX;
    if (r.bounds.max_total == 0)
        r.bounds.max_total = TOTAL_MAX;
    r.files = arena_array(arena, r.bounds.max_files, sizeof *r.files);
    if (r.files == NULL)
        return err_nomem(err);
    buf_init(&tar, r.bounds.max_total);
    int rc = gzip_inflate(bytes, len, (struct inflate_bounds){ r.bounds.max_total, RATIO_MAX }, &tar, err);
    if (rc == 0)
        rc = read_tar(&tar, &r, err);
    buf_free(&tar);
    if (rc != 0)
        return -1;
    *files = r.files;
    *n = r.n;
    return 0;
}
