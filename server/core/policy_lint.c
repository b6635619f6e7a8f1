/* policy_lint.c - what is doubtful about a policy that compiles, see policy_test.h. */
#include "core/policy_internal.h"
#include "core/policy_test.h"

enum { NOTES_MAX = 100 };

struct linting {
    struct arena *arena;
    const struct policy *p;
    const char **notes;
    size_t n;
    bool failed;
};

static void note(struct linting *l, const char *text)
{
    if (text == NULL)
        l->failed = true;
    else if (l->n < NOTES_MAX)
        l->notes[l->n++] = text;
}

static bool is_used(const struct rule_set *set, uint32_t var)
{
    bool used = false;

    for (size_t i = 0; i < set->n_validations; i++) {
        const struct validation *v = &set->validations[i];
        const struct cel_program *programs[] = { v->each, v->expression, v->message_expression };
        for (size_t k = 0; k < N_ITEMS(programs); k++)
            used |= programs[k] != NULL && cel_program_uses(programs[k], var);
    }
    for (size_t i = 0; i < set->n_variables; i++)
        used |= cel_program_uses(set->variables[i], var);
    for (size_t i = 0; i < set->n_annotations; i++)
        used |= cel_program_uses(set->annotations[i].program, var);
    return used;
}

static void lint_set(struct linting *l, const struct rule_set *set)
{
    for (uint32_t i = 0; i < set->n_variables; i++) {
        if (!is_used(set, VAR_FIXED_N + i))
            note(l, arena_printf(l->arena, "%s is never used", set->variable_names[i]));
    }
    for (size_t i = 0; i < set->n_validations; i++) {
        const struct validation *v = &set->validations[i];
        if (v->message == NULL && v->message_expression == NULL)
            note(l, arena_printf(l->arena, "%s has no message: people will see its expression", v->name));
        if (l->p->info.kind == POLICY_KEEP && v->remediation == NULL)
            note(l, arena_printf(l->arena, "%s has no remediation: people will not know what to do", v->name));
        if (l->p->info.stages == STAGE_BUILD && (v->uses & USES_POD) != 0)
            note(l, arena_printf(l->arena, "%s speaks of a pod, which stage build does not have", v->name));
        if ((l->p->info.stages & STAGE_RUN) == 0 && (v->uses & (USES_EVENT | USES_CONTAINER)) != 0)
            note(l, arena_printf(l->arena, "%s speaks of what runs, which only stage run has", v->name));
    }
}

int policy_lint(const void *text, size_t len, struct arena *arena, struct policy_lint *out, struct err *err)
{
    struct linting l = { .arena = arena, .notes = arena_array(arena, NOTES_MAX, sizeof *l.notes) };
    struct policy *p;

    if (l.notes == NULL)
        return err_nomem(err);
    struct policy_lint found = { .complaints = { .arena = arena }, .notes = l.notes };
    if (policy_compile(text, len, arena, &found.complaints, &p, err) != 0) {
        if (err->kind == ERR_UNAVAILABLE)
            return -1;
        if (found.complaints.n == 0)                         /* not even YAML */
            complain(&found.complaints, 0, "$", "%s", err->msg);
        *out = found;
        return 0;
    }
    l.p = p;
    found.info = policy_info(p);
    if (p->info.note != NULL)
        note(&l, p->info.note);
    if (p->info.kind == POLICY_KEEP && p->info.description == NULL)
        note(&l, "no description: why does the policy exist?");
    lint_set(&l, &p->sets[0]);                               /* generated ones are the same again */
    if (l.failed)
        return err_nomem(err);
    found.n_notes = l.n;
    *out = found;
    return 0;
}
