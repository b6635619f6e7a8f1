/* policy_files.c - see policy_files.h. */
#include "ctl/policy_files.h"

#include "core/shipped.h"
#include "ctl/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_DEPTH_MAX = 16 };

int policy_documents(struct arena *arena, const char *file, struct documents *out, struct err *err)
{
    static const char foreign[] = "admissionregistration.k8s.io/";
    struct bytes text;

    if (file_read(arena, file, DOCUMENTS_FILE_MAX, &text, err) != 0)
        return -1;
    if (memmem(text.ptr, text.len, foreign, sizeof foreign - 1) == NULL)
        return documents_split(arena, file, text, out, err);
    struct document *whole = arena_alloc(arena, sizeof *whole);
    if (whole == NULL)
        return err_nomem(err);
    *whole = (struct document){ .file = file, .text = text, .line = 1, .kind = "", .name = "" };
    *out = (struct documents){ whole, 1 };
    return 0;
}

/* ---- compiled ---------------------------------------------------------------------------- */

static int add(struct arena *arena, const struct document *d, struct policy_files *out, struct err *err)
{
    struct policy *policy;

    if (out->n == DOCUMENTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "%s: more than %d policies", d->file, DOCUMENTS_MAX);
    if (out->items == NULL && (out->items = arena_array(arena, DOCUMENTS_MAX, sizeof *out->items)) == NULL)
        return err_nomem(err);
    if (policy_compile(d->text.ptr, d->text.len, arena, NULL, &policy, err) != 0)
        return err_prefix(err, "%.200s (document at line %u)", d->file, d->line);
    out->items[out->n++] = (struct policy_file){ d->file, policy_info(policy)->name, d->text, policy };
    return 0;
}

static const struct shipped_policy *shipped_of(const char *name)
{
    for (size_t i = 0; i < n_shipped_policies; i++) {
        if (str_eq(shipped_policies[i].name, name))
            return &shipped_policies[i];
    }
    return NULL;
}

int policy_files_add(struct arena *arena, const char *name, const char *text, struct policy_files *out, struct err *err)
{
    const struct document d = { .file = name, .line = 1, .text = { (const unsigned char *)text, strlen(text) } };

    return add(arena, &d, out, err);
}

int policy_files_read(struct arena *arena, const char *file, struct policy_files *out, struct err *err)
{
    const struct shipped_policy *shipped = access(file, F_OK) != 0 ? shipped_of(file) : NULL;
    struct documents docs = { 0 };

    if (shipped != NULL)
        return policy_files_add(arena, file, shipped->document, out, err);
    if (policy_documents(arena, file, &docs, err) != 0)
        return -1;
    for (size_t i = 0; i < docs.n; i++) {
        if (add(arena, &docs.items[i], out, err) != 0)
            return -1;
    }
    return docs.n > 0 ? 0 : err_set(err, ERR_INVALID, "%s: no policy in it", file);
}

/* ---- cases ---------------------------------------------------------------------------------- */

static bool is_case_file(const char *name)
{
    return str_ends(name, "cases.yaml") || str_ends(name, "cases.yml");
}

static int add_case_file(const char *path, const char **list, size_t *n, struct err *err)
{
    if (*n == CASE_FILES_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d files of cases", CASE_FILES_MAX);
    list[(*n)++] = path;
    return 0;
}

static int find_in(struct arena *arena, const char *path, unsigned depth, const char **list, size_t *n, struct err *err);

static int find_entry(struct arena *arena, const char *folder, const char *name, unsigned depth, const char **list, size_t *n, struct err *err)
{
    size_t len = strlen(folder);
    const char *path = arena_printf(arena, "%s%s%s", folder, len > 0 && folder[len - 1] == '/' ? "" : "/", name);
    struct stat st;

    if (path == NULL)
        return err_nomem(err);
    if (name[0] == '.' || lstat(path, &st) != 0)
        return 0;
    if (S_ISDIR(st.st_mode))
        return find_in(arena, path, depth + 1, list, n, err);
    return is_case_file(name) ? add_case_file(path, list, n, err) : 0;
}

static int find_in(struct arena *arena, const char *path, unsigned depth, const char **list, size_t *n, struct err *err)
{
    struct dirent **entries = NULL;
    int rc = 0;

    if (depth > FOLDER_DEPTH_MAX)
        return err_set(err, ERR_TOO_LARGE, "%s: more than %d folders deep", path, FOLDER_DEPTH_MAX);
    int n_entries = scandir(path, &entries, NULL, alphasort);
    if (n_entries < 0)
        return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
    for (int i = 0; i < n_entries; i++) {
        if (rc == 0)
            rc = find_entry(arena, path, entries[i]->d_name, depth, list, n, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

int case_files_find(struct arena *arena, const char *path, const char **list, size_t *n, struct err *err)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return find_in(arena, path, 0, list, n, err);
    return add_case_file(path, list, n, err);
}
