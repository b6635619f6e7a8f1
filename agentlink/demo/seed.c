/* seed.c - see seed.h: identities first, then scans, then what is around them. */
#include "demo/internal.h"

#include "base/str.h"
#include "base/time.h"
#include "wire/jsonw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int seed_post(struct seeder *s, const char *target, struct buf *body, const char *member, const char **out, struct err *err)
{
    struct client_request request = { .method = "POST", .target = target, .content_type = "application/json",
                                      .body = { (const unsigned char *)body->ptr, body->len } };
    struct client_answer answer;
    struct json doc;

    if (body->failed)
        return err_nomem(err);
    if (http_client_send(s->admin, &request, s->arena, &answer, err) != 0)
        return err_prefix(err, "POST %s", target);
    if (member == NULL)
        return 0;
    if (json_parse(s->arena, answer.body.ptr, answer.body.len, NULL, &doc, err) != 0)
        return -1;
    *out = json_get_str(&doc, member, "");
    return 0;
}

/* ---- keys ---------------------------------------------------------------------------- */

static int write_file(const char *dir, const char *name, const struct buf *text, mode_t mode, struct err *err)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    bool done = write(fd, text->ptr, text->len) == (ssize_t)text->len;
    return close(fd) != 0 || !done ? err_set(err, ERR_UNAVAILABLE, "%s: cannot be written", path) : 0;
}

static int keep_keys(struct seeder *s, const struct privkey *key, const char *name, const struct buf *public, struct err *err)
{
    const char *dir = s->config->keys_dir;
    struct buf secret;
    char file[64];

    if (dir == NULL)
        return 0;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", dir, strerror(errno));
    buf_init(&secret, PEM_MAX);
    snprintf(file, sizeof file, "%s.key", name);
    int rc = privkey_to_pem(key, &secret, err);
    if (rc == 0)
        rc = write_file(dir, file, &secret, 0600, err);
    crypto_wipe(secret.ptr, secret.len);
    buf_free(&secret);
    snprintf(file, sizeof file, "%s.pub", name);
    return rc != 0 ? rc : write_file(dir, file, public, 0644, err);
}

static int make_signer(struct seeder *s, const char *name, enum key_alg alg, const char *statements, struct privkey **key, struct err *err)
{
    struct buf body, pem;
    struct jsonw w;

    if (privkey_generate(alg, key, err) != 0)
        return -1;
    buf_init(&pem, PEM_MAX);
    buf_init(&body, 1 << 16);
    pubkey_to_pem(privkey_public(*key), &pem);
    jsonw_init(&w, &body);
    jsonw_object(&w);
    jsonw_kstr(&w, "name", name);
    jsonw_kstr(&w, "public_key", pem.ptr);
    jsonw_key(&w, "repositories");
    jsonw_array(&w);
    jsonw_str(&w, DEMO_REGISTRY "/**");
    jsonw_array_end(&w);
    jsonw_key(&w, "statements");
    jsonw_raw(&w, statements, strlen(statements));
    jsonw_object_end(&w);
    int rc = pem.failed ? err_nomem(err) : seed_post(s, "/v1/signers", &body, NULL, NULL, err);
    if (rc == 0)
        rc = keep_keys(s, *key, name, &pem, err);
    buf_free(&pem);
    buf_free(&body);
    return rc;
}

/* ---- tokens ------------------------------------------------------------------------------ */

static int make_token(struct seeder *s, const char *name, const char *role, const char *repositories, const char **out, struct err *err)
{
    struct buf body;

    buf_init(&body, 4096);
    buf_printf(&body, "{\"name\":\"%s\",\"role\":\"%s\",\"expires_in\":\"90d\"", name, role);
    if (repositories != NULL)
        buf_printf(&body, ",\"repositories\":[\"%s\"]", repositories);
    buf_puts(&body, "}");
    int rc = seed_post(s, "/v1/tokens", &body, "token", out, err);
    buf_free(&body);
    return rc;
}

static int post_text(struct seeder *s, const char *target, const char *json, struct err *err)
{
    struct buf body;

    buf_init(&body, 1 << 16);
    buf_puts(&body, json);
    int rc = seed_post(s, target, &body, NULL, NULL, err);
    buf_free(&body);
    return rc;
}

int seed_identities(struct seeder *s, struct err *err)
{
    static const struct { const char *target, *json; } rest[] = {
        { "/v1/users", "{\"name\":\"ada\",\"role\":\"analyst\"}" },
        { "/v1/users", "{\"name\":\"vera\",\"role\":\"viewer\"}" },
        { "/v1/users", "{\"name\":\"paul\",\"role\":\"policy\"}" },
        { "/v1/unsigned-allowances", "{\"pattern\":\"" DEMO_REGISTRY "/sandbox/**\",\"reason\":\"experiments; nothing here is deployed\",\"expires_in\":\"60d\"}" },
    };

    if (make_signer(s, "build-pipeline", KEY_P256, "[\"vulnerability\"]", &s->pipeline_key, err) != 0 ||
        make_signer(s, "registry-scanner", KEY_ED25519, "[\"vulnerability\",\"sbom\"]", &s->registry_key, err) != 0 ||
        make_token(s, "build pipeline", "ci", DEMO_REGISTRY "/**", &s->pipeline_token, err) != 0 ||
        make_token(s, "registry scanner", "ci", DEMO_REGISTRY "/**", &s->registry_token, err) != 0 ||
        make_token(s, "sandbox", "ci", DEMO_REGISTRY "/sandbox/**", &s->sandbox_token, err) != 0 ||
        make_token(s, "cluster agents", "agent", NULL, &s->agent_token, err) != 0)
        return -1;
    for (size_t i = 0; i < N_ITEMS(rest); i++) {
        if (post_text(s, rest[i].target, rest[i].json, err) != 0)
            return -1;
    }
    return 0;
}

int seed_fleet(const struct seed_config *config, const struct fleet *fleet, struct arena *arena,
               struct seed_result *out, struct err *err)
{
    struct client_config client = { .base_url = config->url, .token = config->token, .agent = "keep-demo/" KEEP_VERSION, .retries = 5 };
    struct seeder s = { .config = config, .fleet = fleet, .arena = arena };
    int64_t started = time_monotonic_ms();
    size_t uploads = 0;

    if (http_client_open(&client, &s.admin, err) != 0)
        return -1;
    int rc = seed_identities(&s, err);
    if (rc == 0)
        rc = seed_scans(&s, &uploads, err);
    if (rc == 0)
        rc = seed_surroundings(&s, err);
    http_client_close(s.admin);
    privkey_free(s.pipeline_key);
    privkey_free(s.registry_key);
    if (rc == 0)
        *out = (struct seed_result){ uploads, time_monotonic_ms() - started };
    return rc;
}
