/* A whole agent identity against a keepd with TLS: pins, client certificates that are
 * really verified, sessions that end, nodes that fall silent. */
#include "tests/flow/upload.h"
#include "tests/support/node.h"

#include "client/http.h"

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct tls_fixture {
    struct fixture f;
    char dir[64], url[64], ca[160];      /* files of the test; the server; its CA */
    char join[128];
    struct machine machine;
};

/* ---- certificates -------------------------------------------------------------------------- */

static void openssl(const char *const *args)
{
    posix_spawn_file_actions_t quiet;
    int status = 0;
    pid_t pid;

    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    union { const char *const *in; char *const *out; } a = { .in = args };
    assert_int_equal(posix_spawnp(&pid, "openssl", &quiet, NULL, a.out, environ), 0);
    waitpid(pid, &status, 0);
    posix_spawn_file_actions_destroy(&quiet);
    assert_int_equal(status, 0);
}

#define KEY_ARGS "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"

/* NAME.pem and NAME.key in the folder: a CA, or a client certificate of one. */
static void make_ca(const char *dir, const char *name)
{
    char key[160], cert[160], subject[64];

    snprintf(key, sizeof key, "%s/%s.key", dir, name);
    snprintf(cert, sizeof cert, "%s/%s.pem", dir, name);
    snprintf(subject, sizeof subject, "/CN=%s", name);
    openssl((const char *const[]){ "openssl", "req", "-x509", KEY_ARGS, "-days", "30", "-subj", subject, "-keyout", key, "-out", cert, NULL });
}

static void make_client(const char *dir, const char *ca, const char *name, const char *usage, const char *days)
{
    char key[160], cert[160], request[160], ca_pem[160], ca_key[160], subject[64], extensions[160];

    snprintf(key, sizeof key, "%s/%s.key", dir, name);
    snprintf(cert, sizeof cert, "%s/%s.pem", dir, name);
    snprintf(request, sizeof request, "%s/%s.csr", dir, name);
    snprintf(ca_pem, sizeof ca_pem, "%s/%s.pem", dir, ca);
    snprintf(ca_key, sizeof ca_key, "%s/%s.key", dir, ca);
    snprintf(extensions, sizeof extensions, "%s/%s.ext", dir, name);
    snprintf(subject, sizeof subject, "/CN=%s", name);
    FILE *f = fopen(extensions, "w");
    assert_non_null(f);
    fprintf(f, "extendedKeyUsage=%s\nbasicConstraints=CA:FALSE\n", usage);
    fclose(f);
    openssl((const char *const[]){ "openssl", "req", "-new", KEY_ARGS, "-subj", subject, "-keyout", key, "-out", request, NULL });
    openssl((const char *const[]){ "openssl", "x509", "-req", "-in", request, "-CA", ca_pem, "-CAkey", ca_key, "-CAcreateserial",
                                   "-days", days, "-extfile", extensions, "-out", cert, NULL });
}

/* ---- the server ------------------------------------------------------------------------------ */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void restart(struct tls_fixture *t, const char *const *settings)
{
    struct err err;

    assert_int_equal(keepd_stop(&t->f.keepd, SIGTERM, 30000), 0);
    t->f.keepd.settings = settings;
    keepd_start(&t->f.keepd);
    client_close(&t->f.client);
    t->f.client.port = t->f.keepd.port;
    snprintf(t->url, sizeof t->url, "https://127.0.0.1:%d", t->f.keepd.port);
    snprintf(t->ca, sizeof t->ca, "%s/tls/bundle.pem", t->f.keepd.dir);
    assert_int_equal(crypto_init(&err), 0);
}

static int set_up(void **state)
{
    struct tls_fixture *t = calloc(1, sizeof *t);

    if (t == NULL)
        abort();
    keepd_open(&t->f.keepd, NULL, getenv("KEEP_FLOW_PG") != NULL);
    client_init(&t->f.client, t->f.keepd.port);
    buf_init(&t->f.body, 1 << 20);
    snprintf(t->dir, sizeof t->dir, "/tmp/keep-nodes-XXXXXX");
    if (mkdtemp(t->dir) == NULL)
        abort();
    test_node_invite(&t->f.client, keepd_token(&t->f.keepd, ROLE_ADMIN), "{\"cluster\":\"tls\",\"max_uses\":100}", t->join);
    machine_read("0.1-test", &t->machine);
    make_ca(t->dir, "fleet");
    make_ca(t->dir, "rogue");
    make_client(t->dir, "fleet", "right", "clientAuth", "10");
    make_client(t->dir, "fleet", "other", "clientAuth", "10");
    make_client(t->dir, "fleet", "server", "serverAuth", "10");
    make_client(t->dir, "rogue", "wrong", "clientAuth", "10");
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct tls_fixture *t = *state;

    nftw(t->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    client_free(&t->f.client);
    buf_free(&t->f.body);
    keepd_close(&t->f.keepd);
    free(t);
    return 0;
}

static const char *file_of(struct tls_fixture *t, const char *name, const char *suffix, struct arena *arena)
{
    return arena_printf(arena, "%s/%s%s", t->dir, name, suffix);
}

/* As people: what the server says of its own key. */
static void ask_pin(struct tls_fixture *t, struct arena *arena, const char **pin, const char **trust, const char **command)
{
    const struct client_config config = { .base_url = t->url, .token = keepd_token(&t->f.keepd, ROLE_ADMIN), .ca_file = t->ca };
    const struct client_request request = { .method = "POST", .target = "/v1/join-tokens", .content_type = "application/json",
                                            .body = { (const unsigned char *)"{\"cluster\":\"tls\"}", 17 } };
    struct http_client *client;
    struct client_answer answer;
    struct json doc;
    struct err err = { 0 };

    assert_int_equal(http_client_open(&config, &client, &err), 0);
    if (http_client_send(client, &request, arena, &answer, &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(json_parse(arena, answer.body.ptr, answer.body.len, NULL, &doc, &err), 0);
    *pin = json_get_str(&doc, "ca_pin", NULL);
    *trust = json_get_str(&doc, "trust", NULL);
    *command = json_get_str(&doc, "command", "");
    http_client_close(client);
}

static int status_with(struct tls_fixture *t, struct arena *arena, const char *token, const char *cert)
{
    const struct client_config config = {
        .base_url = t->url, .token = token, .ca_file = t->ca, .cert_file = cert != NULL ? file_of(t, cert, ".pem", arena) : NULL,
        .key_file = cert != NULL ? file_of(t, cert, ".key", arena) : NULL,
    };
    const struct client_request request = { .method = "POST", .target = "/v1/agent/status", .content_type = "application/json",
                                            .body = { (const unsigned char *)"{}", 2 } };
    struct http_client *client;
    struct client_answer answer;
    struct err err = { 0 };

    assert_int_equal(http_client_open(&config, &client, &err), 0);
    (void)http_client_send(client, &request, arena, &answer, &err);
    http_client_close(client);
    return (int)answer.status;
}

static void read_file(const char *path, struct arena *arena, struct bytes *out)
{
    char *text = arena_bytes(arena, 65536);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 && text != NULL ? read(fd, text, 65536) : -1;

    assert_true(n > 0);
    close(fd);
    *out = (struct bytes){ (const unsigned char *)text, (size_t)n };
}

/* ---- pins ---------------------------------------------------------------------------------------- */

static const char *const self_managed[] = { "KEEP_TLS_SELF_MANAGED=127.0.0.1,localhost", NULL };

static void an_agent_enrols_by_what_the_command_names_and_nothing_else(void **state)
{
    struct tls_fixture *t = *state;
    const char *pin, *trust, *command;
    struct enrolled done;
    struct arena arena;
    struct err err = { 0 };
    struct stat st;

    restart(t, self_managed);
    arena_init(&arena, 8 << 20);
    ask_pin(t, &arena, &pin, &trust, &command);
    assert_non_null(pin);
    assert_non_null(trust);
    assert_non_null(strstr(command, pin));
    struct enroll_request r = { .dir = file_of(t, "agent", "", &arena), .server = t->url, .token = t->join, .trust = trust };
    /* The system's list does not know this CA. */
    assert_int_equal(identity_enroll(&r, &t->machine, &arena, &done, &err), -1);
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    r.ca_pin = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    assert_int_equal(identity_enroll(&r, &t->machine, &arena, &done, &err), -1);
    assert_int_equal(err.kind, ERR_FORBIDDEN);
    r.ca_pin = pin;
    r.trust = r.ca_pin;                  /* a fingerprint, but not the root's */
    assert_int_equal(identity_enroll(&r, &t->machine, &arena, &done, &err), -1);
    assert_int_equal(err.kind, ERR_FORBIDDEN);
    assert_int_equal(stat(file_of(t, "agent/node.json", "", &arena), &st), -1);
    r.trust = trust;
    if (identity_enroll(&r, &t->machine, &arena, &done, &err) != 0)
        fail_msg("%s", err.msg);
    assert_string_equal(done.scope, "tls");
    assert_true(done.clock_skew_ms > -5000 && done.clock_skew_ms < 5000);
    assert_string_equal(done.root, trust + strlen("sha256:"));
    assert_int_equal(stat(file_of(t, "agent/root.json", "", &arena), &st), 0);
    assert_int_equal(stat(file_of(t, "agent/node.key", "", &arena), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(identity_enroll(&r, &t->machine, &arena, &done, &err), -1);
    assert_int_equal(err.kind, ERR_CONFLICT);

    struct identity *id;
    struct session first, second;
    assert_int_equal(identity_open(r.dir, &t->machine, &id, &err), 0);
    if (identity_session(id, false, &first, &err) != 0)
        fail_msg("%s", err.msg);
    char token[256];
    snprintf(token, sizeof token, "%s", first.token);
    assert_int_equal(identity_session(id, false, &second, &err), 0);
    assert_string_equal(second.token, token);                            /* still good: not asked again */
    assert_int_equal(status_with(t, &arena, token, NULL), 200);
    assert_int_equal(identity_session(id, true, &second, &err), 0);
    assert_string_not_equal(second.token, token);
    identity_close(id);
    struct bytes ours, theirs;
    read_file(file_of(t, "agent/ca.pem", "", &arena), &arena, &ours);
    read_file(t->ca, &arena, &theirs);
    assert_int_equal(ours.len, theirs.len);              /* what the server's CAs are from now on */
    assert_memory_equal(ours.ptr, theirs.ptr, ours.len);
    assert_int_equal(chmod(file_of(t, "agent/node.key", "", &arena), 0644), 0);
    assert_int_equal(identity_open(r.dir, &t->machine, &id, &err), -1);
    assert_int_equal(chmod(file_of(t, "agent/node.key", "", &arena), 0600), 0);
    arena_clear(&arena);
}

/* ---- client certificates ---------------------------------------------------------------------------- */

static int enroll_with(struct tls_fixture *t, struct arena *arena, const char *folder, const char *cert, struct err *err)
{
    struct enrolled done;
    const struct enroll_request r = {
        .dir = file_of(t, folder, "", arena), .server = t->url, .token = t->join, .ca_file = t->ca,
        .cert_file = cert != NULL ? file_of(t, cert, ".pem", arena) : NULL, .key_file = cert != NULL ? file_of(t, cert, ".key", arena) : NULL,
    };

    return identity_enroll(&r, &t->machine, arena, &done, err);
}

static void client_certificates_are_really_verified(void **state)
{
    struct tls_fixture *t = *state;
    char ca[100];
    const char *settings[] = { "KEEP_TLS_SELF_MANAGED=127.0.0.1", ca, "KEEP_TLS_CLIENT_REQUIRED=true", NULL };
    static const char *const refused[] = { NULL, "wrong", "server", "rogue" };
    struct arena arena;
    struct err err = { 0 };
    struct identity *id;
    struct session session;

    snprintf(ca, sizeof ca, "KEEP_TLS_CLIENT_CA=%s/fleet.pem", t->dir);
    restart(t, settings);
    arena_init(&arena, 16 << 20);
    for (size_t i = 0; i < N_ITEMS(refused); i++) {
        char folder[16];
        snprintf(folder, sizeof folder, "refused%zu", i);
        assert_int_equal(enroll_with(t, &arena, folder, refused[i], &err), -1);
        if (err.kind != ERR_UNAUTHENTICATED || strstr(err.msg, "certificate") == NULL)
            fail_msg("%s: %s", refused[i] != NULL ? refused[i] : "none", err.msg);
    }
    if (enroll_with(t, &arena, "mutual", "right", &err) != 0)
        fail_msg("%s", err.msg);
    assert_int_equal(identity_open(file_of(t, "mutual", "", &arena), &t->machine, &id, &err), 0);
    assert_int_equal(identity_session(id, false, &session, &err), 0);
    assert_int_equal(status_with(t, &arena, session.token, "right"), 200);
    assert_int_equal(status_with(t, &arena, session.token, NULL), 401);
    assert_int_equal(status_with(t, &arena, session.token, "wrong"), 401);
    assert_int_equal(status_with(t, &arena, session.token, "other"), 401);      /* trusted, but not whom the token is for */
    identity_close(id);
    arena_clear(&arena);
}

static void what_people_do_needs_no_client_certificate(void **state)
{
    struct tls_fixture *t = *state;
    const char *pin, *trust, *command;
    struct arena arena;

    arena_init(&arena, 1 << 20);
    ask_pin(t, &arena, &pin, &trust, &command);          /* the server of the test before still asks for one */
    assert_non_null(pin);
    arena_clear(&arena);
}

/* ---- time -------------------------------------------------------------------------------------------- */

static void a_session_ends_and_a_node_that_is_not_heard_of_is_silent(void **state)
{
    struct tls_fixture *t = *state;
    static const char *const settings[] = { "KEEP_NODES_SESSION=2s", "KEEP_NODES_SILENT=1s", NULL };
    struct test_node n;
    char path[100];

    restart(t, settings);
    struct fixture *f = &t->f;
    test_node_join(&f->client, keepd_token(&f->keepd, ROLE_ADMIN), "short", NULL, &n);
    snprintf(path, sizeof path, "/v1/nodes/%s", n.node_id);
    struct ask ask = { "POST", "/v1/agent/status", n.token, "Content-Type: application/json\r\n", "{}", 2 };
    assert_int_equal(client_send(&f->client, &ask).status, 200);
    nanosleep(&(struct timespec){ 2, 200000000 }, NULL);
    assert_int_equal(client_send(&f->client, &ask).status, 401);
    assert_string_equal(json_get_str(keepd_ask(&f->client, keepd_token(&f->keepd, ROLE_ADMIN), "GET", path, NULL, 200), "state", ""), "silent");
    test_node_session(&f->client, &n);
    assert_string_equal(json_get_str(keepd_ask(&f->client, keepd_token(&f->keepd, ROLE_ADMIN), "GET", path, NULL, 200), "state", ""), "enrolled");
    test_node_free(&n);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_agent_enrols_by_what_the_command_names_and_nothing_else),
        cmocka_unit_test(client_certificates_are_really_verified),
        cmocka_unit_test(what_people_do_needs_no_client_certificate),
        cmocka_unit_test(a_session_ends_and_a_node_that_is_not_heard_of_is_silent),
    };

    return cmocka_run_group_tests_name("nodes over TLS", tests, set_up, tear_down);
}
