/* policy_asks.c - see policy_asks.h. */
#include "core/policy_asks.h"

#include "core/policy_internal.h"

static unsigned asks(const struct cel_program *program)
{
    static const struct { uint32_t var; unsigned bit; } rows[] = {
        { VAR_IMAGE, POLICY_ASKS_IMAGES }, { VAR_IMAGES, POLICY_ASKS_IMAGES }, { VAR_OBJECT, POLICY_ASKS_OBJECT },
        { VAR_OLD_OBJECT, POLICY_ASKS_OBJECT }, { VAR_REQUEST, POLICY_ASKS_OBJECT }, { VAR_NAMESPACE_OBJECT, POLICY_ASKS_OBJECT },
        { VAR_POD, POLICY_ASKS_OBJECT }, { VAR_CONTAINERS, POLICY_ASKS_OBJECT },
        { VAR_EVENT, POLICY_ASKS_EVENT },
    };
    unsigned set = 0;

    for (size_t i = 0; program != NULL && i < N_ITEMS(rows); i++)
        set |= cel_program_uses(program, rows[i].var) ? rows[i].bit : 0;
    return set;
}

static unsigned set_asks(const struct rule_set *s)
{
    unsigned set = s->match != NULL ? POLICY_ASKS_OBJECT : 0;

    for (size_t i = 0; i < s->n_conditions; i++)
        set |= asks(s->conditions[i].program);
    for (size_t i = 0; i < s->n_variables; i++)
        set |= asks(s->variables[i]);
    for (size_t i = 0; i < s->n_validations; i++) {
        const struct validation *v = &s->validations[i];
        set |= asks(v->each) | asks(v->expression) | asks(v->message_expression);
    }
    return set;
}

/* The other kinds are matched by the request, whatever they ask. */
unsigned policy_asks(const struct policy *p)
{
    unsigned set = p->info.kind != POLICY_KEEP ? POLICY_ASKS_OBJECT : 0;

    for (size_t i = 0; i < p->n_sets; i++)
        set |= set_asks(&p->sets[i]);
    return set;
}
