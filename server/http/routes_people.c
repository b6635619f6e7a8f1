/* routes_people.c - see routes_people.h. */
#include "http/routes_people.h"
#include "service/impact.h"
#include "service/manage.h"
#include "wire/msg/allowance.h"
#include "wire/msg/api_token.h"
#include "wire/msg/audit.h"
#include "wire/msg/exception.h"
#include "wire/msg/impact.h"
#include "wire/msg/policy_doc.h"
#include "wire/msg/session.h"
#include "wire/msg/signer.h"
#include "wire/msg/user.h"

#define KB(n) ((size_t)(n) * 1024)
#define ACCEPT (ROLE_ANALYST | ROLE_POLICY | ROLE_ADMIN)     /* may accept a risk */
#define RULE   (ROLE_POLICY | ROLE_ADMIN)                    /* may change the rules */

const struct route routes_people[] = {
    /* ---- sessions ---- */
    { "POST", "/v1/login", WHO_ANYONE, CLASS_WRITE, BODY_JSON, KB(4), NULL, &login_shape, &session_info_shape,
      NULL, login, "Log in with a one-time link.", NULL, ROUTE_NO_CSRF },
    { "GET", "/v1/session", ROLE_ALL, CLASS_READ, BODY_NONE, 0, NULL, NULL, &session_info_shape,
      NULL, session_show, "Say who is asking.", NULL, 0 },
    { "DELETE", "/v1/session", WHO_PEOPLE, CLASS_WRITE, BODY_NONE, 0, NULL, NULL, NULL,
      NULL, logout, "Log out.", NULL, 0 },

    /* ---- users ---- */
    { "GET", "/v1/users", ROLE_ADMIN, CLASS_READ, BODY_NONE, 0, &page_query_shape, NULL, &user_list_shape,
      NULL, user_page, "List users.", NULL, 0 },
    { "POST", "/v1/users", ROLE_ADMIN, CLASS_WRITE, BODY_JSON, KB(16), NULL, &user_new_shape, &user_shape,
      NULL, user_create, "Make a user.", NULL, ROUTE_IDEMPOTENT },
    { "GET", "/v1/users/{id}", ROLE_ADMIN, CLASS_READ, BODY_NONE, 0, NULL, NULL, &user_shape,
      NULL, user_show, "Show a user.", NULL, 0 },
    { "PUT", "/v1/users/{id}", ROLE_ADMIN, CLASS_WRITE, BODY_JSON, KB(16), NULL, &user_change_shape, &user_shape,
      NULL, user_change, "Change a user's name or role, or let a disabled one in again.", NULL, 0 },
    { "DELETE", "/v1/users/{id}", ROLE_ADMIN, CLASS_WRITE, BODY_NONE, 0, NULL, NULL, NULL,
      NULL, user_disable, "Disable a user and end all sessions at once.", NULL, 0 },
    /* The answer holds a secret: it is not kept for a repeated Idempotency-Key. */
    { "POST", "/v1/users/{id}/login-link", ROLE_ADMIN, CLASS_WRITE, BODY_NONE, 0, NULL, NULL, &login_link_made_shape,
      NULL, user_login_link, "Make a one-time login link.", NULL, 0 },

    /* ---- tokens ---- */
    { "GET", "/v1/tokens", ROLE_ADMIN, CLASS_READ, BODY_NONE, 0, &page_query_shape, NULL, &api_token_list_shape,
      NULL, token_page, "List API tokens.", NULL, 0 },
    { "POST", "/v1/tokens", ROLE_ADMIN, CLASS_WRITE, BODY_JSON, KB(64), NULL, &api_token_new_shape, &api_token_made_shape,
      NULL, token_create, "Make an API token; the answer alone shows it.", NULL, 0 },
    { "GET", "/v1/tokens/{id}", ROLE_ADMIN, CLASS_READ, BODY_NONE, 0, NULL, NULL, &api_token_shape,
      NULL, token_show, "Show an API token, without its secret.", NULL, 0 },
    { "DELETE", "/v1/tokens/{id}", ROLE_ADMIN, CLASS_WRITE, BODY_NONE, 0, NULL, NULL, NULL,
      NULL, token_revoke, "Revoke an API token at once.", NULL, 0 },

    /* ---- signers ---- */
    { "GET", "/v1/signers", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, &page_query_shape, NULL, &signer_list_shape,
      NULL, signer_page, "List signers.", NULL, 0 },
    { "POST", "/v1/signers", ROLE_ADMIN, CLASS_WRITE, BODY_JSON, KB(64), NULL, &signer_new_shape, &signer_shape,
      NULL, signer_create, "Register a public key whose statements count.", NULL, ROUTE_IDEMPOTENT },
    { "GET", "/v1/signers/{id}", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, NULL, NULL, &signer_shape,
      NULL, signer_show, "Show a signer.", NULL, 0 },
    { "DELETE", "/v1/signers/{id}", ROLE_ADMIN, CLASS_WRITE, BODY_NONE, 0, NULL, NULL, NULL,
      NULL, signer_end, "Revoke a signer.", NULL, 0 },

    /* ---- unsigned evidence ---- */
    { "GET", "/v1/unsigned-allowances", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, &page_query_shape, NULL,
      &allowance_list_shape, NULL, allowance_page, "List where evidence may come unsigned.", NULL, 0 },
    { "POST", "/v1/unsigned-allowances", ROLE_ADMIN, CLASS_WRITE, BODY_JSON, KB(16), NULL, &allowance_new_shape,
      &allowance_shape, NULL, allowance_create, "Allow unsigned evidence for a while.", NULL, ROUTE_IDEMPOTENT },
    { "DELETE", "/v1/unsigned-allowances/{pattern}", ROLE_ADMIN, CLASS_WRITE, BODY_NONE, 0, &allowance_which_shape, NULL, NULL,
      NULL, allowance_end, "End an allowance.", NULL, 0 },

    /* ---- exceptions ---- */
    { "GET", "/v1/exceptions", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, &exception_query_shape, NULL,
      &exception_list_shape, NULL, exception_page, "List exceptions, newest first.", NULL, 0 },
    { "POST", "/v1/exceptions", ACCEPT, CLASS_WRITE, BODY_JSON, KB(16), NULL, &exception_new_shape, &exception_shape,
      NULL, exception_create, "Accept a risk for a reason and a while.", NULL, ROUTE_IDEMPOTENT },
    { "GET", "/v1/exceptions/{id}", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, NULL, NULL, &exception_detail_shape,
      NULL, exception_show, "Show an exception and how many images are in its scope.", NULL, 0 },
    { "DELETE", "/v1/exceptions/{id}", ACCEPT, CLASS_WRITE, BODY_NONE, 0, NULL, NULL, NULL,
      NULL, exception_end, "Take an exception back.", NULL, 0 },
    { "POST", "/v1/vex", ACCEPT, CLASS_WRITE, BODY_RAW, KB(8 * 1024), &vex_in_query_shape, NULL, &vex_taken_shape,
      vex_prepare, vex_take, "Make exceptions of a VEX document.", NULL, ROUTE_IDEMPOTENT },
    { "GET", "/v1/vex", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, &vex_out_query_shape, NULL, NULL,
      NULL, vex_show, "Active exceptions as an OpenVEX document.", NULL, 0 },

    /* ---- policies ---- */
    { "GET", "/v1/policies", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, &page_query_shape, NULL, &policy_doc_list_shape,
      NULL, policy_page, "List policies.", NULL, 0 },
    { "GET", "/v1/policies/{name}", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, NULL, NULL, &policy_doc_shape,
      NULL, policy_show, "Show a policy with its document.", NULL, 0 },
    { "PUT", "/v1/policies/{name}", RULE, CLASS_WRITE, BODY_RAW, POLICY_DOCUMENT_MAX, NULL, NULL, &policy_doc_shape,
      policy_prepare, policy_write, "Write a policy's next version.", NULL, 0 },
    { "DELETE", "/v1/policies/{name}", RULE, CLASS_WRITE, BODY_NONE, 0, NULL, NULL, NULL,
      NULL, policy_remove, "Delete a policy; its versions stay.", NULL, 0 },
    { "POST", "/v1/policies/{name}/enable", RULE, CLASS_WRITE, BODY_NONE, 0, NULL, NULL, &policy_doc_shape,
      NULL, policy_enable, "Let a policy take part in verdicts.", NULL, 0 },
    { "POST", "/v1/policies/{name}/disable", RULE, CLASS_WRITE, BODY_NONE, 0, NULL, NULL, &policy_doc_shape,
      NULL, policy_disable, "Leave a policy out of verdicts.", NULL, 0 },
    { "POST", "/v1/policies/{name}/impact", ACCEPT, CLASS_READ, BODY_RAW, POLICY_DOCUMENT_MAX, NULL, NULL, &impact_shape,
      NULL, policy_impact, "Say what a changed policy would change, before it does.", NULL, 0 },
    { "GET", "/v1/policies/{name}/versions", WHO_PEOPLE, CLASS_READ, BODY_NONE, 0, &page_query_shape, NULL,
      &policy_version_list_shape, NULL, policy_history, "List a policy's versions, newest first.", NULL, 0 },

    /* ---- the audit log ---- */
    { "GET", "/v1/audit", ACCEPT, CLASS_READ, BODY_NONE, 0, &audit_query_shape, NULL, &audit_list_shape,
      NULL, audit_page, "List who did what, newest first.", NULL, 0 },
    { "GET", "/v1/audit/{seq}/record", ACCEPT, CLASS_READ, BODY_NONE, 0, NULL, NULL, NULL,
      NULL, audit_show_record, "The exact bytes of a record, which its leaf hash is made of.", NULL, 0 },
};
const size_t n_routes_people = N_ITEMS(routes_people);
