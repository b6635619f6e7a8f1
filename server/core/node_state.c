/* node_state.c - see node_state.h. */
#include "core/node_state.h"
#include "base/str.h"
#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const node_state_words[] = {
    [NODE_REVOKED] = "revoked", [NODE_INVITED] = "invited", [NODE_SILENT] = "silent", [NODE_ENROLLED] = "enrolled",
    [NODE_STATE_N] = NULL,
};

/* A key that came with a join token becomes a node by proving that it is held; a node
 * falls silent and comes back; whoever is revoked stays so. */
static const bool may[NODE_STATE_N][NODE_STATE_N] = {
    [NODE_INVITED]  = { [NODE_ENROLLED] = true, [NODE_REVOKED] = true },
    [NODE_ENROLLED] = { [NODE_SILENT] = true, [NODE_REVOKED] = true },
    [NODE_SILENT]   = { [NODE_ENROLLED] = true, [NODE_REVOKED] = true },
    [NODE_REVOKED]  = { false },
};

bool node_state_may(enum node_state from, enum node_state to)
{
    return (unsigned)from < NODE_STATE_N && (unsigned)to < NODE_STATE_N && may[from][to];
}

enum node_state node_state_at(const struct node *node, int64_t silent_ms, int64_t now_ms)
{
    if (node->revoked_ms != TIME_UNKNOWN)
        return NODE_REVOKED;
    if (node->enrolled_ms == TIME_UNKNOWN)
        return NODE_INVITED;
    if (node->last_seen_ms == TIME_UNKNOWN || now_ms - node->last_seen_ms > silent_ms)
        return NODE_SILENT;
    return NODE_ENROLLED;
}

static void add(char out[NODE_PROBLEM_MAX + 1], const char *text)
{
    size_t at = strlen(out);

    snprintf(out + at, NODE_PROBLEM_MAX + 1 - at, "%s%s", at > 0 ? "; " : "", text);
}

/* "3 h 20 min", "45 s": exact enough to see which clock is wrong. */
static void span_text(int64_t ms, char out[48])
{
    int64_t s = ms / MS_SECOND;

    if (s < 120)
        snprintf(out, 48, "%" PRId64 " s", s);
    else if (s < 7200)
        snprintf(out, 48, "%" PRId64 " min", s / 60);
    else if (s < 2 * 86400)
        snprintf(out, 48, "%" PRId64 " h %" PRId64 " min", (s + 30) / 3600, (s + 30) / 60 % 60);
    else
        snprintf(out, 48, "%" PRId64 " days", s / 86400);
}

void node_problem(const struct node_signs *signs, char out[NODE_PROBLEM_MAX + 1])
{
    int64_t skew = signs->clock_skew_ms;
    char text[NODE_PROBLEM_MAX + 1], span[48];
    const char *bundle = signs->bundle_problem;

    out[0] = '\0';
    if (signs->is_cloned)
        add(out, "cloned: two machines use this identity; revoke it and enrol both anew");
    if (skew != TIME_UNKNOWN && (skew > NODE_SKEW_MAX_MS || skew < -NODE_SKEW_MAX_MS)) {
        span_text(skew < 0 ? -skew : skew, span);
        snprintf(text, sizeof text, "clock: %s %s", span, skew < 0 ? "behind" : "ahead");
        add(out, text);
    }
    if (bundle != NULL && bundle[0] != '\0') {
        snprintf(text, sizeof text, "bundle: %.150s", bundle);
        add(out, text);
    }
    if (signs->spool_dropped > 0) {
        snprintf(text, sizeof text, "events: %" PRId64 " dropped since the last report", signs->spool_dropped);
        add(out, text);
    }
    size_t len = strlen(out);
    while (len > 0 && !str_is_utf8(out, len))          /* cut inside a character */
        out[--len] = '\0';
}
