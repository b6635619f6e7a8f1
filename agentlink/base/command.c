/* command.c - see command.h; what is printed is in command_print.c. */
#include "base/command.h"

#include "base/str.h"

#include <string.h>

static const struct command_option *find_option(const struct command_line *cl, const char *name, size_t len)
{
    const struct { const struct command_option *rows; size_t n; } sets[] = {
        { cl->command->options, cl->command->n_options }, { cl->program->common, cl->program->n_common },
    };

    for (size_t s = 0; s < N_ITEMS(sets); s++) {
        for (size_t i = 0; i < sets[s].n; i++) {
            if (strncmp(sets[s].rows[i].name, name, len) == 0 && sets[s].rows[i].name[len] == '\0')
                return &sets[s].rows[i];
        }
    }
    return NULL;
}

static const char *nearest_option(const struct command_line *cl, const char *name)
{
    const char *best = NULL;
    size_t distance = 4;

    for (size_t i = 0; i < cl->command->n_options + cl->program->n_common; i++) {
        const char *known = i < cl->command->n_options ? cl->command->options[i].name
                                                       : cl->program->common[i - cl->command->n_options].name;
        size_t d = str_distance(name, known, 3);
        if (d < distance) {
            distance = d;
            best = known;
        }
    }
    return best;
}

static int wrong(const struct command_line *cl, const char *what, const char *which, const char *hint)
{
    fprintf(stderr, "%s %s: %s%s%s", cl->program->name, cl->command->name, what, which != NULL ? " " : "", which != NULL ? which : "");
    if (hint != NULL)
        fprintf(stderr, "; did you mean --%s?", hint);
    fprintf(stderr, "\ntry: %s %s --help\n", cl->program->name, cl->command->name);
    return 1;
}

static int take_option(struct command_line *cl, char **argv, int argc, int *i)
{
    const char *text = argv[*i] + 2, *equals = strchr(text, '=');
    size_t len = equals != NULL ? (size_t)(equals - text) : strlen(text);
    const struct command_option *o = find_option(cl, text, len);

    if (o == NULL)
        return wrong(cl, "unknown option", argv[*i], nearest_option(cl, text));
    if (cl->n_values == COMMAND_VALUES_MAX)
        return wrong(cl, "too many options", NULL, NULL);
    if (o->value == NULL && equals != NULL)
        return wrong(cl, "takes no value:", argv[*i], NULL);
    const char *value = "";
    if (o->value != NULL && equals != NULL)
        value = equals + 1;
    else if (o->value != NULL && *i + 1 < argc)
        value = argv[++*i];
    else if (o->value != NULL)
        return wrong(cl, "needs a value:", argv[*i], NULL);
    cl->values[cl->n_values].name = o->name;
    cl->values[cl->n_values++].value = value;
    return 0;
}

/* Short forms that everybody types. */
static const char *long_form(const char *arg)
{
    static const struct { const char *from, *to; } forms[] = { { "-o", "--output" }, { "-f", "--file" }, { "-q", "--quiet" }, { "-v", "--verbose" } };

    for (size_t i = 0; i < N_ITEMS(forms); i++) {
        if (str_eq(arg, forms[i].from))
            return forms[i].to;
    }
    return arg;
}

static int parse(struct command_line *cl, int argc, char **argv)
{
    bool options = true;

    for (int i = 0; i < argc; i++) {
        char *arg = argv[i];
        char buffer[32];
        if (options && str_eq(arg, "--")) {
            options = false;
            continue;
        }
        const char *full = options ? long_form(arg) : arg;
        if (full != arg) {
            snprintf(buffer, sizeof buffer, "%s", full);
            argv[i] = buffer;
        }
        if (options && str_starts(argv[i], "--") && argv[i][2] != '\0') {
            int at = i, rc = take_option(cl, argv, argc, &i);
            argv[at] = arg;
            if (rc != 0)
                return rc;
            continue;
        }
        argv[i] = arg;
        if (options && arg[0] == '-' && arg[1] != '\0')
            return wrong(cl, "unknown option", arg, NULL);
        if (cl->n_args == COMMAND_ARGS_MAX)
            return wrong(cl, "too many arguments", NULL, NULL);
        cl->args[cl->n_args++] = arg;
    }
    if (cl->n_args < cl->command->min_args)
        return wrong(cl, "expected", cl->command->args, NULL);
    if (cl->n_args > cl->command->max_args)
        return wrong(cl, "unexpected argument", cl->args[cl->command->max_args], NULL);
    return 0;
}

const char *command_get(const struct command_line *cl, const char *name)
{
    for (size_t i = cl->n_values; i-- > 0;) {
        if (str_eq(cl->values[i].name, name))
            return cl->values[i].value;
    }
    return NULL;
}

const char *command_get_nth(const struct command_line *cl, const char *name, size_t nth)
{
    for (size_t i = 0; i < cl->n_values; i++) {
        if (str_eq(cl->values[i].name, name) && nth-- == 0)
            return cl->values[i].value;
    }
    return NULL;
}

/* The row named by the first one or two words; *used says how many. */
static const struct command *find_command(const struct program *p, int argc, char **argv, int *used)
{
    for (size_t i = 0; i < p->n_commands; i++) {
        const char *name = p->commands[i].name, *space = strchr(name, ' ');
        size_t first = space != NULL ? (size_t)(space - name) : strlen(name);
        if (argc < 1 || strncmp(argv[0], name, first) != 0 || argv[0][first] != '\0')
            continue;
        if (space != NULL && (argc < 2 || !str_eq(argv[1], space + 1)))
            continue;
        *used = space != NULL ? 2 : 1;
        return &p->commands[i];
    }
    return NULL;
}

static const char *nearest_command(const struct program *p, const char *typed)
{
    const char *best = NULL;
    size_t distance = 4;

    for (size_t i = 0; i < p->n_commands; i++) {
        size_t d = str_distance(typed, p->commands[i].name, 3);
        if (d < distance) {
            distance = d;
            best = p->commands[i].name;
        }
    }
    return best;
}

/* "signer" alone, or with an unknown second word: show the rows of that noun. */
static bool show_noun(const struct program *p, const char *noun)
{
    size_t n = strlen(noun), shown = 0;

    for (size_t i = 0; i < p->n_commands; i++) {
        if (strncmp(p->commands[i].name, noun, n) != 0 || p->commands[i].name[n] != ' ')
            continue;
        if (shown++ == 0)
            fprintf(stderr, "%s %s: which?\n", p->name, noun);
        fprintf(stderr, "  %s %s %s\n      %s\n", p->name, p->commands[i].name, p->commands[i].args, p->commands[i].summary);
    }
    return shown > 0;
}

static int unknown_command(const struct program *p, int argc, char **argv)
{
    char typed[64];

    if (show_noun(p, argv[0]))
        return 1;
    snprintf(typed, sizeof typed, "%s%s%s", argv[0], argc > 1 && argv[1][0] != '-' ? " " : "",
             argc > 1 && argv[1][0] != '-' ? argv[1] : "");
    const char *near = nearest_command(p, typed);
    if (near == NULL)
        near = nearest_command(p, argv[0]);
    fprintf(stderr, "%s: no command %s", p->name, argv[0]);
    if (near != NULL)
        fprintf(stderr, "; did you mean: %s %s", p->name, near);
    fprintf(stderr, "\ntry: %s --help\n", p->name);
    return 1;
}

int command_main(const struct program *p, int argc, char **argv)
{
    struct command_line cl = { .program = p };
    int used = 0;

    if (argc < 2 || str_eq(argv[1], "--help") || str_eq(argv[1], "-h") || (argc == 2 && str_eq(argv[1], "help"))) {
        command_help(p, NULL, argc < 2 ? stderr : stdout);
        return argc < 2;
    }
    if (str_eq(argv[1], "--version"))
        return printf("%s %s\n", p->name, p->version) < 0;
    bool help = str_eq(argv[1], "help");
    cl.command = find_command(p, argc - 1 - help, argv + 1 + help, &used);
    if (cl.command == NULL)
        return unknown_command(p, argc - 1 - help, argv + 1 + help);
    for (int i = 1 + used; i < argc && !help; i++) {
        if (str_eq(argv[i], "--"))
            break;
        help = str_eq(argv[i], "--help") || str_eq(argv[i], "-h");
    }
    if (help) {
        command_help(p, cl.command, stdout);
        return 0;
    }
    if (parse(&cl, argc - 1 - used, argv + 1 + used) != 0)
        return 1;
    return cl.command->run(&cl);
}
