/* out_github.c - workflow commands for the log of a GitHub Actions run: they become
 * annotations.  Text from outside can start no command of its own. */
#include "ctl/out.h"

#include "base/str.h"
#include "ctl/out_check.h"

enum { ANNOTATIONS = 40 };           /* GitHub shows ten of a kind per step */

static void put_escaped(struct buf *b, const char *s, bool property)
{
    struct buf safe;

    buf_init(&safe, 64 * 1024);
    put_safe(&safe, s);
    for (size_t i = 0; i < safe.len; i++) {
        char c = safe.ptr[i];
        if (c == '%' || (property && (c == ':' || c == ',')))
            buf_printf(b, "%%%02X", (unsigned)(unsigned char)c);
        else
            buf_putc(b, c);
    }
    buf_free(&safe);
}

static void put_command(struct buf *b, const char *level, const char *title, const char *message, const char *more)
{
    buf_printf(b, "::%s title=", level);
    put_escaped(b, title, true);
    buf_puts(b, "::");
    put_escaped(b, message, false);
    if (more[0] != '\0') {
        buf_puts(b, "%0A");
        put_escaped(b, more, false);
    }
    buf_putc(b, '\n');
}

OUT_ASSESSMENT(out_github_assessment)
{
    const struct json *reasons = json_get(a->verdict, "reasons");
    char *head = arena_printf(arena, "Keep: %s for %s", json_get_str(a->verdict, "decision", "unknown"), assessment_name(a));

    (void)look;
    if (head == NULL)
        return err_nomem(err);
    put_command(b, a->exit_code != 0 ? "error" : "notice", "Keep", head, a->why);
    for (uint32_t i = 0; i < json_len(reasons) && i < ANNOTATIONS; i++) {
        const struct json *r = json_at(reasons, i);
        char *title = arena_printf(arena, "%s/%s", json_get_str(r, "policy", ""), json_get_str(r, "rule", ""));
        if (title == NULL)
            return err_nomem(err);
        put_command(b, a->exit_code != 0 && !str_eq(json_get_str(r, "effect", "fail"), "warn") ? "error" : "warning", title,
                    json_get_str(r, "message", ""), json_get_str(r, "remediation", ""));
    }
    return 0;
}

OUT_CHECK(out_github_check)
{
    const struct json *reasons = json_get(answer, "reasons");

    (void)look, (void)arena, (void)err;
    put_command(b, "notice", "Keep", json_get_str(answer, "decision", "unknown"), why);
    for (uint32_t i = 0; i < json_len(reasons) && i < ANNOTATIONS; i++) {
        const struct json *r = json_at(reasons, i);
        buf_printf(b, "::%s file=", str_eq(json_get_str(r, "effect", ""), "warn") ? "warning" : "error");
        put_escaped(b, json_get_str(r, "file", ""), true);
        buf_printf(b, ",line=%lld,col=%lld,title=", (long long)json_int(json_get(r, "line"), 1), (long long)json_int(json_get(r, "column"), 1));
        put_escaped(b, json_get_str(r, "rule", ""), true);
        buf_puts(b, "::");
        put_escaped(b, json_get_str(r, "message", ""), false);
        buf_putc(b, '\n');
    }
    return 0;
}
