/* policy_asks.c - see policy_asks.h. */
#include "core/policy_asks.h"

#include "core/policy_internal.h"

static unsigned asks(const struct cel_program *program)
{
    static const struct { uint32_t var; unsigned bit; } rows[] = {
        { VAR_IMAGE, POLICY_ASKS_IMAGES }, { VAR_IMAGES, POLICY_ASKS_IMAGES }, { VAR_OBJECT, POLICY_ASKS_OBJECT },
        { VAR_OLD_OBJECT, POLICY_ASKS_OBJECT }, { VAR_REQUEST, POLICY_ASKS_OBJECT }, { VAR_NAMESPACE_OBJECT, POLICY_ASKS_OBJECT },
    };
    unsigned set = 0;

    for (size_t i = 0; program != NULL && i < N_ITEMS(rows); i++)
        set |= cel_program_uses(program, rows[i].var) ? rows[i].bit : 0;
    return set;
}

unsigned policy_asks(const struct policy *p)
{
    unsigned set = 0;

    for (size_t i = 0; i < p->n_variables; i++)
        set |= asks(p->variables[i]);
    for (size_t i = 0; i < p->n_validations; i++) {
        const struct validation *v = &p->validations[i];
        set |= asks(v->each) | asks(v->expression) | asks(v->message_expression);
    }
    return set;
}
