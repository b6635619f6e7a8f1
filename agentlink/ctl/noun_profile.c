/* noun_profile.c - profile: what images are expected to do, as the server has it. */
#include "client/url.h"
#include "ctl/attest.h"
#include "ctl/call.h"
#include "ctl/file.h"
#include "ctl/nouns.h"
#include "wire/envelope.h"
#include "wire/imageref.h"
#include "wire/jsonw.h"
#include "wire/profile_doc.h"

#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 512 << 10 };

static const struct column profile_columns[] = {
    { "REPOSITORY", "repository", COLUMN_TEXT }, { "DIGEST", "digest", COLUMN_DIGEST }, { "MODE", "mode", COLUMN_WORD },
    { "PENDING", "pending", COLUMN_FLAG }, { "COVERS", "covers", COLUMN_TEXTS }, { "NOT COVERED", "not_covered", COLUMN_TEXTS },
    { "CHANGED", "changed_at", COLUMN_TIME }, { "ID", "id", COLUMN_TEXT },
};
static const struct column detail_columns[] = {
    { "ID", "id", COLUMN_TEXT }, { "REPOSITORY", "repository", COLUMN_TEXT }, { "DIGEST", "digest", COLUMN_DIGEST }, { "MODE", "mode", COLUMN_WORD },
    { "COVERS", "covers", COLUMN_TEXTS }, { "NOT COVERED", "not_covered", COLUMN_TEXTS }, { "PENDING", "pending", COLUMN_FLAG },
    { "DECLARED", "declared_version", COLUMN_NUMBER }, { "DECLARED BY", "declared.created_by", COLUMN_TEXT }, { "DECLARED AT", "declared.created_at", COLUMN_TIME },
    { "SIGNER", "declared.signer", COLUMN_TEXT }, { "LEARNED", "learned_version", COLUMN_NUMBER }, { "LEARNED AT", "learned.created_at", COLUMN_TIME },
    { "ENFORCED", "enforced_version", COLUMN_NUMBER }, { "APPROVED BY", "enforced.created_by", COLUMN_TEXT },
    { "APPROVED AT", "enforced.created_at", COLUMN_TIME }, { "REASON", "enforced.reason", COLUMN_TEXT }, { "OBSERVED", "observed", COLUMN_NUMBER },
    { "DOUBTED", "doubted", COLUMN_NUMBER }, { "NEXT MODE", "promotion.to", COLUMN_WORD }, { "READY", "promotion.ready", COLUMN_FLAG },
};
static const struct column check_columns[] = { { "ASKED FOR", "rule", COLUMN_TEXT }, { "MET", "met", COLUMN_FLAG }, { "", "text", COLUMN_TEXT } };
static const struct column diff_columns[] = {
    { "PART", "part", COLUMN_TEXT }, { "ITEM", "item", COLUMN_TEXT }, { "PARENT", "parent", COLUMN_TEXT }, { "DECLARED", "declared", COLUMN_TEXT },
    { "OBSERVED", "observed", COLUMN_TEXT }, { "ENFORCED", "enforced", COLUMN_TEXT }, { "COUNT", "count", COLUMN_NUMBER },
    { "DOUBTS", "doubts", COLUMN_TEXTS }, { "NOTE", "note", COLUMN_TEXT },
};
static const struct column observation_columns[] = {
    { "PART", "part", COLUMN_TEXT }, { "ITEM", "item", COLUMN_TEXT }, { "PARENT", "parent", COLUMN_TEXT }, { "COUNT", "count", COLUMN_NUMBER },
    { "CONTAINERS", "containers", COLUMN_NUMBER }, { "NODES", "nodes", COLUMN_NUMBER }, { "HOURS", "hours", COLUMN_NUMBER },
    { "FIRST", "first_at", COLUMN_TIME }, { "LAST", "last_at", COLUMN_TIME }, { "CONFIDENCE", "confidence", COLUMN_NUMBER },
    { "DOUBTS", "doubts", COLUMN_TEXTS },
};
static const struct column version_columns[] = {
    { "SOURCE", "source", COLUMN_TEXT }, { "VERSION", "version", COLUMN_NUMBER }, { "MODE", "mode", COLUMN_WORD }, { "AT", "created_at", COLUMN_TIME },
    { "BY", "created_by", COLUMN_TEXT }, { "REASON", "reason", COLUMN_TEXT }, { "SIGNER", "signer", COLUMN_TEXT },
};

static const struct api_call list_call = { .method = "GET", .target = "/v1/profiles", .columns = profile_columns, .n_columns = N_ITEMS(profile_columns),
    .empty = "no profiles; keepctl profile init drafts one" };
static const struct api_call show_call = { .method = "GET", .target = "/v1/profiles/{}", .columns = detail_columns, .n_columns = N_ITEMS(detail_columns) };
static const struct api_call diff_call = { .method = "GET", .target = "/v1/profiles/{}/diff", .columns = diff_columns, .n_columns = N_ITEMS(diff_columns) };
static const struct api_call observations_call = { .method = "GET", .target = "/v1/profiles/{}/observations", .columns = observation_columns,
    .n_columns = N_ITEMS(observation_columns), .empty = "nothing has been seen of it yet" };
static const struct api_call history_call = { .method = "GET", .target = "/v1/profiles/{}/history", .columns = version_columns, .n_columns = N_ITEMS(version_columns) };

/* ---- which one ------------------------------------------------------------------------------- */

int profile_id_of(struct ctl *c, const char *text, const char **out)
{
    char id[PROFILE_ID_LEN + 1];
    struct imageref ref;
    struct err err = { 0 };

    if (strlen(text) == PROFILE_ID_LEN && strspn(text, "0123456789abcdef") == PROFILE_ID_LEN) {
        *out = text;
        return 0;
    }
    if (imageref_parse(&c->arena, text, &ref, &err) != 0)
        return ctl_fail(c, &err, NULL);
    if (ref.is_id || (ref.tag != NULL && !ref.tag_implied))
        return ctl_wrong(c, NULL, "%s: a profile belongs to REPOSITORY or REPOSITORY@sha256:..., not to a tag", text);
    const char *repository = imageref_name(&c->arena, &ref);
    if (repository == NULL)
        return ctl_wrong(c, NULL, "out of memory");
    profile_id(repository, ref.digest, id);
    *out = arena_strdup(&c->arena, id);
    return *out != NULL ? 0 : ctl_wrong(c, NULL, "out of memory");
}

/* The command's first argument becomes the id that the target wants. */
static int resolve(struct ctl *c)
{
    const char *id;
    int rc = profile_id_of(c, c->cl->args[0], &id);

    if (rc == 0)
        c->cl->args[0] = id;
    return rc;
}

/* ---- looking ------------------------------------------------------------------------------------ */

static bool shows_table(const struct ctl *c)
{
    return c->n_outs == 1 && str_eq(c->outs[0].format->name, "table");
}

static int show(struct ctl *c)
{
    struct json answer;
    int rc = resolve(c);

    if (rc == 0)
        rc = ctl_get(c, call_target(c), &answer);
    if (rc != 0)
        return ctl_code(rc);
    rc = call_print(c, &answer);
    const struct json *checks = json_path(&answer, "promotion.checks");
    if (rc != 0 || !shows_table(c) || json_len(checks) == 0)
        return rc;
    const struct listing l = { check_columns, N_ITEMS(check_columns), checks, checks };
    putchar('\n');
    return out_list(c, &l);
}

static int diff(struct ctl *c)
{
    struct json answer;
    int rc = resolve(c);

    if (rc == 0)
        rc = ctl_get(c, call_target(c), &answer);
    if (rc != 0)
        return ctl_code(rc);
    const struct json *rows = json_get(&answer, "rows"), *not_covered = json_get(&answer, "not_covered");
    const struct listing l = { diff_columns, N_ITEMS(diff_columns), rows, &answer };
    rc = out_list(c, &l);
    for (uint32_t i = 0; i < json_len(not_covered); i++)
        ctl_say(c, "not judged: %s", json_str(json_at(not_covered, i), ""));
    return rc;
}

static int observations(struct ctl *c)
{
    int rc = resolve(c);

    return rc != 0 ? rc : call_show(c);
}

static int history(struct ctl *c)
{
    int rc = resolve(c);

    return rc != 0 ? rc : call_list(c);
}

/* ---- changing --------------------------------------------------------------------------------------- */

static int post(struct ctl *c, const char *target, const char *content_type, struct bytes body, struct json *answer)
{
    struct client_request r = { .method = "POST", .target = target, .body = body, .content_type = content_type };

    return target == NULL || body.ptr == NULL ? ctl_wrong(c, NULL, "out of memory") : ctl_send(c, &r, answer, NULL);
}

static int sign(struct ctl *c, const char *key_path, struct bytes text, struct bytes *out)
{
    struct privkey *key = NULL;
    struct err err = { 0 };
    struct buf b;

    buf_init(&b, BODY_MAX);
    int rc = key_load(&c->arena, key_path, &key, &err);
    if (rc == 0) {
        const struct privkey *keys[] = { key };
        rc = envelope_sign(&c->arena, "application/vnd.keep.profile+yaml", text, keys, 1, &b, &err);
    }
    privkey_free(key);
    if (rc == 0)
        *out = (struct bytes){ (const unsigned char *)arena_strndup(&c->arena, b.ptr, b.len), b.len };
    buf_free(&b);
    return rc == 0 ? 0 : ctl_fail(c, &err, NULL);
}

static int push(struct ctl *c)
{
    const char *key = ctl_option(c, "key");
    struct err err = { 0 };
    struct bytes text, body;
    struct profile p;
    struct json answer;

    if (file_read(&c->arena, c->cl->args[0], PROFILE_DOC_MAX, &text, &err) != 0 ||
        profile_doc_parse(text.ptr, text.len, &c->arena, NULL, &p, &err) != 0) {
        err_prefix(&err, "%s", c->cl->args[0]);
        return ctl_fail(c, &err, NULL);
    }
    body = text;
    int rc = key != NULL ? sign(c, key, text, &body) : 0;
    if (rc == 0)
        rc = post(c, "/v1/profiles", key != NULL ? "application/json" : "text/yaml", body, &answer);
    if (rc != 0)
        return ctl_code(rc);
    printf("declared version %lld of %s\n", (long long)json_int(json_get(&answer, "version"), 0), p.repository);
    ctl_next(c, "keepctl profile diff %s", p.repository);
    return 0;
}

static void put_reason(struct ctl *c, struct jsonw *w)
{
    if (ctl_option(c, "reason") != NULL)
        jsonw_kstr(w, "reason", ctl_option(c, "reason"));
    jsonw_object_end(w);
}

static struct bytes body_of(struct ctl *c, struct buf *b)
{
    struct bytes out = { NULL, b->len };

    if (!b->failed)
        out.ptr = (const unsigned char *)arena_strndup(&c->arena, b->ptr, b->len);
    buf_free(b);
    return out;
}

static const char *path_of(struct ctl *c, const char *rest)
{
    return arena_printf(&c->arena, "/v1/profiles/%s/%s", c->cl->args[0], rest);
}

static int learn(struct ctl *c)
{
    struct json answer;
    struct jsonw w;
    struct buf b;

    buf_init(&b, BODY_MAX);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_kstr(&w, "image", c->cl->args[0]);
    put_reason(c, &w);
    int rc = post(c, "/v1/profiles/learn", "application/json", body_of(c, &b), &answer);
    if (rc != 0)
        return ctl_code(rc);
    const struct json *doubted = json_get(&answer, "doubted");
    const struct listing l = { observation_columns, N_ITEMS(observation_columns), doubted, &answer };
    ctl_say(c, "learned version %lld; %u things in doubt are left out%s", (long long)json_int(json_path(&answer, "profile.version"), 0), json_len(doubted),
            json_len(doubted) > 0 ? ":" : "");
    rc = json_len(doubted) > 0 || !shows_table(c) ? out_list(c, &l) : 0;
    ctl_next(c, "keepctl profile approve %s --source learned", c->cl->args[0]);
    return rc;
}

static int approve(struct ctl *c)
{
    const char *version = ctl_option(c, "version"), *source = ctl_option(c, "source"), *shown = c->cl->args[0];
    struct json answer;
    struct jsonw w;
    struct buf b;
    int64_t n = 0;

    int rc = resolve(c);
    if (rc != 0)
        return rc;
    if (version != NULL && !str_to_i64(version, 1, INT64_MAX, &n))
        return ctl_wrong(c, NULL, "--version: expected a number, got '%s'", version);
    buf_init(&b, BODY_MAX);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_kstr(&w, "source", source != NULL ? source : "declared");
    if (n > 0)
        jsonw_kint(&w, "version", n);
    if (command_get_nth(c->cl, "accept", 0) != NULL) {
        jsonw_key(&w, "accept");
        jsonw_array(&w);
        for (size_t i = 0; command_get_nth(c->cl, "accept", i) != NULL; i++)
            jsonw_str(&w, command_get_nth(c->cl, "accept", i));
        jsonw_array_end(&w);
    }
    put_reason(c, &w);
    rc = post(c, path_of(c, "approve"), "application/json", body_of(c, &b), &answer);
    if (rc != 0)
        return ctl_code(rc);
    printf("version %lld counts, in mode %s\n", (long long)json_int(json_get(&answer, "version"), 0), json_get_str(&answer, "mode", "?"));
    ctl_next(c, "keepctl profile simulate %s", shown);
    return 0;
}

static int set_mode(struct ctl *c)
{
    struct json answer;
    struct jsonw w;
    struct buf b;
    int rc = resolve(c);

    if (rc != 0)
        return rc;
    buf_init(&b, BODY_MAX);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_kstr(&w, "mode", c->cl->args[1]);
    if (ctl_option(c, "force") != NULL)
        jsonw_kbool(&w, "force", true);
    put_reason(c, &w);
    rc = post(c, path_of(c, "mode"), "application/json", body_of(c, &b), &answer);
    if (rc != 0)
        return ctl_code(rc);
    printf("version %lld, mode %s\n", (long long)json_int(json_get(&answer, "version"), 0), json_get_str(&answer, "mode", "?"));
    return 0;
}

static const struct command_option limit_only[] = { LIMIT_OPTION };
static const struct command_option push_options[] = { { "key", "FILE", "Sign with this private key (PEM); needed with a token of role ci.", false } };
static const struct command_option reason_only[] = { { "reason", "TEXT", "Why; it stays in the history.", false } };
static const struct command_option approve_options[] = {
    { "source", "SOURCE", "declared (when absent), learned, or both together.", false },
    { "version", "N", "The version you looked at; refused when there is a newer one.", false },
    { "accept", "ITEM", "Allow this although it is in doubt: PART ITEM, or PART ITEM < PARENT. May be repeated.", true },
    { "reason", "TEXT", "Why; it stays in the history.", false },
};
static const struct command_option mode_options[] = {
    { "force", NULL, "Although the evidence is not there; needs --reason.", false },
    { "reason", "TEXT", "Why; it stays in the history.", false },
};

static const struct ctl_command rows[] = {
    { ROW("profile list", "", 0, 0, "List profiles by repository.", limit_only, NULL), call_list, &list_call },
    { PLAIN("profile show", "IMAGE", 1, 1, "Show a profile, and whether it may go on to the next mode."), show, &show_call },
    { PLAIN("profile diff", "IMAGE", 1, 1, "Declared, observed and enforced, side by side."), diff, &diff_call },
    { PLAIN("profile observations", "IMAGE", 1, 1, "What its images were seen doing, with doubts."), observations, &observations_call },
    { ROW("profile history", "IMAGE", 1, 1, "Every version, newest first.", limit_only, NULL), history, &history_call },
    { ROW("profile push", "FILE", 1, 1, "Declare what an image is expected to do.", push_options, NULL), push, NULL },
    { ROW("profile learn", "IMAGE", 1, 1, "Make a profile of what was seen without doubt, and list what is in doubt.", reason_only, NULL), learn, NULL },
    { ROW("profile approve", "IMAGE", 1, 1, "Make what is declared or learned count.", approve_options,
          "IMAGE is REPOSITORY or REPOSITORY@sha256:..., or the id of a profile. Approving says what is allowed, not how hard it\n"
          "is enforced: a first profile begins in mode monitor at most, a later one keeps the mode it has."), approve, NULL },
    { ROW("profile mode", "IMAGE MODE", 2, 2, "Set the mode: discover, monitor or protect; up only where the evidence is there.", mode_options, NULL), set_mode, NULL },
};
const struct ctl_commands profile_commands = { rows, N_ITEMS(rows) };
