/* events.c - events as other programs wrote them: does each line map, and do the counts agree?
 *
 * expected.tsv: kind, file, repository, path there, licence, events; several rows may be of
 * one file.  Every line of KIND/FILE must map to an event of that source, found out by its
 * members as well as told, and must be the same after our own JSON.  With a second argument
 * the kinds of each file are shown. */
#include "tests/conformance/set/set.h"

#include "wire/event/event.h"
#include "wire/json_util.h"
#include "wire/msg/event.h"

enum { FILES_MAX = 512 };

struct file {
    const char *kind, *name;
    long expected;
};

struct tally {
    long mapped, kinds[EVENT_KIND_N];
};

static enum event_source source_of(const char *kind)
{
    for (int i = 0; event_source_words[i] != NULL; i++) {
        if (str_eq(event_source_words[i], kind) || (i == SOURCE_K8SAUDIT && str_eq(kind, "k8saudit")))
            return (enum event_source)i;
    }
    return EVENT_SOURCE_N;
}

/* NULL, or what is wrong with the event's own JSON. */
static const char *check_again(const struct event *e, struct arena *arena, struct err *err)
{
    struct buf first, second;
    struct event again;
    const char *wrong = NULL;

    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    if (event_encode(e, &first, err) != 0)
        wrong = "cannot be written";
    else if (first.len > EVENT_JSON_MAX)
        wrong = "is too long as ours";
    else if (event_decode(SOURCE_AGENT, first.ptr, first.len, arena, &again, err) != 0)
        wrong = "cannot be read again";
    else if (event_encode(&again, &second, err) != 0 || first.len != second.len || memcmp(first.ptr, second.ptr, first.len) != 0)
        wrong = "is not the same after reading";
    buf_free(&first);
    buf_free(&second);
    return wrong;
}

static void check_line(struct set *s, const struct file *f, unsigned number, const char *line, size_t len, struct tally *t)
{
    enum event_source source = source_of(f->kind);
    const struct event *events;
    struct arena arena;
    struct json doc;
    struct err err = { 0 };
    char where[400];
    size_t n = 0;

    arena_init(&arena, (size_t)256 << 20);
    snprintf(where, sizeof where, "%s/%s:%u", f->kind, f->name, number);
    if (event_decode_all(source, line, len, &arena, &events, &n, &err) != 0 || n == 0) {
        set_check(s, where, "an event", "none", err.msg);
    } else {
        const char *wrong = NULL;
        for (size_t i = 0; i < n; i++) {
            wrong = wrong == NULL ? check_again(&events[i], &arena, &err) : wrong;
            t->kinds[events[i].kind]++;
        }
        if (event_parse(line, len, &arena, &doc, &err) != 0 || event_source_detect(&doc) != source)
            wrong = "is not recognised by its members";
        set_check(s, where, "an event", wrong == NULL ? "an event" : wrong, err.msg);
        t->mapped += (long)n;
    }
    arena_clear(&arena);
}

static void check_file(struct set *s, const struct file *f, bool shows)
{
    struct bytes text = set_read_in(s, f->kind, f->name);
    struct tally t = { 0 };
    char expected[32], got[32];
    unsigned number = 0;

    for (const char *at = (const char *)text.ptr, *end = at != NULL ? at + text.len : NULL; at != NULL && at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = newline != NULL ? (size_t)(newline - at) : (size_t)(end - at);
        number++;
        if (len > 0)
            check_line(s, f, number, at, len, &t);
        at += len + 1;
    }
    snprintf(expected, sizeof expected, "%ld events", f->expected);
    snprintf(got, sizeof got, "%ld events", t.mapped);
    set_check(s, f->name, expected, got, text.ptr == NULL ? "no such file" : "those that map");
    for (int k = 0; shows && k < EVENT_KIND_N; k++) {
        if (t.kinds[k] > 0)
            fprintf(stderr, "%s/%s: %ld %s\n", f->kind, f->name, t.kinds[k], event_kind_words[k]);
    }
}

static void add_row(struct file *files, size_t *n, char **field)
{
    size_t i = 0;

    while (i < *n && (!str_eq(files[i].kind, field[0]) || !str_eq(files[i].name, field[1])))
        i++;
    if (i == FILES_MAX)
        abort();
    if (i == *n)
        files[(*n)++] = (struct file){ field[0], field[1], 0 };
    files[i].expected += strtol(field[5], NULL, 10);
}

int main(int argc, char **argv)
{
    static struct file files[FILES_MAX];
    struct set s;
    size_t n = 0;

    set_open(&s, argc, argv, "events");
    struct bytes table = set_read(&s, "expected.tsv");
    char *text = table.ptr != NULL ? arena_strndup(&s.arena, (const char *)table.ptr, table.len) : NULL;
    for (char *line = text != NULL ? strchr(text, '\n') : NULL; line != NULL && line[1] != '\0';) {
        char *row = line + 1, *field[6];
        line = strchr(row, '\n');
        if (line != NULL)
            *line = '\0';
        set_fields(row, field, N_ITEMS(field));
        add_row(files, &n, field);
    }
    for (size_t i = 0; i < n; i++)
        check_file(&s, &files[i], argc > 2);
    return set_close(&s);
}
