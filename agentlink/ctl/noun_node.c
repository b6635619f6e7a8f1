/* noun_node.c - node, join-token: machines that run containers, and how they come. */
#include "ctl/call.h"
#include "ctl/nouns.h"
#include "wire/jsonw.h"

#include <stdio.h>
#include <string.h>

enum { INVITE_MAX = 32 << 10 };

/* ---- node ------------------------------------------------------------------------------ */

static const struct column node_columns[] = {
    { "ID", "id", COLUMN_TEXT }, { "NAME", "name", COLUMN_TEXT }, { "STATE", "state", COLUMN_WORD }, { "SCOPE", "scope", COLUMN_TEXT },
    { "CONTAINERS", "containers", COLUMN_NUMBER }, { "BUNDLE", "bundle_version", COLUMN_NUMBER }, { "LAST SEEN", "last_seen_at", COLUMN_TIME },
    { "DROPPED", "events_dropped", COLUMN_NUMBER }, { "PROBLEM", "problem", COLUMN_TEXT },
};
static const struct column node_detail[] = {
    { "ID", "id", COLUMN_TEXT }, { "NAME", "name", COLUMN_TEXT }, { "STATE", "state", COLUMN_WORD }, { "PROBLEM", "problem", COLUMN_TEXT },
    { "CLUSTER", "cluster", COLUMN_TEXT }, { "SCOPE", "scope", COLUMN_TEXT }, { "KERNEL", "kernel", COLUMN_TEXT }, { "ARCH", "arch", COLUMN_TEXT },
    { "AGENT", "agent_version", COLUMN_TEXT }, { "INVITED", "created_at", COLUMN_TIME }, { "BY TOKEN", "join_token", COLUMN_TEXT },
    { "ENROLLED", "enrolled_at", COLUMN_TIME }, { "LAST SEEN", "last_seen_at", COLUMN_TIME }, { "FROM", "last_from", COLUMN_TEXT },
    { "REVOKED", "revoked_at", COLUMN_TIME }, { "REVOKED BY", "revoked_by", COLUMN_TEXT }, { "CLOCK AHEAD (ms)", "clock_skew_ms", COLUMN_NUMBER },
    { "CLONED", "cloned_at", COLUMN_TIME }, { "KEY", "fingerprint", COLUMN_TEXT }, { "TLS KEY", "certificate", COLUMN_TEXT },
    { "BUNDLE", "bundle_version", COLUMN_NUMBER }, { "SINCE", "bundle_applied_at", COLUMN_TIME }, { "BUNDLE PROBLEM", "status.bundle_problem", COLUMN_TEXT },
    { "CONTAINERS", "containers", COLUMN_NUMBER }, { "EVENTS", "events", COLUMN_NUMBER }, { "EVENTS DROPPED", "events_dropped", COLUMN_NUMBER },
    { "BATCHES REFUSED", "batches_refused", COLUMN_NUMBER }, { "REPORTED", "status_at", COLUMN_TIME },
    { "SPOOLED EVENTS", "status.spool_events", COLUMN_NUMBER }, { "SPOOLED BYTES", "status.spool_bytes", COLUMN_NUMBER },
    { "WALLS", "status.walls.rung", COLUMN_TEXT }, { "WALL PROFILES", "status.walls.profiles", COLUMN_NUMBER },
    { "AGENT MEMORY (KiB)", "status.rss_kib", COLUMN_NUMBER }, { "AGENT CPU (ms)", "status.cpu_ms", COLUMN_NUMBER },
};
static const struct column drop_columns[] = {
    { "DROPPED", "class", COLUMN_TEXT }, { "REASON", "reason", COLUMN_TEXT }, { "COUNT", "count", COLUMN_NUMBER }, { "LAST", "last_at", COLUMN_TIME },
};
static const struct column source_columns[] = {
    { "SOURCE", "name", COLUMN_TEXT }, { "STATE", "state", COLUMN_WORD }, { "EVENTS", "events", COLUMN_NUMBER }, { "PROBLEM", "problem", COLUMN_TEXT },
};
static const struct column rung_columns[] = { { "WALL", "rung", COLUMN_TEXT }, { "WHY", "why", COLUMN_TEXT } };

static const struct command_option list_options[] = {
    { "cluster", "NAME", "Only of this cluster.", false }, { "state", "STATE", "invited, enrolled, silent or revoked.", false },
    { "q", "TEXT", "Only those whose name or id begins like this.", false }, { "problem", "true", "Only those that are not well.", false },
    { "bundle-version", "N", "Only those that run this bundle; 0: none.", false }, LIMIT_OPTION,
};
static const struct api_call node_list_call = { .method = "GET", .target = "/v1/nodes", .columns = node_columns, .n_columns = N_ITEMS(node_columns),
    .empty = "no nodes; keepctl node invite CLUSTER prints what to type on one" };
static const struct api_call node_show_call = { .method = "GET", .target = "/v1/nodes/{}", .columns = node_detail, .n_columns = N_ITEMS(node_detail) };
static const struct api_call node_revoke_call = { .method = "DELETE", .target = "/v1/nodes/{}",
    .done = "node %s is revoked: it is refused from now on, and what it runs on its own goes on" };

static bool shows_table(const struct ctl *c)
{
    return c->n_outs == 1 && str_eq(c->outs[0].format->name, "table");
}

static int show_list(struct ctl *c, const struct json *items, const struct column *columns, size_t n)
{
    const struct listing l = { columns, n, items, items };

    return json_len(items) > 0 ? out_list(c, &l) : 0;
}

static int node_show(struct ctl *c)
{
    const char *target = call_target(c);
    struct json node;

    int rc = target != NULL ? ctl_get(c, target, &node) : ctl_wrong(c, NULL, "out of memory");
    if (rc == 0)
        rc = call_print(c, &node);
    if (rc != 0 || !shows_table(c))
        return ctl_code(rc);
    const struct { const struct json *items; const struct column *columns; size_t n; } lists[] = {
        { json_get(&node, "drops"), ROWS(drop_columns) }, { json_path(&node, "status.sources"), ROWS(source_columns) },
        { json_path(&node, "status.walls.reasons"), ROWS(rung_columns) },
    };
    for (size_t i = 0; i < N_ITEMS(lists) && rc == 0; i++) {
        if (json_len(lists[i].items) > 0)
            putchar('\n');
        rc = show_list(c, lists[i].items, lists[i].columns, lists[i].n);
    }
    return rc;
}

/* ---- node invite ------------------------------------------------------------------------ */

static const struct column invite_columns[] = {
    { "COMMAND", "command", COLUMN_TEXT }, { "TOKEN", "token", COLUMN_TEXT }, { "ID", "id", COLUMN_TEXT }, { "CLUSTER", "cluster", COLUMN_TEXT },
    { "USES", "max_uses", COLUMN_NUMBER }, { "EXPIRES", "expires_at", COLUMN_TIME }, { "TRUST", "trust", COLUMN_TEXT }, { "CA PIN", "ca_pin", COLUMN_TEXT },
};
static const struct command_option invite_options[] = {
    { "label", "KEY=VALUE", "A label of the nodes that come by it; may be repeated. Labels and cluster decide what a node is told.", true },
    { "uses", "N", "How many nodes may come by it (1).", false },
    { "expires-in", "DURATION", "How long it works, like 1h or 7d (24h).", false },
    { "name", "NAME", "What it is for; shown in keepctl join-token list.", false },
};
static const struct api_call invite_call = { .columns = invite_columns, .n_columns = N_ITEMS(invite_columns) };

static int put_labels(struct ctl *c, struct jsonw *w)
{
    const char *label;

    jsonw_key(w, "labels");
    jsonw_object(w);
    for (size_t i = 0; (label = command_get_nth(c->cl, "label", i)) != NULL; i++) {
        const char *eq = strchr(label, '=');
        const char *key = eq != NULL && eq > label ? arena_strndup(&c->arena, label, (size_t)(eq - label)) : NULL;
        if (key == NULL)
            return ctl_wrong(c, "--label zone=a", "--label %s: KEY=VALUE expected", label);
        jsonw_kstr(w, key, eq + 1);
    }
    jsonw_object_end(w);
    return 0;
}

static int invite_body(struct ctl *c, struct bytes *out)
{
    const char *uses = ctl_option(c, "uses");
    int64_t n = 1;
    struct jsonw w;
    struct buf b;

    if (uses != NULL && !str_to_i64(uses, 1, 100000, &n))
        return ctl_wrong(c, "--uses 10", "--uses %s: a number from 1 to 100000 expected", uses);
    buf_init(&b, INVITE_MAX);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    jsonw_kstr(&w, "cluster", ctl_arg(c, 0));
    jsonw_kint(&w, "max_uses", n);
    if (ctl_option(c, "name") != NULL)
        jsonw_kstr(&w, "name", ctl_option(c, "name"));
    if (ctl_option(c, "expires-in") != NULL)
        jsonw_kstr(&w, "expires_in", ctl_option(c, "expires-in"));
    int rc = put_labels(c, &w);
    jsonw_object_end(&w);
    char *copy = rc == 0 && !b.failed ? arena_strndup(&c->arena, b.ptr, b.len) : NULL;
    if (rc == 0 && copy == NULL)
        rc = ctl_wrong(c, NULL, "too many labels");
    if (copy != NULL)
        *out = (struct bytes){ (const unsigned char *)copy, b.len };
    buf_free(&b);
    return rc;
}

/* For people the command alone goes to standard output: `keepctl node invite prod | ssh node sh`. */
static int node_invite(struct ctl *c)
{
    struct client_request r = { .method = "POST", .target = "/v1/join-tokens", .content_type = "application/json", .once = true };
    struct json made;

    int rc = invite_body(c, &r.body);
    if (rc == 0)
        rc = ctl_send(c, &r, &made, NULL);
    if (rc != 0)
        return ctl_code(rc);
    if (!shows_table(c))
        return call_print(c, &made);
    printf("%s\n", json_get_str(&made, "command", ""));
    ctl_say(c, "type this on the node, as root; the token is shown only this once, makes %lld node(s) of cluster %s and ends %s",
            (long long)json_int(json_get(&made, "max_uses"), 1), json_get_str(&made, "cluster", "?"), json_get_str(&made, "expires_at", "?"));
    if (json_get(&made, "ca_pin") == NULL)
        ctl_say(c, "this server has no TLS: fit for a try on one machine, not for more");
    ctl_next(c, "keepctl node list");
    return 0;
}

/* ---- join-token ---------------------------------------------------------------------------- */

static const struct command_option limit_only[] = { LIMIT_OPTION };
static const struct column join_columns[] = {
    { "ID", "id", COLUMN_TEXT }, { "NAME", "name", COLUMN_TEXT }, { "STATE", "state", COLUMN_WORD }, { "CLUSTER", "cluster", COLUMN_TEXT },
    { "USED", "uses", COLUMN_NUMBER }, { "OF", "max_uses", COLUMN_NUMBER }, { "EXPIRES", "expires_at", COLUMN_TIME },
    { "BY", "created_by", COLUMN_TEXT }, { "CREATED", "created_at", COLUMN_TIME },
};
static const struct api_call join_list_call = { .method = "GET", .target = "/v1/join-tokens", .columns = join_columns, .n_columns = N_ITEMS(join_columns),
    .empty = "no join tokens; keepctl node invite CLUSTER makes one" };
static const struct api_call join_revoke_call = { .method = "DELETE", .target = "/v1/join-tokens/{}",
    .done = "join token %s is revoked: no further node comes by it; those that did stay" };

static const struct ctl_command rows[] = {
    { ROW("node list", "", 0, 0, "Nodes, how they are and which bundle they run.", list_options, NULL), call_list, &node_list_call },
    { PLAIN("node show", "ID", 1, 1, "All about a node: what it runs, what it lost and why, what it last reported."), node_show, &node_show_call },
    { ROW("node invite", "CLUSTER", 1, 1, "Make a join token and print what to type on the node.", invite_options, NULL), node_invite, &invite_call },
    { PLAIN("node revoke", "ID", 1, 1, "Refuse a node from now on, for ever."), call_change, &node_revoke_call },
    { ROW("join-token list", "", 0, 0, "Invitations for nodes.", limit_only, NULL), call_list, &join_list_call },
    { PLAIN("join-token revoke", "ID", 1, 1, "Take an invitation back."), call_change, &join_revoke_call },
};
const struct ctl_commands node_commands = { rows, N_ITEMS(rows) };
