/* nodes.c - see nodes.h: how they join and stay; what they tell is in nodes_tell.c. */
#include "demo/nodes_internal.h"

#include "base/str.h"
#include "base/time.h"
#include "wire/jsonw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 30000, LOST_MS = 120000, KEY_FILE_MAX = 16384 };

static const struct { const char *cluster, *labels; unsigned n; } clusters[] = {
    { "prod-eu", "{\"zone\":\"eu-1\"}", 4 },
    { "prod-us", "{\"zone\":\"us-1\"}", 3 },
    { "edge", "{\"site\":\"shop-floor\"}", 2 },
};

bool cluster_has_agents(const char *cluster)
{
    for (size_t i = 0; i < N_ITEMS(clusters); i++)
        if (str_eq(clusters[i].cluster, cluster))
            return true;
    return false;
}

int nodes_post(struct nodes *s, const char *token, const char *target, const struct buf *body, struct json *doc, struct err *err)
{
    struct client_request request = { .method = "POST", .target = target, .content_type = "application/json",
                                      .body = { (const unsigned char *)body->ptr, body->len } };
    struct client_answer answer;

    if (body->failed)
        return err_nomem(err);
    http_client_token(s->client, token);
    if (http_client_send(s->client, &request, s->arena, &answer, err) != 0)
        return err_prefix(err, "POST %s", target);
    return doc == NULL ? 0 : json_parse(s->arena, answer.body.ptr, answer.body.len, NULL, doc, err);
}

/* ---- keys: a file per node, its id in the first line ----------------------------------------- */

static void key_path(const struct nodes *s, const struct demo_node *n, char out[512])
{
    snprintf(out, 512, "%s/%s.node", s->config->keys_dir, n->name);
}

/* 1 it is there, 0 it is not */
static int key_load(const struct nodes *s, struct demo_node *n, struct err *err)
{
    char path[512], text[KEY_FILE_MAX];

    key_path(s, n, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    char *pem = strchr(text, '\n');
    if (pem == NULL || (size_t)(pem - text) >= sizeof n->node_id)
        return 0;
    memcpy(n->node_id, text, (size_t)(pem - text));
    int rc = privkey_from_pem(pem + 1, strlen(pem + 1), &n->key, err);
    crypto_wipe(text, sizeof text);
    return rc != 0 ? -1 : 1;
}

static int key_save(const struct nodes *s, const struct demo_node *n, struct err *err)
{
    char path[512];
    struct buf text;

    key_path(s, n, path);
    buf_init(&text, KEY_FILE_MAX);
    buf_printf(&text, "%s\n", n->node_id);
    int rc = privkey_to_pem(n->key, &text, err);
    int fd = rc == 0 ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (rc == 0 && (fd < 0 || write(fd, text.ptr, text.len) != (ssize_t)text.len))
        rc = err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    crypto_wipe(text.ptr, text.len);
    buf_free(&text);
    return rc;
}

/* ---- joining ------------------------------------------------------------------------------------ */

static int invite(struct nodes *s, const struct demo_node *n, const char **out, struct err *err)
{
    struct buf body;
    struct json doc;

    buf_init(&body, 4096);
    buf_printf(&body, "{\"name\":\"%s\",\"cluster\":\"%s\",\"labels\":%s,\"max_uses\":1,\"expires_in\":\"1h\"}", n->name, n->cluster, n->labels);
    int rc = nodes_post(s, s->config->token, "/v1/join-tokens", &body, &doc, err);
    if (rc == 0)
        *out = json_get_str(&doc, "token", "");
    buf_free(&body);
    return rc;
}

static int enroll(struct nodes *s, struct demo_node *n, struct err *err)
{
    struct buf body, pem;
    struct jsonw w;
    struct json doc;
    const char *join;

    if (privkey_generate(KEY_ED25519, &n->key, err) != 0 || invite(s, n, &join, err) != 0)
        return -1;
    buf_init(&pem, PEM_MAX);
    buf_init(&body, 16384);
    pubkey_to_pem(privkey_public(n->key), &pem);
    jsonw_init(&w, &body);
    jsonw_object(&w);
    jsonw_kstr(&w, "join_token", join);
    jsonw_kstr(&w, "public_key", pem.ptr);
    jsonw_kstr(&w, "name", n->name);
    jsonw_kstr(&w, "kernel", n->machine.kernel);
    jsonw_kstr(&w, "arch", n->machine.arch);
    jsonw_kstr(&w, "agent_version", n->machine.version);
    jsonw_object_end(&w);
    int rc = pem.failed ? err_nomem(err) : nodes_post(s, NULL, "/v1/agent/enroll", &body, &doc, err);
    buf_free(&pem);
    buf_free(&body);
    if (rc != 0)
        return -1;
    snprintf(n->node_id, sizeof n->node_id, "%s", json_get_str(&doc, "node_id", ""));
    n->is_new = true;
    return key_save(s, n, err);
}

/* A challenge is answered once. */
static int open_session(struct nodes *s, struct demo_node *n, struct err *err)
{
    const char *challenge = NULL;

    for (int i = 0; i < 2; i++) {
        struct buf body;
        struct json doc;
        buf_init(&body, 16384);
        int rc = session_ask(n->key, n->node_id, &n->machine, time_now_ms(), challenge, s->arena, &body, err);
        if (rc == 0)
            rc = nodes_post(s, NULL, "/v1/agent/session", &body, &doc, err);
        buf_free(&body);
        if (rc != 0)
            return -1;
        const char *token = json_get_str(&doc, "token", NULL);
        if (token != NULL) {
            snprintf(n->token, sizeof n->token, "%s", token);
            return 0;
        }
        challenge = json_get_str(&doc, "challenge", NULL);
    }
    return err_set(err, ERR_UNAVAILABLE, "node %s: no session", n->name);
}

/* Takes what there is, and says so with the next question. */
static int poll_bundle(struct nodes *s, struct demo_node *n, struct err *err)
{
    for (int i = 0; i < 2; i++) {
        struct client_request request = { .method = "GET", .target = arena_printf(s->arena, "/v1/agent/bundle?applied=%lld", (long long)n->version) };
        struct client_answer answer;
        if (request.target == NULL)
            return err_nomem(err);
        http_client_token(s->client, n->token);
        if (http_client_send(s->client, &request, s->arena, &answer, err) != 0)
            return err->kind == ERR_NOT_FOUND ? 0 : -1;
        const char *dash = strchr(answer.etag, '-');      /* "SCOPE-VERSION" or "SCOPE-VERSION-gz" */
        int64_t version = dash != NULL ? strtoll(dash + 1, NULL, 10) : 0;
        if (version == n->version)
            break;
        n->version = version;
    }
    return 0;
}

static int join(struct nodes *s, struct demo_node *n, struct err *err)
{
    int rc = key_load(s, n, err);

    if (rc < 0 || (rc == 0 && enroll(s, n, err) != 0))
        return -1;
    return open_session(s, n, err);
}

static void name_all(struct nodes *s)
{
    static const char *const kernels[] = { "6.1.0-26-amd64", "6.1.0-28-amd64", "6.12.9+bpo-amd64" };

    for (size_t c = 0; c < N_ITEMS(clusters); c++) {
        for (unsigned i = 0; i < clusters[c].n && s->n < DEMO_NODES_MAX; i++) {
            struct demo_node *n = &s->node[s->n++];
            *n = (struct demo_node){ .cluster = clusters[c].cluster, .labels = clusters[c].labels, .nth = i, .of = clusters[c].n };
            snprintf(n->name, sizeof n->name, "%s-%u", clusters[c].cluster, i + 1);
            machine_read(KEEP_VERSION, &n->machine);
            snprintf(n->machine.name, sizeof n->machine.name, "%s-%u", clusters[c].cluster, i + 1);
            snprintf(n->machine.kernel, sizeof n->machine.kernel, "%s", kernels[s->n % N_ITEMS(kernels)]);
            snprintf(n->machine.arch, sizeof n->machine.arch, "x86_64");
        }
    }
}

static int tell(struct nodes *s, struct demo_node *n, struct err *err)
{
    if (poll_bundle(s, n, err) != 0 || (n->is_new && (node_tell_containers(s, n, err) != 0 || node_tell_events(s, n, err) != 0)))
        return -1;
    return node_tell_status(s, n, err);
}

/* Sessions end after a time: then a new one. */
static int stay(struct nodes *s, struct err *err)
{
    int64_t last_good = time_monotonic_ms();

    while (!*s->config->stop && time_monotonic_ms() - last_good < LOST_MS) {
        struct arena round;
        bool good = true;
        arena_init(&round, 64 << 20);
        s->arena = &round;
        for (size_t i = 0; i < s->n && !*s->config->stop; i++) {
            struct demo_node *n = &s->node[i];
            if (poll_bundle(s, n, err) != 0 || node_tell_status(s, n, err) != 0)
                good = good && open_session(s, n, err) == 0;
        }
        arena_clear(&round);
        if (good)
            last_good = time_monotonic_ms();
        for (int waited = 0; waited < POLL_MS && !*s->config->stop; waited += 200)
            nanosleep(&(struct timespec){ .tv_nsec = 200 * 1000000L }, NULL);
    }
    return 0;
}

int nodes_run(const struct nodes_config *config, const struct fleet *fleet, struct arena *arena, struct err *err)
{
    struct client_config client = { .base_url = config->url, .token = config->token, .agent = "keep-demo/" KEEP_VERSION, .retries = 5 };
    struct nodes s = { .config = config, .fleet = fleet, .arena = arena };
    bool any_new = false;

    if (mkdir(config->keys_dir, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", config->keys_dir, strerror(errno));
    if (http_client_open(&client, &s.client, err) != 0)
        return -1;
    name_all(&s);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < s.n; i++) {
        rc = join(&s, &s.node[i], err);
        any_new = any_new || s.node[i].is_new;
    }
    for (size_t i = 0; rc == 0 && i < s.n; i++)
        rc = poll_bundle(&s, &s.node[i], err);
    if (rc == 0 && any_new)
        rc = profiles_declare(&s, err);
    for (size_t i = 0; rc == 0 && i < s.n; i++)
        rc = tell(&s, &s.node[i], err);
    if (rc == 0 && config->stay)
        rc = stay(&s, err);
    for (size_t i = 0; i < s.n; i++)
        privkey_free(s.node[i].key);
    http_client_close(s.client);
    return rc;
}
