/* noun_alert.c - alert, event, suppress: what departs from what is expected. */
#include "ctl/call.h"
#include "ctl/nouns.h"
#include "wire/jsonw.h"

enum { BODY_MAX = 16 * 1024 };

/* ---- alert ------------------------------------------------------------------------- */

static const struct column alert_columns[] = {
    { "ID", "id", COLUMN_NUMBER }, { "SEVERITY", "severity", COLUMN_WORD }, { "STATE", "state", COLUMN_WORD }, { "RULE", "rule", COLUMN_TEXT },
    { "WHAT", "title", COLUMN_TEXT }, { "IMAGE", "repository", COLUMN_TEXT }, { "NAMESPACE", "namespace", COLUMN_TEXT },
    { "WORKLOAD", "workload", COLUMN_TEXT }, { "EVENTS", "count", COLUMN_NUMBER }, { "LAST", "last_at", COLUMN_TIME },
};
static const struct column alert_detail[] = {
    { "ID", "id", COLUMN_NUMBER }, { "SEVERITY", "severity", COLUMN_WORD }, { "STATE", "state", COLUMN_WORD }, { "RULE", "rule", COLUMN_TEXT },
    { "WHAT", "title", COLUMN_TEXT }, { "SUBJECT", "subject", COLUMN_TEXT }, { "PROCESSES", "story.chain", COLUMN_TEXT },
    { "ARGUMENTS", "story.args", COLUMN_TEXT }, { "EXPECTED", "story.profile.expected", COLUMN_TEXT }, { "ALSO", "story.also", COLUMN_TEXTS },
    { "PROFILE", "story.profile.name", COLUMN_TEXT }, { "MODE", "story.profile.mode", COLUMN_TEXT }, { "POLICY", "story.policy.name", COLUMN_TEXT },
    { "REMEDY", "story.policy.remediation", COLUMN_TEXT }, { "IMAGE", "story.image.reference|repository", COLUMN_TEXT },
    { "DIGEST", "digest", COLUMN_DIGEST }, { "IMAGE KNOWN BY", "story.image.known_by", COLUMN_TEXT }, { "SCANNED", "story.image.scanned_at", COLUMN_TIME },
    { "FRESHNESS", "story.image.freshness", COLUMN_WORD }, { "VERDICT", "story.image.verdict", COLUMN_WORD },
    { "CRITICAL", "story.image.findings.critical", COLUMN_NUMBER }, { "HIGH", "story.image.findings.high", COLUMN_NUMBER },
    { "CONTAINER", "story.container.id", COLUMN_TEXT }, { "POD", "story.container.pod", COLUMN_TEXT }, { "NAMESPACE", "namespace", COLUMN_TEXT },
    { "WORKLOAD", "workload", COLUMN_TEXT }, { "CLUSTER", "cluster", COLUMN_TEXT }, { "NODE", "node_name|node", COLUMN_TEXT },
    { "BUNDLE", "story.node.bundle_version", COLUMN_NUMBER }, { "EVENTS", "count", COLUMN_NUMBER }, { "DENIED", "denied", COLUMN_NUMBER },
    { "EPISODE", "episode", COLUMN_NUMBER }, { "FIRST", "first_at", COLUMN_TIME }, { "LAST", "last_at", COLUMN_TIME },
    { "CHANGED", "changed_at", COLUMN_TIME }, { "BY", "changed_by", COLUMN_TEXT }, { "NOTE", "note", COLUMN_TEXT },
};
static const struct command_option alert_list_options[] = {
    { "state", "STATE", "open, acknowledged or resolved.", false },
    { "severity", "WORD", "This grave or graver: emergency, alert, critical, error, warning, notice, info, debug.", false },
    { "rule", "PATTERN", "Only these rules, like 'drift/*'.", false }, { "cluster", "NAME", "Only of this cluster.", false },
    { "namespace", "NAME", "Only of this namespace.", false }, { "image", "PATTERN", "Repository, or digest.", false },
    { "q", "TEXT", "Text in rule, subject, title, image or workload.", false }, LIMIT_OPTION,
};
static const struct api_call alert_list = { .method = "GET", .target = "/v1/alerts", .columns = alert_columns, .n_columns = N_ITEMS(alert_columns),
    .empty = "no alerts", .next = "keepctl alert show ID" };
static const struct api_call alert_show = { .method = "GET", .target = "/v1/alerts/{}", .columns = alert_detail, .n_columns = N_ITEMS(alert_detail) };
static const struct api_call alert_state = { .method = "POST", .target = "/v1/alerts/{}/state", .columns = alert_columns, .n_columns = N_ITEMS(alert_columns) };
static const struct column group_columns[] = {
    { "SEVERITY", "severity", COLUMN_WORD }, { "RULE", "rule", COLUMN_TEXT }, { "IMAGE", "repository", COLUMN_TEXT },
    { "ALERTS", "alerts", COLUMN_NUMBER }, { "OPEN", "open", COLUMN_NUMBER }, { "EVENTS", "events", COLUMN_NUMBER },
    { "FIRST", "first_at", COLUMN_TIME }, { "LAST", "last_at", COLUMN_TIME }, { "E.G.", "example", COLUMN_NUMBER },
};
static const struct api_call alert_groups = { .method = "GET", .target = "/v1/alert-groups", .columns = group_columns,
    .n_columns = N_ITEMS(group_columns), .empty = "no alerts" };
static const struct command_option note_options[] = { { "note", "TEXT", "Why, or what was done.", false } };

/* The command's last word says what the alert becomes. */
static int change_state(struct ctl *c)
{
    static const struct { const char *command, *state; } rows[] = {
        { "alert ack", "acknowledged" }, { "alert resolve", "resolved" }, { "alert reopen", "open" },
    };
    struct client_request r = { .method = "POST", .target = call_target(c), .content_type = "application/json" };
    struct json answer = { 0 };
    struct jsonw w;
    struct buf b;

    buf_init(&b, BODY_MAX);
    jsonw_init(&w, &b);
    jsonw_object(&w);
    for (size_t i = 0; i < N_ITEMS(rows); i++)
        if (str_eq(c->cl->command->name, rows[i].command))
            jsonw_kstr(&w, "state", rows[i].state);
    if (ctl_option(c, "note") != NULL)
        jsonw_kstr(&w, "note", ctl_option(c, "note"));
    jsonw_object_end(&w);
    char *copy = b.failed ? NULL : arena_strndup(&c->arena, b.ptr, b.len);
    r.body = (struct bytes){ (const unsigned char *)copy, b.len };
    buf_free(&b);
    if (copy == NULL || r.target == NULL)
        return ctl_wrong(c, NULL, "the note is too long");
    int rc = ctl_send(c, &r, &answer, NULL);
    return rc != 0 ? rc : call_print(c, &answer);
}

/* ---- event ---------------------------------------------------------------------------- */

static const struct column event_columns[] = {
    { "AT", "event.at", COLUMN_TIME }, { "KIND", "event.kind", COLUMN_TEXT }, { "SEVERITY", "event.severity", COLUMN_NUMBER },
    { "VERDICT", "event.verdict", COLUMN_TEXT }, { "PROGRAM", "event.process.exe|event.process.name", COLUMN_TEXT },
    { "ON", "event.file.path|event.net.remote_name|event.net.remote_service|event.net.remote", COLUMN_TEXT },
    { "PORT", "event.net.local_port|event.net.remote_port", COLUMN_NUMBER }, { "IMAGE", "repository|event.container.image", COLUMN_TEXT },
    { "POD", "event.place.pod", COLUMN_TEXT }, { "NODE", "node_name|event.node", COLUMN_TEXT }, { "SOURCE", "event.source", COLUMN_TEXT },
    { "RULE", "event.rule", COLUMN_TEXT }, { "ALERT", "alert", COLUMN_NUMBER },
};
static const struct command_option event_options[] = {
    { "node", "NAME", "Only of this node: its id or name.", false }, { "image", "DIGEST", "Only of this image.", false },
    { "container", "ID", "Only of this container; the beginning of its id is enough.", false },
    { "kind", "KIND", "exec, connect, listen, file_write, capability, k8s ...", false },
    { "severity", "WORD", "This grave or graver.", false }, { "alert", "ID", "Only those of this alert.", false },
    { "since", "TIME", "Not before (RFC 3339).", false }, { "until", "TIME", "Before.", false }, LIMIT_OPTION,
};
static const struct api_call event_list = { .method = "GET", .target = "/v1/events", .columns = event_columns, .n_columns = N_ITEMS(event_columns),
    .empty = "no events" };

/* ---- suppress ------------------------------------------------------------------------------ */

static const struct column suppression_columns[] = {
    { "ID", "id", COLUMN_TEXT }, { "STATE", "state", COLUMN_WORD }, { "RULE", "rule", COLUMN_TEXT }, { "REPOSITORY", "repository", COLUMN_TEXT },
    { "CLUSTER", "cluster", COLUMN_TEXT }, { "NAMESPACE", "namespace", COLUMN_TEXT }, { "WORKLOAD", "workload", COLUMN_TEXT },
    { "SUBJECT", "subject", COLUMN_TEXT }, { "HITS", "hits", COLUMN_NUMBER }, { "EXPIRES", "expires_at", COLUMN_TIME },
    { "BY", "created_by", COLUMN_TEXT }, { "REASON", "reason", COLUMN_TEXT },
};
static const struct command_option suppression_list_options[] = { { "state", "STATE", "active, expired or revoked.", false }, LIMIT_OPTION };
static const struct command_option suppression_options[] = {
    { "rule", "PATTERN", "Rules, like 'drift/unexpected-executable'.", false }, { "repository", "PATTERN", "Repositories.", false },
    { "cluster", "PATTERN", "Clusters.", false }, { "namespace", "PATTERN", "Namespaces.", false }, { "workload", "PATTERN", "Workloads.", false },
    { "subject", "PATTERN", "The path, port or peer.", false }, { "reason", "TEXT", "Why, in at least 10 characters.", false },
    { "expires-in", "DURATION", "How long it holds, like 30d; this or --expires-at.", false }, { "expires-at", "TIME", "When it ends (RFC 3339).", false },
};
static const struct api_field suppression_fields[] = {
    { "rule", "rule", AS_TEXT, false }, { "repository", "repository", AS_TEXT, false }, { "cluster", "cluster", AS_TEXT, false },
    { "namespace", "namespace", AS_TEXT, false }, { "workload", "workload", AS_TEXT, false }, { "subject", "subject", AS_TEXT, false },
    { "reason", "reason", AS_TEXT, true }, { "expires-in", "expires_in", AS_TEXT, false }, { "expires-at", "expires_at", AS_TEXT, false },
};
static const struct api_call suppression_list = { .method = "GET", .target = "/v1/suppressions", .columns = suppression_columns,
    .n_columns = N_ITEMS(suppression_columns), .empty = "no suppressions" };
static const struct api_call suppression_add = { .method = "POST", .target = "/v1/suppressions", .columns = suppression_columns,
    .n_columns = N_ITEMS(suppression_columns), .fields = suppression_fields, .n_fields = N_ITEMS(suppression_fields) };
static const struct api_call suppression_revoke = { .method = "DELETE", .target = "/v1/suppressions/{}", .done = "suppression %s is revoked" };

static const struct ctl_command rows[] = {
    { ROW("alert list", "", 0, 0, "List alerts, newest event first.", alert_list_options, NULL), call_list, &alert_list },
    { PLAIN("alert groups", "", 0, 0, "Sum up what is not resolved, by rule and image."), call_show, &alert_groups },
    { PLAIN("alert show", "ID", 1, 1, "Show an alert with its story."), call_show, &alert_show },
    { ROW("alert ack", "ID", 1, 1, "Say that somebody looks at it.", note_options, NULL), change_state, &alert_state },
    { ROW("alert resolve", "ID", 1, 1, "Say that it is done; should it come back, it opens again.", note_options, NULL), change_state, &alert_state },
    { ROW("alert reopen", "ID", 1, 1, "Say that it is not done.", note_options, NULL), change_state, &alert_state },
    { ROW("event list", "", 0, 0, "List runtime events, newest first.", event_options, NULL), call_list, &event_list },
    { ROW("suppress list", "", 0, 0, "List suppressions, newest first.", suppression_list_options, NULL), call_list, &suppression_list },
    { ROW("suppress add", "", 0, 0, "Keep alerts back for a reason and a while; their events are stored.", suppression_options, NULL), call_change, &suppression_add },
    { PLAIN("suppress revoke", "ID", 1, 1, "End a suppression."), call_change, &suppression_revoke },
};
const struct ctl_commands alert_commands = { rows, N_ITEMS(rows) };
