/* Raw HTTP/1.1 request streams, many malformed, against a real server.
 *
 * argv[1]/http/expected.tsv names a file and the class of answer it must get.
 * Whatever the class: the request hidden in the stream (GET /SMUGGLED) is never
 * executed, and the server still answers afterwards.  The paths the streams ask
 * for exist here and take bodies, so that a refusal is one of the framing. */
#include "tests/flow/http_fixture.h"

enum { MAX_CASES = 4096, MAX_STREAM = 4 << 20, MAX_ANSWERS = 64 };

static int take(struct call *c, const void *in, void *out, struct err *err)
{
    return fx_light(c, in, out, err);
}

#define GETS(p)  { FX("GET", p, WHO_ANYONE, CLASS_READ), .out = &note_shape, .run = take }
#define SENDS(m, p) { FX(m, p, WHO_ANYONE, CLASS_READ), .body = BODY_RAW, .max_body = 1 << 20, .out = &note_shape, .run = take }

static const struct route table[] = {
    { FX("GET", "/healthz", WHO_ANYONE, CLASS_LIGHT), .out = &note_shape, .run = fx_light },
    { FX("GET", "/SMUGGLED", WHO_ANYONE, CLASS_LIGHT), .out = &note_shape, .run = fx_smuggled },
    { FX("GET", "/api/v1/tokens", ROLE_ADMIN, CLASS_READ), .out = &note_shape, .run = fx_light },
    SENDS("POST", "/healthz"), SENDS("PUT", "/healthz"), SENDS("POST", "/api/v1/tokens"),
    SENDS("POST", "/"), SENDS("PUT", "/url"), SENDS("POST", "/url"),
    SENDS("POST", "/post_identity_body_world"), SENDS("POST", "/chunked_w_unicorns_after_length"),
    SENDS("POST", "/post_chunked_all_your_base"), SENDS("PATCH", "/file.txt"),
    GETS("/url"), GETS("/test"), GETS("/demo"), GETS("/"), GETS("/static/app.js"),
    GETS("/dumbpack"), GETS("/get_no_headers_no_body/world"), GETS("/test.cgi"),
};

struct seen {
    int status[MAX_ANSWERS];
    int n;
    bool leaked;                   /* a file of the system in a body */
};

static bool refused(const struct seen *s)
{
    for (int i = 0; i < s->n; i++)
        if (s->status[i] >= 200 && s->status[i] < 400)
            return false;
    return true;
}

static bool one_ok(const struct seen *s)
{
    int finals = 0, good = 0;

    for (int i = 0; i < s->n; i++) {
        finals += s->status[i] >= 200;
        good += s->status[i] >= 200 && s->status[i] < 300;
    }
    return finals == 1 && good == 1;
}

static bool anything(const struct seen *s)
{
    (void)s;
    return true;
}

static const struct {
    const char *word;
    bool (*agrees)(const struct seen *);
} classes[] = {
    { "reject", refused }, { "reject-auth", refused }, { "reject-or-404", refused }, { "reject-or-timeout", refused },
    { "ok", one_ok }, { "ok-then-close", one_ok }, { "either", anything }, { "accepted-by-llhttp", anything },
};

/* The stream with a token that is good here. */
static void load(const char *root, const char *path, struct buf *out)
{
    static const char mark[] = "{GOODTOKEN}", token[] = "admin-token";
    char name[1024], chunk[8192];
    size_t n;

    snprintf(name, sizeof name, "%s/http/%s", root, path);
    FILE *f = fopen(name, "rb");
    if (f == NULL) {
        out->failed = true;
        return;
    }
    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_put(out, chunk, n);
    fclose(f);
    char *at = out->len == 0 ? NULL : memmem(out->ptr, out->len, mark, sizeof mark - 1);
    if (at != NULL)
        memcpy(at, token, sizeof token - 1);        /* both are 11 bytes */
}

static void replay(int port, const struct buf *stream, struct seen *out)
{
    int fd = fx_connect(port);
    struct buf rest;

    *out = (struct seen){ 0 };
    if (fd < 0)
        return;
    buf_init(&rest, MAX_STREAM);
    fx_send(fd, stream->ptr, stream->len);          /* may fail: refused half-way */
    shutdown(fd, SHUT_WR);
    while (out->n < MAX_ANSWERS) {
        struct answer a = fx_answer(fd, false, 3000, &rest);
        if (a.status == 0)
            break;
        out->status[out->n++] = a.status;
        out->leaked = out->leaked || strstr(a.body, "root:") != NULL;
        answer_free(&a);
    }
    buf_free(&rest);
    close(fd);
}

static bool alive(int port)
{
    struct answer a = fx_once(port, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    bool yes = a.status == 200;

    answer_free(&a);
    return yes;
}

/* NULL, or why the case disagrees. */
static const char *judge(const struct fixture *f, const char *expected, const struct seen *s, int smuggled_before)
{
    if (atomic_load(&f->app.smuggled) != smuggled_before)
        return "the hidden request was executed";
    if (s->leaked)
        return "a file of the system came back";
    if (!alive(f->port))
        return "the server no longer answers";
    for (size_t i = 0; i < N_ITEMS(classes); i++)
        if (strcmp(classes[i].word, expected) == 0)
            return classes[i].agrees(s) ? NULL : "another class of answer";
    return "unknown class";
}

static bool run_case(struct fixture *f, const char *root, char *line)
{
    char *path = strsep(&line, "\t"), *expected = NULL;
    struct buf stream;
    struct seen seen;

    for (int i = 0; i < 3; i++)
        expected = strsep(&line, "\t");
    if (path == NULL || expected == NULL)
        return false;
    buf_init(&stream, MAX_STREAM);
    load(root, path, &stream);
    int before = atomic_load(&f->app.smuggled);
    if (!stream.failed)
        replay(f->port, &stream, &seen);
    const char *why = stream.failed ? "the file cannot be read" : judge(f, expected, &seen, before);
    if (why != NULL)
        printf("http: %s: expected %s, got %d (%s)\n", path, expected,
               stream.failed || seen.n == 0 ? 0 : seen.status[0], why);
    buf_free(&stream);
    return why == NULL;
}

int main(int argc, char **argv)
{
    static struct fixture f;
    char name[1024], line[8192];
    int cases = 0, agreed = 0;

    snprintf(name, sizeof name, "%s/http/expected.tsv", argc > 1 ? argv[1] : "");
    FILE *list = fopen(name, "r");
    if (list == NULL) {
        printf("http\t0\t0\t0\n");
        return 0;
    }
    fx_start_with(&f, &(struct http_config){ .head_ms = 400, .body_grace_ms = 400 }, &(struct work_config){ .threads = 2 }, NULL, 0,
                  table, N_ITEMS(table));
    while (cases < MAX_CASES && fgets(line, sizeof line, list) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "path\t", 5) == 0 || line[0] == '\0')
            continue;
        cases++;
        agreed += run_case(&f, argv[1], line);
        fflush(stdout);
    }
    fclose(list);
    fx_stop(&f);
    printf("http\t%d\t%d\t%d\n", cases, agreed, cases - agreed);
    return agreed == cases ? 0 : 1;
}
