/* policy_facts.c - see policy_facts.h. */
#include "service/policy_facts.h"
#include "core/policy.h"

#include <string.h>

int policy_facts(struct policy_doc *p, struct arena *arena, struct complaints *complaints, struct err *err)
{
    struct policy *compiled;

    if (policy_compile(p->document, strlen(p->document), arena, complaints, &compiled, err) != 0)
        return -1;
    const struct policy_info *info = policy_info(compiled);
    if (!str_eq(info->name, p->name))
        return err_set(err, ERR_INVALID, "$.metadata.name: is %s, but the policy is %s", info->name, p->name);
    p->title = info->title;
    p->mode = policy_mode_words[info->mode];
    p->stages = info->stage_list;
    p->n_stages = info->n_stage_list;
    p->rules = (int64_t)info->n_rules;
    p->kind = policy_kind_words[info->kind];
    p->note = info->note;
    return 0;
}
