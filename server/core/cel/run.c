/* run.c - starts evaluations, and says what came of them. */
#include "core/cel/internal.h"

static int outcome(const struct cel_run *run, uint64_t budget, struct err *err)
{
    if (run->no_memory)
        return err_nomem(err);
    if (run->budget < 0)
        return err_set(err, ERR_TOO_LARGE, "the expression costs more than its budget of %llu",
                       (unsigned long long)budget);
    return 0;
}

static int start(struct cel_run *run, const struct cel_program *p, struct err *err)
{
    run->locals = arena_array(run->arena, p->n_locals, sizeof *run->locals);
    return run->locals == NULL ? err_nomem(err) : 0;
}

int run_program(const struct cel_program *p, const struct cel_activation *act, struct arena *arena, uint64_t budget,
                struct cel_tracer *tracer, struct cel_value *result, struct err *err)
{
    struct cel_run run = {
        .arena = arena, .program = p, .act = act, .tracer = tracer,
        .budget = budget > INT64_MAX ? INT64_MAX : (int64_t)budget,
        .zones = p->zones, .regexes = p->regexes,
    };

    if (p->n_locals > 0 && start(&run, p, err) != 0)
        return -1;
    struct cel_value v = eval(&run, p->root);
    if (run.budget < 0 && outcome(&run, budget, err) != 0)
        return -1;
    *result = v;
    return 0;
}

int cel_eval(const struct cel_program *p, const struct cel_activation *act, struct arena *arena,
             uint64_t budget, struct cel_value *result, struct err *err)
{
    return run_program(p, act, arena, budget, NULL, result, err);
}

struct cel_value cel_eval_within(struct cel_run *run, const struct cel_program *p, const struct cel_activation *act)
{
    struct cel_run inner = *run;

    if (run->within >= MAX_WITHIN)
        return cel_fail(run, "programs are nested too deeply");
    inner.within++;
    inner.program = p;
    inner.act = act;
    inner.tracer = NULL;
    inner.zones = p->zones;
    inner.regexes = p->regexes;
    inner.n_regexes = 0;
    inner.locals = run_alloc(run, p->n_locals, sizeof *inner.locals);
    inner.budget = run->budget;
    struct cel_value v = inner.locals == NULL ? run_stopped(&inner) : eval(&inner, p->root);
    run->budget = inner.budget;
    run->no_memory |= inner.no_memory;
    return v;
}

struct cel_value cel_item(struct arena *arena, const struct cel_value *list, uint32_t i)
{
    struct cel_run run = { .arena = arena, .budget = (int64_t)CEL_BUDGET };

    return cel_at(&run, list, i);
}

static void position(const struct cel_program *p, uint32_t offset, struct buf *out)
{
    struct err where;

    cel_refuse(&where, p->text, p->len, offset, "%s", "");
    buf_puts(out, where.msg);
}

void cel_reason(const struct cel_program *p, const struct cel_value *v, struct buf *out)
{
    if (v->kind == CEL_ERROR) {
        position(p, v->n, out);
        buf_puts(out, v->s);
    } else if (v->kind == CEL_UNKNOWN) {
        for (uint32_t i = 0; i < v->missing->n; i++)
            buf_printf(out, "%s%s", i == 0 ? "missing: " : ", ", v->missing->names[i]);
    } else {
        cel_render(v, 160, out);
    }
}
