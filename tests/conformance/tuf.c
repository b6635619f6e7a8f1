/* tuf.c - update scenarios: a scripted server, the agent's own code, a state folder.
 *
 * A step says what is served from now on, at what time, and what must come of one round
 * of updates.  Steps are read by their keys, expectations by their words; what is not
 * known is a disagreement, never a silent yes.  A scenario with a kill -9 runs once for
 * every step of applying.  "Accepted" is: in force afterwards. */
#include "agent/update.h"
#include "client/http.h"
#include "tests/conformance/set/set.h"
#include "tests/conformance/tuf_world/server.h"
#include "tests/conformance/tuf_world/world.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

enum { WITHIN_MS = 1500, BOUND = 16 << 20, SLACK = 8 << 20, STEPS_MAX = 64 };
#define SCOPE "test/role=any"

static const char *const apply_steps[] = { "root", "floor", "files", "link", "clean" };

struct run {
    struct set *set;
    const char *name;
    const struct json *scenario;
    struct bytes text;                   /* of the file: numbers as they are written */
    struct world world;
    struct scripted server;
    struct http_client *client;
    char dir[64], base[64];
    struct update *u;
    int64_t now_days;
    const char *kill_at;
    char trouble[400];                   /* the first disagreement; "" none */
};

static void disagree(struct run *r, unsigned step, const char *expected, const char *got, const char *why)
{
    if (r->trouble[0] == '\0')
        snprintf(r->trouble, sizeof r->trouble, "step %u: expected %.120s, got %.100s (%.120s)", step + 1, expected, got, why);
}

/* ---- the agent's side --------------------------------------------------------------- */

static int killed_at(void *arg, const char *step)
{
    const struct run *r = arg;

    if (str_eq(step, r->kill_at))
        kill(getpid(), SIGKILL);
    return 0;
}

static void open_agent(struct run *r, bool deadly)
{
    struct update_config c = { .dir = r->dir, .scope = SCOPE, .within_ms = WITHIN_MS, .roots_every_ms = -1,
                               .at = deadly ? killed_at : NULL, .at_arg = r };
    struct err err = { 0 };

    update_close(r->u);
    r->u = NULL;
    if (update_open(&c, &r->u, &err) != 0)
        r->u = NULL;
}

static void open_client(struct run *r)
{
    struct client_config c = { .base_url = r->base, .token = "keepn_session" };
    struct err err = { 0 };

    if (http_client_open(&c, &r->client, &err) != 0)
        abort();
}

static void poll_once(struct run *r, struct update_result *out)
{
    struct update_transport t = update_over_http(r->client);
    struct err err = { 0 };

    if (update_poll(r->u, &t, 0, world_ms((double)r->now_days), out, &err) != 0)
        abort();
}

/* In a child, which dies half-way. */
static void poll_and_die(struct run *r)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct update_result ignored;
        http_client_close(r->client);
        open_client(r);
        open_agent(r, true);
        if (r->u != NULL)
            poll_once(r, &ignored);
        _exit(0);
    }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        abort();
    open_agent(r, false);
}

/* ---- the server's side ---------------------------------------------------------------- */

static void serve_bytes(struct run *r, struct bytes bundle, enum manner manner, unsigned status)
{
    pthread_mutex_lock(&r->server.lock);
    r->server.bundle = bundle;
    r->server.manner = manner;
    r->server.status = status;
    r->server.n_sent = 0;
    pthread_mutex_unlock(&r->server.lock);
}

static void publish(struct run *r, const struct published_root *root, const struct key_list *by, bool is_odd)
{
    struct bytes bytes = world_root(&r->world, root, by);

    pthread_mutex_lock(&r->server.lock);
    r->server.odd_root = is_odd ? bytes : (struct bytes){ NULL, 0 };
    if (root->version >= 0 && root->version < SERVED_ROOTS && r->server.roots[root->version].ptr == NULL)
        r->server.roots[root->version] = bytes;
    pthread_mutex_unlock(&r->server.lock);
}

static int64_t trusted_root(struct run *r)
{
    struct update_state s = { 0 };

    if (r->u != NULL)
        update_state(r->u, world_ms((double)r->now_days), &s);
    return s.root_version;
}

/* A root as the step has it; what it leaves out is as before. */
static void serve_root(struct run *r, const struct json *v, struct published_root *next, struct key_list *by)
{
    const struct published_root *was = &r->world.root;
    const struct json *expires = json_get(v, "expires");

    *next = *was;
    next->version = json_int(json_get(v, "version"), was->version + 1);
    world_list(json_get(v, "root_keys"), &next->root);
    world_list(json_get(v, "bundle_keys"), &next->bundle);
    int64_t threshold = json_int(json_get(v, "threshold"), -1);
    if (threshold >= 0 && json_is(json_get(v, "bundle_keys"), JSON_ARRAY))
        next->bundle_threshold = threshold;
    if (threshold >= 0 && (json_is(json_get(v, "root_keys"), JSON_ARRAY) || !json_is(json_get(v, "bundle_keys"), JSON_ARRAY)))
        next->root_threshold = threshold;
    next->root_threshold = json_int(json_get(v, "root_threshold"), next->root_threshold);
    next->bundle_threshold = json_int(json_get(v, "bundle_threshold"), next->bundle_threshold);
    if (expires != NULL)
        next->expires_ms = world_ms(json_number(expires, 0));
    *by = was->root;
    for (size_t i = 0; i < next->root.n; i++)
        world_add(by, next->root.key[i]);
    world_list(json_get(v, "signed_by"), by);
}

/* A value of a payload: as the scenario writes it, unless it is a day. */
static void put_value(struct run *r, struct buf *b, const char *key, const struct json *v, const char *otherwise, bool is_day)
{
    char text[TIME_TEXT];

    buf_printf(b, ",\"%s\":", key);
    if (v == NULL)
        buf_puts(b, otherwise);
    else if (is_day && (v->type == JSON_INT || v->type == JSON_REAL)) {
        time_format(world_ms(json_number(v, 0)), text);
        buf_printf(b, "\"%s\"", text);
    } else if (v->type == JSON_STRING)
        buf_printf(b, "\"%s\"", v->string);
    else
        buf_put(b, r->text.ptr + v->offset, v->n);
}

/* "KEY VALUE" instead of an object: that member, its value as it stands. */
static const char *word_value(const struct json *v, const char *key, char out[128])
{
    size_t n = strlen(key);

    if (!json_is(v, JSON_STRING) || strncmp(v->string, key, n) != 0 || v->string[n] != ' ')
        return NULL;
    const char *value = v->string + n + 1;
    bool number = value[strspn(value, "-+.eE0123456789")] == '\0';
    snprintf(out, 128, number ? "%s" : "\"%s\"", value);
    return out;
}

struct step {
    const struct json *root, *bundle, *serve, *file, *threshold, *local_expires, *now, *token, *expect, *version_after,
                      *root_after;
    bool kills, restarts;
};

static struct bytes make_bundle(struct run *r, const struct step *s)
{
    const struct json *v = s->bundle, *listed = json_get(v, "index_sha256"), *expires = json_get(v, "expires");
    char version[128], until[128], signed_at[TIME_TEXT], forever[TIME_TEXT], hex[2 * SHA256_LEN + 1], content[256], served[256];
    struct key_list by = r->world.root.bundle;
    uint8_t hash[SHA256_LEN];
    struct buf b;

    snprintf(content, sizeof content, "policy %s", listed != NULL ? json_str(listed, "") : json_get_str(v, "content", "1"));
    snprintf(served, sizeof served, "%s", content);
    if (s->file != NULL)
        snprintf(served, sizeof served, "policy %s", json_str(s->file, ""));
    sha256(content, strlen(content), hash);
    hex_encode(hash, sizeof hash, hex);
    /* Bundles live for a week; one without an end lives as long as the scenario. */
    time_format(json_is(expires, JSON_INT) ? world_ms((double)expires->i - 7) : WORLD_DAY0, signed_at);
    time_format(world_ms(WORLD_FOREVER_DAYS), forever);
    char forever_text[TIME_TEXT + 2], signed_text[TIME_TEXT + 2];
    snprintf(forever_text, sizeof forever_text, "\"%s\"", forever);
    snprintf(signed_text, sizeof signed_text, "\"%s\"", signed_at);

    buf_init(&b, 1 << 18);
    buf_puts(&b, "{\"_type\":\"bundle\"");
    put_value(r, &b, "version", json_get(v, "version"), word_value(v, "version", version) != NULL ? version : "1000", false);
    put_value(r, &b, "root_version", json_get(v, "root_version"), "1", false);
    put_value(r, &b, "scope", json_get(v, "scope"), "\"" SCOPE "\"", false);
    put_value(r, &b, "signed_at", json_get(v, "signed_at"), signed_text, true);
    put_value(r, &b, "expires", expires, word_value(v, "expires", until) != NULL ? until : forever_text, true);
    buf_printf(&b, ",\"files\":[{\"name\":\"policies.json\",\"length\":%zu,\"sha256\":\"%s\"}]}", strlen(content), hex);
    world_list(json_get(v, "signed_by"), &by);
    struct bytes envelope = world_sign(&r->world, TRUST_BUNDLE_TYPE, (struct bytes){ (unsigned char *)b.ptr, b.len },
                                       r->world.bundle_keys, &by);
    buf_free(&b);
    char *all = arena_printf(&r->set->arena, "%s\n%s", (const char *)envelope.ptr, served);
    return (struct bytes){ (unsigned char *)all, strlen(all) };
}

/* ---- a step ------------------------------------------------------------------------------- */

static bool read_step(struct run *r, unsigned n, const struct json *v, struct step *s)
{
    const struct { const char *key; const struct json **to; bool *flag; } known[] = {
        { "serve_root", &s->root, NULL }, { "serve_bundle", &s->bundle, NULL }, { "serve", &s->serve, NULL },
        { "file_sha256", &s->file, NULL }, { "threshold", &s->threshold, NULL }, { "now", &s->now, NULL },
        { "local_root_expires", &s->local_expires, NULL }, { "node_token", &s->token, NULL }, { "expect", &s->expect, NULL },
        { "trusted_version_after", &s->version_after, NULL }, { "trusted_root_version_after", &s->root_after, NULL },
        { "kill9_during_apply", NULL, &s->kills }, { "restart_agent", NULL, &s->restarts },
    };

    *s = (struct step){ 0 };
    for (uint32_t i = 0; i < json_n_members(v); i++) {
        const struct json_member *m = &v->members[i];
        bool found = false;
        for (size_t k = 0; k < N_ITEMS(known) && !found; k++) {
            found = str_eq(known[k].key, m->key);
            if (found && known[k].flag != NULL)
                *known[k].flag = json_bool(&m->value, true);
            else if (found)
                *known[k].to = &m->value;
        }
        if (!found) {
            disagree(r, n, "a known key", m->key, "this step says something that is not understood");
            return false;
        }
    }
    return true;
}

/* The role of bundle keys as a step wants it: a new root says so. */
static void want_threshold(struct run *r, int64_t threshold)
{
    struct published_root next = r->world.root;

    next.version++;
    next.bundle_threshold = threshold;
    for (int key = 1; (int64_t)next.bundle.n < threshold && key < WORLD_KEYS; key++)
        world_add(&next.bundle, key);
    publish(r, &next, &next.root, false);
    r->world.root = next;
}

static bool serve_words(struct run *r, unsigned n, const struct json *v)
{
    const char *text = json_str(v, "");
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    struct bytes last = r->server.bundle;

    if (end != text && number >= 100 && number < 600 && (*end == ' ' || *end == '\0'))
        serve_bytes(r, last, MANNER_WHOLE, (unsigned)number);
    else if (end != text && number > 0 && strstr(end, "byte") != NULL && strstr(end, "per second") != NULL) {
        r->server.pause_ms = (int)(1000 / number);
        serve_bytes(r, last, MANNER_SLOW, 0);
    } else if (strstr(text, "never ends") != NULL || strstr(text, "endless") != NULL)
        serve_bytes(r, last, MANNER_ENDLESS, 0);
    else {
        disagree(r, n, "a known way to serve", text, "this step says something that is not understood");
        return false;
    }
    return true;
}

struct made { bool has_root; int64_t root_version, bundle_version; };

/* A root that is not the next one is offered in its place. */
static void offer_root(struct run *r, const struct json *v, struct made *made)
{
    struct published_root next;
    struct key_list by;

    serve_root(r, v, &next, &by);
    made->has_root = true;
    made->root_version = next.version;
    if (r->u == NULL && next.version == r->world.root.version)
        return;
    publish(r, &next, &by, next.version != trusted_root(r) + 1);
    if (next.version == trusted_root(r) + 1)
        r->world.root = next;
}

/* The pinned root: what the first step says, if it says version 1. */
static bool pin(struct run *r, const struct json *v)
{
    struct err err = { 0 };
    struct published_root first = r->world.root;
    struct key_list by = first.root;

    if (v != NULL) {
        r->world.root.version = 0;
        serve_root(r, v, &first, &by);
        if (json_get(v, "signed_by") == NULL)
            by = first.root;
        r->world.root = first;
    }
    struct bytes root = world_root(&r->world, &first, &by);
    if (update_pin(r->dir, root.ptr, root.len, &err) != 0)
        return false;
    open_agent(r, false);
    return r->u != NULL;
}

/* ---- what is expected --------------------------------------------------------------------- */

enum wish { WISH_NONE = 0, WISH_ACCEPT, WISH_REJECT, WISH_ANY, WISH_STALE, WISH_BOUNDED, WISH_DENIED };

static enum wish wish_of(const char *text, int64_t floor)
{
    char *end;
    unsigned long status = strtoul(text, &end, 10);
    const char *persisted = strstr(text, "reject if ");

    if (end != text && status >= 400 && status < 500)
        return WISH_DENIED;
    if (persisted != NULL && strstr(text, "persisted") != NULL)
        return floor >= strtoll(persisted + strlen("reject if "), NULL, 10) ? WISH_REJECT : WISH_ACCEPT;
    if (strstr(text, "bundle refused") != NULL)
        return WISH_REJECT;
    if (str_starts(text, "accept or reject") || str_starts(text, "reject or accept"))
        return WISH_ANY;
    if (str_starts(text, "accept") || strstr(text, "must compare as integers") != NULL)
        return WISH_ACCEPT;
    if (str_starts(text, "reject"))
        return WISH_REJECT;
    if (str_starts(text, "stale"))
        return WISH_STALE;
    return str_starts(text, "cut") || str_starts(text, "aborted") ? WISH_BOUNDED : WISH_NONE;
}

static bool came_true(struct run *r, enum wish wish, const struct step *s, const struct made *made, const struct update_state *before,
                      const struct update_state *after, const struct update_result *got)
{
    bool bundle = s->bundle != NULL;
    bool taken = bundle ? after->version == made->bundle_version && (got->outcome == UPDATE_APPLIED || got->outcome == UPDATE_UNCHANGED)
                        : made->has_root && after->root_version == made->root_version;
    bool stays = after->version == before->version;

    switch (wish) {
    case WISH_ACCEPT:
        return taken && (strstr(json_str(s->expect, ""), "floor reported") == NULL || (got->clock_is_behind && after->clock_floor_ms > 0));
    case WISH_REJECT:
        return !taken && (!bundle || (stays && got->outcome != UPDATE_APPLIED && got->outcome != UPDATE_UNCHANGED));
    case WISH_ANY:
        return taken || stays;
    case WISH_STALE:
        return stays && after->is_stale && after->version > 0 && got->reason == TRUST_EXPIRED;
    case WISH_BOUNDED:
        return stays && (got->outcome == UPDATE_REFUSED || got->outcome == UPDATE_FAILED) && r->server.n_sent <= BOUND + SLACK;
    case WISH_DENIED:
        return stays && got->outcome == UPDATE_DENIED && got->status == strtoul(json_str(s->expect, ""), NULL, 10);
    case WISH_NONE:
        break;
    }
    return false;
}

static void judge_step(struct run *r, unsigned n, const struct step *s, const struct made *made, const struct update_state *before,
                       const struct update_result *got)
{
    struct update_state after = { 0 };
    char numbers[120];

    if (r->u != NULL)
        update_state(r->u, world_ms((double)r->now_days), &after);
    const char *expect = json_str(s->expect, NULL);
    enum wish wish = expect != NULL ? wish_of(expect, before->floor_version) : WISH_ANY;
    snprintf(numbers, sizeof numbers, "%s, root %lld, bundle %lld", update_outcome_word(got->outcome), (long long)after.root_version,
             (long long)after.version);
    if (wish == WISH_NONE)
        disagree(r, n, expect, "words that are not understood", "expectation");
    else if (expect != NULL && !came_true(r, wish, s, made, before, &after, got))
        disagree(r, n, expect, numbers, got->words);
    if (s->version_after != NULL && after.version != json_int(s->version_after, -1))
        disagree(r, n, "another trusted version", numbers, got->words);
    if (s->root_after != NULL && after.root_version != json_int(s->root_after, -1))
        disagree(r, n, "another trusted root", numbers, got->words);
}

static void run_step(struct run *r, unsigned n, const struct json *v)
{
    struct update_result got = { 0 };
    struct update_state before = { 0 };
    struct made made = { 0 };
    struct step s;

    if (!read_step(r, n, v, &s))
        return;
    r->now_days = json_int(s.now, r->now_days);
    if (s.restarts)
        open_agent(r, false);
    if (r->u == NULL) {
        pin(r, s.root);
        made = (struct made){ s.root != NULL, r->world.root.version, 0 };
    } else if (s.root != NULL)
        offer_root(r, s.root, &made);
    if (r->u != NULL)
        update_state(r->u, world_ms((double)r->now_days), &before);
    if (s.threshold != NULL)
        want_threshold(r, json_int(s.threshold, 1));
    if (s.bundle != NULL) {
        made.bundle_version = json_int(json_get(s.bundle, "version"), 1000);
        serve_bytes(r, make_bundle(r, &s), MANNER_WHOLE, 0);
    }
    if (s.serve != NULL && !serve_words(r, n, s.serve))
        return;
    if (s.token != NULL)
        r->server.everywhere = str_eq(json_str(s.token, ""), "revoked") ? 401 : 0;
    if (s.kills)
        poll_and_die(r);
    else if (r->u != NULL && (s.expect != NULL || s.bundle != NULL || s.root != NULL))
        poll_once(r, &got);
    if (!s.kills)
        judge_step(r, n, &s, &made, &before, &got);
}

/* ---- a scenario ------------------------------------------------------------------------------- */

static void remove_tree(const char *dir)
{
    char path[512], inner[800];
    DIR *d = opendir(dir), *sub;

    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] == '.' || unlink(path) == 0 || (sub = opendir(path)) == NULL)
            continue;
        for (struct dirent *f; (f = readdir(sub)) != NULL;) {
            snprintf(inner, sizeof inner, "%s/%s", path, f->d_name);
            unlink(inner);
        }
        closedir(sub);
        rmdir(path);
    }
    if (d != NULL)
        closedir(d);
    rmdir(dir);
}

/* What a scenario takes for granted: a root that is pinned, and a bundle 1 in force unless
 * it serves one of that version itself. */
static void take_for_granted(struct run *r, const struct json *steps)
{
    const struct json *first = json_at(steps, 0), *root = json_get(first, "serve_root");
    const struct json *local = json_get(first, "local_root_expires");
    struct step granted = { 0 };
    struct update_result ignored;
    struct json bundle = { .type = JSON_NULL };

    r->world.root = (struct published_root){ .version = 1, .expires_ms = world_ms(WORLD_FOREVER_DAYS), .root = { 1, { 1 } },
                                             .bundle = { 1, { 1 } }, .root_threshold = 1, .bundle_threshold = 1 };
    if (root != NULL && local == NULL && json_int(json_get(root, "version"), 0) == 1)
        return;
    r->now_days = json_int(json_get(first, "now"), 0);
    if (local != NULL) {
        r->world.root.version = json_int(json_get(root, "version"), 2) - 1;
        r->world.root.expires_ms = world_ms(json_number(local, 0));
        r->now_days = (int64_t)json_number(local, 0) - 1;
    }
    if (!pin(r, NULL))
        abort();
    for (uint32_t i = 0; i < json_len(steps); i++)
        if (json_int(json_path(json_at(steps, i), "serve_bundle.version"), 2) <= 1)
            return;
    granted.bundle = &bundle;
    struct json doc;
    struct err err = { 0 };
    if (json_parse(&r->set->arena, "{\"version\":1}", 13, NULL, &doc, &err) != 0)
        abort();
    granted.bundle = &doc;
    struct bytes text = r->text;
    r->text = (struct bytes){ (const unsigned char *)"{\"version\":1}", 13 };
    serve_bytes(r, make_bundle(r, &granted), MANNER_WHOLE, 0);
    r->text = text;
    poll_once(r, &ignored);
}

static void run_once(struct run *r)
{
    const struct json *steps = json_get(r->scenario, "steps");

    snprintf(r->dir, sizeof r->dir, "/tmp/keep-tuf-XXXXXX");
    if (mkdtemp(r->dir) == NULL)
        abort();
    scripted_open(&r->server);
    snprintf(r->base, sizeof r->base, "http://127.0.0.1:%d", r->server.port);
    open_client(r);
    world_open(&r->world, &r->set->arena);
    if (json_len(steps) == 0 || json_len(steps) > STEPS_MAX)
        disagree(r, 0, "1 to 64 steps", "another number", "");
    else
        take_for_granted(r, steps);
    for (uint32_t i = 0; i < json_len(steps) && r->trouble[0] == '\0'; i++)
        run_step(r, i, json_at(steps, i));
    update_close(r->u);
    http_client_close(r->client);
    scripted_close(&r->server);
    world_close(&r->world);
    remove_tree(r->dir);
}

static bool kills(const struct json *scenario)
{
    const struct json *steps = json_get(scenario, "steps");

    for (uint32_t i = 0; i < json_len(steps); i++)
        if (json_bool(json_get(json_at(steps, i), "kill9_during_apply"), false))
            return true;
    return false;
}

static void run_scenario(struct set *set, struct bytes text, const struct json *v)
{
    size_t rounds = kills(v) ? N_ITEMS(apply_steps) : 1;

    set->cases++;
    for (size_t i = 0; i < rounds; i++) {
        struct run r = { .set = set, .name = json_get_str(v, "name", "?"), .scenario = v, .text = text, .kill_at = apply_steps[i] };
        run_once(&r);
        if (r.trouble[0] != '\0') {
            printf("tuf: %s: %s%s%s\n", r.name, r.trouble, rounds > 1 ? ", killed at " : "", rounds > 1 ? apply_steps[i] : "");
            return;
        }
    }
    set->agreed++;
}

int main(int argc, char **argv)
{
    const struct json_opts opts = { .big_numbers = true };
    struct err err = { 0 };
    struct json doc;
    struct set s;

    set_open(&s, argc, argv, "tuf");
    signal(SIGPIPE, SIG_IGN);
    struct bytes text = set_read(&s, "scenarios.json");
    if (text.ptr == NULL)
        return set_close(&s);
    if (crypto_init(&err) != 0 || json_parse(&s.arena, text.ptr, text.len, &opts, &doc, &err) != 0) {
        printf("tuf: scenarios.json: %s\n", err.msg);
        return 1;
    }
    for (uint32_t i = 0; i < json_len(&doc); i++)
        run_scenario(&s, text, json_at(&doc, i));
    return set_close(&s);
}
