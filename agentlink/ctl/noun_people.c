/* noun_people.c - signer, token, user, exception, unsigned, audit, repository: rows. */
#include "ctl/call.h"
#include "ctl/nouns.h"

static const struct command_option limit_only[] = { LIMIT_OPTION };

/* ---- signer -------------------------------------------------------------------------- */
static const struct column signer_columns[] = {
    { "ID", "id", COLUMN_TEXT }, { "NAME", "name", COLUMN_TEXT }, { "STATE", "state", COLUMN_WORD },
    { "ALGORITHM", "algorithm", COLUMN_TEXT }, { "REPOSITORIES", "repositories", COLUMN_TEXTS },
    { "STATEMENTS", "statements", COLUMN_TEXTS }, { "UNTIL", "not_after", COLUMN_TIME }, { "ADDED", "created_at", COLUMN_TIME },
};
static const struct command_option signer_add_options[] = {
    { "public-key", "FILE", "PEM file with the public key (Ed25519 or ECDSA P-256).", false },
    { "repository", "PATTERN", "Repositories it may speak of; may be repeated. Absent: all.", true },
    { "statement", "KIND", "What it may state: vulnerability, sbom, vex, provenance, report; may be repeated. Absent: everything.", true },
    { "not-before", "TIME", "Signatures count from here (RFC 3339). Absent: now.", false },
    { "not-after", "TIME", "And up to here. Absent: no end.", false },
};
static const struct api_field signer_fields[] = {
    { NULL, "name", AS_TEXT, true }, { "public-key", "public_key", AS_FILE, true }, { "repository", "repositories", AS_TEXTS, false },
    { "statement", "statements", AS_TEXTS, false }, { "not-before", "not_before", AS_TEXT, false }, { "not-after", "not_after", AS_TEXT, false },
};
static const struct api_call signer_list = { .method = "GET", .target = "/v1/signers", .columns = signer_columns, .n_columns = N_ITEMS(signer_columns),
    .empty = "no signers: nothing that is uploaded counts as signed; keepctl signer add NAME --public-key FILE" };
static const struct api_call signer_show = { .method = "GET", .target = "/v1/signers/{}", .columns = signer_columns, .n_columns = N_ITEMS(signer_columns) };
static const struct api_call signer_add = { .method = "POST", .target = "/v1/signers", .columns = signer_columns, .n_columns = N_ITEMS(signer_columns),
    .fields = signer_fields, .n_fields = N_ITEMS(signer_fields), .next = "keepctl scan upload FILE --image REF@sha256:... --key KEY" };
static const struct api_call signer_revoke = { .method = "DELETE", .target = "/v1/signers/{}", .done = "signer %s is revoked" };

/* ---- token ----------------------------------------------------------------------------- */
static const struct column token_columns[] = {
    { "ID", "id", COLUMN_TEXT }, { "NAME", "name", COLUMN_TEXT }, { "ROLE", "role", COLUMN_TEXT }, { "STATE", "state", COLUMN_WORD },
    { "REPOSITORIES", "repositories", COLUMN_TEXTS }, { "EXPIRES", "expires_at", COLUMN_TIME }, { "LAST USED", "last_used_at", COLUMN_TIME },
    { "FROM", "last_used_from", COLUMN_TEXT },
};
static const struct column token_made_columns[] = {
    { "TOKEN", "token", COLUMN_TEXT }, { "ID", "id", COLUMN_TEXT }, { "NAME", "name", COLUMN_TEXT }, { "ROLE", "role", COLUMN_TEXT },
    { "REPOSITORIES", "repositories", COLUMN_TEXTS }, { "EXPIRES", "expires_at", COLUMN_TIME },
};
static const struct command_option token_options[] = {
    { "role", "ROLE", "viewer, analyst, policy, admin, ci, admission or agent.", false },
    { "repository", "PATTERN", "Only for these repositories; may be repeated. Absent: all.", true },
    { "expires-in", "DURATION", "How long it works, like 12h or 90d (90d).", false },
};
static const struct api_field token_fields[] = {
    { NULL, "name", AS_TEXT, true }, { "role", "role", AS_TEXT, true }, { "repository", "repositories", AS_TEXTS, false },
    { "expires-in", "expires_in", AS_TEXT, false },
};
static const struct api_call token_list = { .method = "GET", .target = "/v1/tokens", .columns = token_columns, .n_columns = N_ITEMS(token_columns) };
static const struct api_call token_show = { .method = "GET", .target = "/v1/tokens/{}", .columns = token_columns, .n_columns = N_ITEMS(token_columns) };
static const struct api_call token_create = { .method = "POST", .target = "/v1/tokens", .columns = token_made_columns, .n_columns = N_ITEMS(token_made_columns),
    .fields = token_fields, .n_fields = N_ITEMS(token_fields), .once = true, .done = "the token is shown only this once" };
static const struct api_call token_revoke = { .method = "DELETE", .target = "/v1/tokens/{}", .done = "token %s is revoked" };

/* ---- user ------------------------------------------------------------------------------- */
static const struct column user_columns[] = {
    { "ID", "id", COLUMN_TEXT }, { "NAME", "name", COLUMN_TEXT }, { "ROLE", "role", COLUMN_TEXT }, { "LAST LOGIN", "last_login_at", COLUMN_TIME },
    { "DISABLED", "disabled_at", COLUMN_TIME }, { "CREATED", "created_at", COLUMN_TIME },
};
static const struct column link_columns[] = { { "LINK", "link_path", COLUMN_TEXT }, { "EXPIRES", "expires_at", COLUMN_TIME } };
static const struct command_option user_new_options[] = { { "role", "ROLE", "viewer, analyst, policy or admin.", false } };
static const struct command_option user_options[] = {
    { "name", "NAME", "A new name.", false }, { "role", "ROLE", "A new role: viewer, analyst, policy or admin.", false },
    { "enable", NULL, "Let a disabled user in again.", false },
};
static const struct api_field user_new_fields[] = { { NULL, "name", AS_TEXT, true }, { "role", "role", AS_TEXT, true } };
static const struct api_field user_fields[] = { { "name", "name", AS_TEXT, false }, { "role", "role", AS_TEXT, false }, { "enable", "enabled", AS_TRUE, false } };
static const struct api_call user_list = { .method = "GET", .target = "/v1/users", .columns = user_columns, .n_columns = N_ITEMS(user_columns) };
static const struct api_call user_create = { .method = "POST", .target = "/v1/users", .columns = user_columns, .n_columns = N_ITEMS(user_columns),
    .fields = user_new_fields, .n_fields = N_ITEMS(user_new_fields), .next = "keepctl user link ID" };
static const struct api_call user_change = { .method = "PUT", .target = "/v1/users/{}", .columns = user_columns, .n_columns = N_ITEMS(user_columns),
    .fields = user_fields, .n_fields = N_ITEMS(user_fields) };
static const struct api_call user_disable = { .method = "DELETE", .target = "/v1/users/{}", .done = "user %s is disabled, all sessions have ended" };
static const struct api_call user_link = { .method = "POST", .target = "/v1/users/{}/login-link", .columns = link_columns, .n_columns = N_ITEMS(link_columns),
    .once = true, .done = "open it in a browser behind the server's address; it works once" };

/* ---- exception --------------------------------------------------------------------------- */
static const struct column exception_columns[] = {
    { "ID", "id", COLUMN_TEXT }, { "STATE", "state", COLUMN_WORD }, { "FOR", "vulnerability|rule", COLUMN_TEXT }, { "REPOSITORY", "repository", COLUMN_TEXT },
    { "DIGEST", "digest", COLUMN_DIGEST }, { "PACKAGE", "package", COLUMN_TEXT }, { "NAMESPACE", "namespace", COLUMN_TEXT },
    { "EXPIRES", "expires_at", COLUMN_TIME }, { "OWNER", "owner", COLUMN_TEXT }, { "REASON", "reason", COLUMN_TEXT },
};
static const struct column exception_detail[] = {
    { "ID", "id", COLUMN_TEXT }, { "STATE", "state", COLUMN_WORD }, { "FOR", "vulnerability|rule", COLUMN_TEXT }, { "REPOSITORY", "repository", COLUMN_TEXT },
    { "DIGEST", "digest", COLUMN_DIGEST }, { "PACKAGE", "package", COLUMN_TEXT }, { "NAMESPACE", "namespace", COLUMN_TEXT },
    { "EXPIRES", "expires_at", COLUMN_TIME }, { "OWNER", "owner", COLUMN_TEXT }, { "REASON", "reason", COLUMN_TEXT }, { "SOURCE", "source", COLUMN_TEXT },
    { "VEX STATUS", "vex_status", COLUMN_TEXT }, { "JUSTIFICATION", "justification", COLUMN_TEXT }, { "CREATED", "created_at", COLUMN_TIME },
    { "BY", "created_by", COLUMN_TEXT }, { "REVOKED", "revoked_at", COLUMN_TIME }, { "APPLIES TO", "applies_to", COLUMN_NUMBER },
};
static const struct command_option exception_list_options[] = {
    { "state", "STATE", "active, expired or revoked.", false }, { "expiring-within", "DURATION", "Active ones that end within, like 7d.", false },
    { "vulnerability", "ID", "Only for this vulnerability.", false }, { "rule", "POLICY/RULE", "Only for this rule.", false },
    { "owner", "NAME", "Only of this owner.", false }, LIMIT_OPTION,
};
static const struct command_option exception_options[] = {
    { "vulnerability", "ID", "The vulnerability that is accepted; this or --rule.", false },
    { "rule", "POLICY/RULE", "The rule that is not to count; this or --vulnerability.", false },
    { "repository", "PATTERN", "Only in these repositories.", false }, { "digest", "DIGEST", "Only for this image.", false },
    { "package", "NAME", "Only in this package: name, name@version or purl.", false },
    { "namespace", "NAME", "Only where it runs in this namespace.", false },
    { "reason", "TEXT", "Why, in at least 10 characters.", false }, { "owner", "NAME", "Who answers for it.", false },
    { "expires-in", "DURATION", "How long it holds, like 30d; this or --expires-at.", false },
    { "expires-at", "TIME", "When it ends (RFC 3339).", false },
};
static const struct api_field exception_fields[] = {
    { "vulnerability", "vulnerability", AS_TEXT, false }, { "rule", "rule", AS_TEXT, false }, { "repository", "repository", AS_TEXT, false },
    { "digest", "digest", AS_TEXT, false }, { "package", "package", AS_TEXT, false }, { "namespace", "namespace", AS_TEXT, false },
    { "reason", "reason", AS_TEXT, true }, { "owner", "owner", AS_TEXT, true }, { "expires-in", "expires_in", AS_TEXT, false },
    { "expires-at", "expires_at", AS_TEXT, false },
};
static const struct api_call exception_list = { .method = "GET", .target = "/v1/exceptions", .columns = exception_columns, .n_columns = N_ITEMS(exception_columns) };
static const struct api_call exception_show = { .method = "GET", .target = "/v1/exceptions/{}", .columns = exception_detail, .n_columns = N_ITEMS(exception_detail) };
static const struct api_call exception_create = { .method = "POST", .target = "/v1/exceptions", .columns = exception_detail, .n_columns = N_ITEMS(exception_detail),
    .fields = exception_fields, .n_fields = N_ITEMS(exception_fields) };
static const struct api_call exception_revoke = { .method = "DELETE", .target = "/v1/exceptions/{}", .done = "exception %s is taken back; verdicts follow" };

/* ---- unsigned evidence ------------------------------------------------------------------- */
static const struct column allowance_columns[] = {
    { "PATTERN", "pattern", COLUMN_TEXT }, { "STATE", "state", COLUMN_WORD }, { "EXPIRES", "expires_at", COLUMN_TIME }, { "BY", "created_by", COLUMN_TEXT },
    { "REASON", "reason", COLUMN_TEXT },
};
static const struct command_option allowance_options[] = {
    { "reason", "TEXT", "Why, in at least 10 characters.", false }, { "expires-in", "DURATION", "How long, like 30d; this or --expires-at.", false },
    { "expires-at", "TIME", "Until when (RFC 3339).", false },
};
static const struct api_field allowance_fields[] = {
    { NULL, "pattern", AS_TEXT, true }, { "reason", "reason", AS_TEXT, true }, { "expires-in", "expires_in", AS_TEXT, false }, { "expires-at", "expires_at", AS_TEXT, false },
};
static const struct api_call allowance_list = { .method = "GET", .target = "/v1/unsigned-allowances", .columns = allowance_columns, .n_columns = N_ITEMS(allowance_columns),
    .empty = "unsigned evidence is taken nowhere" };
static const struct api_call allowance_add = { .method = "POST", .target = "/v1/unsigned-allowances", .columns = allowance_columns, .n_columns = N_ITEMS(allowance_columns),
    .fields = allowance_fields, .n_fields = N_ITEMS(allowance_fields) };
static const struct api_call allowance_end = { .method = "DELETE", .target = "/v1/unsigned-allowances/-", .arg_key = "pattern", .done = "unsigned evidence is no longer taken for %s" };

/* ---- audit -------------------------------------------------------------------------------- */
static const struct column audit_columns[] = {
    { "SEQ", "seq", COLUMN_NUMBER }, { "AT", "at", COLUMN_TIME }, { "WHO", "actor_name", COLUMN_TEXT }, { "ROLE", "role", COLUMN_TEXT },
    { "ACTION", "action", COLUMN_TEXT }, { "KIND", "object_kind", COLUMN_TEXT }, { "OBJECT", "object_id", COLUMN_TEXT }, { "FROM", "from", COLUMN_TEXT },
};
static const struct command_option audit_options[] = {
    { "actor", "ID", "Only what this user or token did.", false }, { "kind", "KIND", "Only about this kind of thing.", false },
    { "object", "ID", "Only about this one; needs --kind.", false }, { "action", "ACTION", "Only this action.", false },
    { "before", "SEQ", "Only records older than this one.", false }, LIMIT_OPTION,
};
static const struct api_call audit_list = { .method = "GET", .target = "/v1/audit", .columns = audit_columns, .n_columns = N_ITEMS(audit_columns) };

/* ---- repository ----------------------------------------------------------------------------- */
static const struct column repository_columns[] = {
    { "REPOSITORY", "name", COLUMN_TEXT }, { "TEAM", "team", COLUMN_TEXT }, { "IMAGES", "images", COLUMN_NUMBER }, { "FAILING", "failing", COLUMN_NUMBER },
};
static const struct command_option repository_list_options[] = { { "q", "TEXT", "Beginning of the name.", false }, LIMIT_OPTION };
static const struct command_option repository_options[] = { { "team", "NAME", "Who owns it.", false } };
static const struct api_field repository_fields[] = { { NULL, "name", AS_TEXT, true }, { "team", "team", AS_TEXT, true } };
static const struct api_call repository_list = { .method = "GET", .target = "/v1/repositories", .columns = repository_columns, .n_columns = N_ITEMS(repository_columns) };
static const struct api_call repository_set = { .method = "POST", .target = "/v1/repositories", .columns = repository_columns, .n_columns = N_ITEMS(repository_columns),
    .fields = repository_fields, .n_fields = N_ITEMS(repository_fields) };


static const struct ctl_command rows[] = {
    { ROW("signer list", "", 0, 0, "List the keys whose statements count.", limit_only, NULL), call_list, &signer_list },
    { PLAIN("signer show", "ID", 1, 1, "Show a signer."), call_show, &signer_show },
    { ROW("signer add", "NAME", 1, 1, "Register a public key whose statements count.", signer_add_options, NULL), call_change, &signer_add },
    { PLAIN("signer revoke", "ID", 1, 1, "Revoke a signer; what it signed no longer counts as signed."), call_change, &signer_revoke },
    { ROW("token list", "", 0, 0, "List API tokens.", limit_only, NULL), call_list, &token_list },
    { PLAIN("token show", "ID", 1, 1, "Show an API token, without its secret."), call_show, &token_show },
    { ROW("token create", "NAME", 1, 1, "Make an API token; it is shown once.", token_options, NULL), call_change, &token_create },
    { PLAIN("token revoke", "ID", 1, 1, "Revoke an API token at once."), call_change, &token_revoke },
    { ROW("user list", "", 0, 0, "List users.", limit_only, NULL), call_list, &user_list },
    { ROW("user create", "NAME", 1, 1, "Make a user.", user_new_options, NULL), call_change, &user_create },
    { ROW("user change", "ID", 1, 1, "Change a user's name or role, or let a disabled one in again.", user_options, NULL), call_change, &user_change },
    { PLAIN("user disable", "ID", 1, 1, "Disable a user and end all sessions at once."), call_change, &user_disable },
    { PLAIN("user link", "ID", 1, 1, "Make a one-time login link."), call_change, &user_link },
    { ROW("exception list", "", 0, 0, "List accepted risks.", exception_list_options, NULL), call_list, &exception_list },
    { PLAIN("exception show", "ID", 1, 1, "Show an exception and how many images are in its scope."), call_show, &exception_show },
    { ROW("exception create", "", 0, 0, "Accept a risk, for a reason and a while.", exception_options, NULL), call_change, &exception_create },
    { PLAIN("exception revoke", "ID", 1, 1, "Take an exception back."), call_change, &exception_revoke },
    { ROW("unsigned list", "", 0, 0, "List where evidence may come unsigned.", limit_only, NULL), call_list, &allowance_list },
    { ROW("unsigned allow", "PATTERN", 1, 1, "Let evidence come unsigned for repositories, for a while.", allowance_options, NULL), call_change, &allowance_add },
    { PLAIN("unsigned end", "PATTERN", 1, 1, "Take unsigned evidence no longer."), call_change, &allowance_end },
    { ROW("repository list", "", 0, 0, "List repositories and their teams.", repository_list_options, NULL), call_list, &repository_list },
    { ROW("repository set", "NAME", 1, 1, "Name the team of a repository.", repository_options, NULL), call_change, &repository_set },
    { ROW("audit list", "", 0, 0, "List who did what, newest first.", audit_options, NULL), call_list, &audit_list },
    { PLAIN("audit record", "SEQ", 1, 1, "Print the exact bytes of an audit record."), audit_record, NULL },
};
const struct ctl_commands people_commands = { rows, N_ITEMS(rows) };

/* The bytes are what the leaf hash is made of: printed as they are. */
int audit_record(struct ctl *c)
{
    struct client_request r = { .method = "GET", .target = arena_printf(&c->arena, "/v1/audit/%.20s/record", ctl_arg(c, 0)) };
    struct client_answer answer = { 0 };
    int64_t seq;

    if (!str_to_i64(ctl_arg(c, 0), 1, INT64_MAX, &seq) || r.target == NULL)
        return ctl_wrong(c, "keepctl audit list", "expected the number of a record, got '%s'", ctl_arg(c, 0));
    int rc = ctl_send(c, &r, NULL, &answer);
    if (rc == 0 && fwrite(answer.body.ptr, 1, answer.body.len, stdout) != answer.body.len)
        return CODE_LOCAL;
    return rc;
}
