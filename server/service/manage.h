/* manage.h - the handlers of everything people manage.
 *
 * Each is a call_fn (call.h); who may call it is said in the route table alone.
 * Every write appends its audit record in the same transaction. */
#ifndef KEEP_SERVICE_MANAGE_H
#define KEEP_SERVICE_MANAGE_H

#include "service/app.h"
#include "service/call.h"

/* manage_session.c */
call_fn login, session_show, logout;

/* manage_user.c */
call_fn user_page, user_show, user_create, user_change, user_disable, user_login_link;

/* manage_token.c */
call_fn token_page, token_show, token_create, token_revoke;

/* manage_signer.c */
call_fn signer_page, signer_show, signer_create, signer_end;

/* manage_allowance.c */
call_fn allowance_page, allowance_create, allowance_end;

/* manage_exception.c */
call_fn exception_page, exception_show, exception_create, exception_end;

/* manage_vex.c */
call_fn vex_prepare, vex_take, vex_show;          /* prepare, then take */

/* manage_policy.c */
call_fn policy_prepare, policy_write;              /* prepare, then write */
call_fn policy_page, policy_show, policy_remove, policy_enable, policy_disable, policy_history;

/* manage_audit.c */
call_fn audit_page, audit_show_record;

#endif
