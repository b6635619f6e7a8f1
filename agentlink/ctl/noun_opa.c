/* noun_opa.c - opa config, opa verify: for people who use the Open Policy Agent. */
#include "base/time.h"
#include "core/opa/opa.h"
#include "ctl/call.h"
#include "ctl/file.h"
#include "ctl/nouns.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BUNDLE_FILE_MAX = 256 << 20, LONG_POLL_S = 60 };

/* ---- opa config ------------------------------------------------------------------------ */

/* The key as YAML's block text. */
static void put_pem(struct buf *b, const char *pem, size_t len)
{
    for (const char *s = pem, *end = pem + len; s < end;) {
        size_t n = strcspn(s, "\r\n");
        if (n > 0)
            buf_printf(b, "      %.*s\n", (int)n, s);
        s += n + strspn(s + n, "\r\n");
    }
}

/* What goes between double quotes of YAML. */
static bool is_plain(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x21 || (unsigned char)*s > 0x7e || strchr("\"\\", *s) != NULL)
            return false;
    }
    return true;
}

static void put_config(struct buf *b, const char *url, const char *token_file, const char *name, const char *kid, struct bytes pem)
{
    size_t len = strlen(url);

    while (len > 0 && url[len - 1] == '/')
        len--;
    buf_printf(b, "# For OPA: opa run --server --config-file THIS\n"
                  "services:\n  keep:\n    url: \"%.*s/v1/opa\"\n    response_header_timeout_seconds: %d\n"
                  "    credentials:\n      bearer:\n        token_path: \"%s\"\n", (int)len, url, LONG_POLL_S + 30, token_file);
    buf_printf(b, "keys:\n  %s:\n    algorithm: ES256\n    key: |\n", kid);
    put_pem(b, (const char *)pem.ptr, pem.len);
    buf_printf(b, "bundles:\n  keep:\n    service: keep\n    resource: \"bundles/%s\"\n    persist: true\n"
                  "    polling:\n      min_delay_seconds: 10\n      max_delay_seconds: 60\n      long_polling_timeout_seconds: %d\n"
                  "    # Without a keyid OPA would take unsigned bundles, too.\n"
                  "    signing:\n      keyid: %s\n", name, LONG_POLL_S, kid);
    buf_puts(b, "status:\n  service: keep\ndecision_logs:\n  service: keep\n  reporting:\n    min_delay_seconds: 10\n    max_delay_seconds: 60\n");
}

/* Of the server, or of --key. */
static int get_key(struct ctl *c, struct bytes *pem)
{
    struct client_request request = { .method = "GET", .target = "/v1/opa/key" };
    struct client_answer answer = { 0 };
    struct err err = { 0 };

    if (ctl_option(c, "key") != NULL)
        return file_read(&c->arena, ctl_option(c, "key"), PEM_MAX, pem, &err) == 0 ? 0 : ctl_fail(c, &err, NULL);
    int rc = ctl_send(c, &request, NULL, &answer);
    if (rc == 0)
        *pem = answer.body;
    return rc;
}

static int opa_config(struct ctl *c)
{
    const char *url = ctl_option(c, "url"), *name = ctl_option(c, "bundle"), *token_file = ctl_option(c, "token-path");
    struct pubkey key;
    struct bytes pem;
    struct err err = { 0 };
    char kid[OPA_KEY_ID];
    struct buf b;

    name = name != NULL ? name : "keep";
    token_file = token_file != NULL ? token_file : "/etc/opa/keep-token";
    if (url == NULL || (!str_starts(url, "https://") && !str_starts(url, "http://")) || !is_plain(url))
        return ctl_wrong(c, "keepctl opa config --url https://keep.example.org", "--url: the address at which agents reach Keep is expected");
    if (!is_plain(name) || strchr(name, '/') != NULL || !is_plain(token_file))
        return ctl_wrong(c, NULL, "--bundle, --token-path: characters that do not belong there");
    int rc = get_key(c, &pem);
    if (rc != 0)
        return ctl_code(rc);
    if (pubkey_from_pem((const char *)pem.ptr, pem.len, &key, &err) != 0)
        return ctl_fail(c, &err, NULL);
    opa_key_id(&key, kid);
    pubkey_clear(&key);
    buf_init(&b, 64 << 10);
    put_config(&b, url, token_file, name, kid, pem);
    if (!b.failed)
        fwrite(b.ptr, 1, b.len, stdout);
    buf_free(&b);
    ctl_next(c, "keepctl token create opa --role agent   (its text goes into %s)", token_file);
    return 0;
}

/* ---- opa verify -------------------------------------------------------------------------- */

static int read_key(struct ctl *c, struct jws_key **key, const char **kid, struct err *err)
{
    const char *word = ctl_option(c, "algorithm") != NULL ? ctl_option(c, "algorithm") : "ES256";
    enum jws_alg alg = jws_alg_of(word);
    char *id = arena_bytes(&c->arena, OPA_KEY_ID);
    struct pubkey public;
    struct bytes text;

    if (id == NULL)
        return err_nomem(err);
    if (file_read(&c->arena, ctl_option(c, "key"), PEM_MAX, &text, err) != 0 || jws_key_new(alg, text.ptr, text.len, key, err) != 0)
        return -1;
    *kid = ctl_option(c, "keyid") != NULL ? ctl_option(c, "keyid") : "key";
    if (ctl_option(c, "keyid") == NULL && alg == JWS_ES256 && pubkey_from_pem((const char *)text.ptr, text.len, &public, err) == 0) {
        opa_key_id(&public, id);
        pubkey_clear(&public);
        *kid = id;
    }
    return 0;
}

static int verify(struct ctl *c, const struct jws_key *key, const char *kid, struct opa_manifest *m, struct err *err)
{
    const struct opa_key keys[] = { { kid, key, NULL } };
    const struct opa_trust trust = { .is_given = true, .keyid = kid, .scope = ctl_option(c, "scope"), .keys = keys, .n_keys = 1 };
    const struct tar_file *files;
    struct bytes bundle;
    size_t n;

    return file_read(&c->arena, ctl_arg(c, 0), BUNDLE_FILE_MAX, &bundle, err) != 0 ||
           tar_gz_read(bundle.ptr, bundle.len, NULL, &c->arena, &files, &n, err) != 0 ||
           opa_verify(files, n, &trust, &c->arena, m, err) != 0 ? -1 : 0;
}

static int opa_verify_file(struct ctl *c)
{
    struct jws_key *key = NULL;
    struct opa_manifest m;
    struct err err = { 0 };
    const char *kid = NULL;
    char end[TIME_TEXT];
    int64_t seen = -1;

    if (ctl_option(c, "key") == NULL)
        return ctl_wrong(c, "keepctl opa verify FILE --key FILE", "--key: the public key is expected");
    if (ctl_option(c, "newer-than") != NULL && !str_to_i64(ctl_option(c, "newer-than"), 0, INT64_MAX, &seen))
        return ctl_wrong(c, NULL, "--newer-than: a number is expected");
    int rc = read_key(c, &key, &kid, &err);
    if (rc == 0)
        rc = verify(c, key, kid, &m, &err);
    jws_key_free(key);
    if (rc == 0)
        rc = opa_fresh(&m, seen, c->look.now_ms, &err);
    if (rc != 0) {
        ctl_say(c, "%s: %s", ctl_arg(c, 0), err.msg);
        return err.kind == ERR_UNPROCESSABLE ? CODE_POLICY : exit_of_error(&err);
    }
    time_format(m.not_after_ms, end);
    printf("signed by %s\nrevision %s\nissued %" PRId64 "\nnot after %s\n", kid, safe_text(&c->arena, m.revision), m.issued,
           m.not_after_ms == TIME_UNKNOWN ? "(not said)" : end);
    return CODE_PASS;
}

/* ---- what agents reported --------------------------------------------------------------------- */

static const struct column status_columns[] = {
    { "AGENT", "id", COLUMN_TEXT }, { "VERSION", "version", COLUMN_TEXT }, { "PARTITION", "partition", COLUMN_TEXT },
    { "REVISION", "revision", COLUMN_TEXT }, { "SEEN", "seen_at", COLUMN_TIME }, { "PROBLEM", "problem", COLUMN_TEXT },
};
static const struct column decision_columns[] = {
    { "AT", "at", COLUMN_TIME }, { "PATH", "path", COLUMN_TEXT }, { "AGENT", "agent", COLUMN_TEXT },
    { "REVISION", "revision", COLUMN_TEXT }, { "DECISION", "decision_id", COLUMN_TEXT },
};
static const struct api_call status_call = { .method = "GET", .target = "/v1/opa/status", .columns = status_columns, .n_columns = N_ITEMS(status_columns),
                                             .empty = "no OPA agent has reported" };
static const struct api_call decision_call = { .method = "GET", .target = "/v1/opa/decisions", .columns = decision_columns, .n_columns = N_ITEMS(decision_columns),
                                               .empty = "no OPA agent has reported a decision" };
static const struct command_option status_options[] = { LIMIT_OPTION };
static const struct command_option decision_options[] = {
    { "agent", "ID", "Only of this agent.", false }, { "path", "PATH", "Only of this path.", false }, LIMIT_OPTION,
};
static const struct command_option config_options[] = {
    { "url", "URL", "Where agents reach Keep.", false }, { "bundle", "NAME", "keep (default: all images), or a team.", false },
    { "key", "FILE", "The bundles' public key (default: the server is asked).", false },
    { "token-path", "FILE", "Where agents find their token (/etc/opa/keep-token).", false },
};
static const struct command_option verify_options[] = {
    { "key", "FILE", "Public key (PEM), or the secret of HS256.", false }, { "keyid", "ID", "Its id in OPA's configuration (default: that of our own keys).", false },
    { "algorithm", "NAME", "Of the key: ES256 (default), RS256, PS256, HS256 and their 384 and 512.", false },
    { "scope", "TEXT", "Scope the bundle must be signed for.", false }, { "newer-than", "N", "Refuse one issued before this number.", false },
};

static const struct ctl_command rows[] = {
    { ROW("opa config", "", 0, 0, "Print OPA's configuration: signed bundles, status and decision logs.", config_options, NULL), opa_config, NULL },
    { ROW("opa verify", "FILE", 1, 1, "Verify a bundle as OPA does, and its age. Exit 2 when it is refused.", verify_options, NULL), opa_verify_file, NULL },
    { ROW("opa status", "", 0, 0, "List OPA agents and how they are.", status_options, NULL), call_list, &status_call },
    { ROW("opa decisions", "", 0, 0, "List what OPA agents decided, newest first.", decision_options, NULL), call_list, &decision_call },
};
const struct ctl_commands opa_commands = { rows, N_ITEMS(rows) };
