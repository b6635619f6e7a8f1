/* command_print.c - the command table as help, man page and completion. */
#include "base/command.h"

#include "base/str.h"

#include <string.h>

static void print_option(const struct command_option *o, FILE *out)
{
    char head[64];

    snprintf(head, sizeof head, "--%s%s%s", o->name, o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
    fprintf(out, "  %-26s %s\n", head, o->doc);
}

static void print_options(const char *title, const struct command_option *rows, size_t n, FILE *out)
{
    if (n == 0)
        return;
    fprintf(out, "\n%s:\n", title);
    for (size_t i = 0; i < n; i++)
        print_option(&rows[i], out);
}

void command_help(const struct program *p, const struct command *c, FILE *out)
{
    if (c != NULL) {
        fprintf(out, "%s\n\nusage: %s %s%s%s%s\n", c->summary, p->name, c->name, c->n_options > 0 ? " [options]" : "",
                c->args[0] != '\0' ? " " : "", c->args);
        if (c->details != NULL)
            fprintf(out, "\n%s\n", c->details);
        print_options("options", c->options, c->n_options, out);
        print_options("options of every command", p->common, p->n_common, out);
        return;
    }
    fprintf(out, "%s - %s\n\nusage: %s COMMAND [options] [arguments]\n\ncommands:\n", p->name, p->summary, p->name);
    for (size_t i = 0; i < p->n_commands; i++)
        fprintf(out, "  %-22s %s\n", p->commands[i].name, p->commands[i].summary);
    print_options("options of every command", p->common, p->n_common, out);
    if (p->exit_codes != NULL)
        fprintf(out, "\nexit codes:\n%s\n", p->exit_codes);
    fprintf(out, "\nmore: %s COMMAND --help, man %s\n", p->name, p->name);
}

/* roff: a backslash, and a point or an apostrophe in front of a line, mean something. */
static void roff(const char *s, FILE *out)
{
    bool start = true;

    for (; *s != '\0'; s++) {
        if (start && (*s == '.' || *s == '\''))
            fputs("\\&", out);
        start = *s == '\n';
        if (*s == '\\')
            fputs("\\e", out);
        else if (*s == '-')
            fputs("\\-", out);
        else
            fputc(*s, out);
    }
}

static void man_options(const struct command_option *rows, size_t n, FILE *out)
{
    for (size_t i = 0; i < n; i++) {
        fputs(".TP\n\\fB\\-\\-", out);
        roff(rows[i].name, out);
        fputs("\\fR", out);
        if (rows[i].value != NULL)
            fprintf(out, " \\fI%s\\fR", rows[i].value);
        fputc('\n', out);
        roff(rows[i].doc, out);
        fputc('\n', out);
    }
}

static void man_section(const char *title, const char *text, FILE *out)
{
    if (text == NULL)
        return;
    fprintf(out, ".SH %s\n.nf\n", title);
    roff(text, out);
    fputs("\n.fi\n", out);
}

void command_man(const struct program *p, FILE *out)
{
    fprintf(out, ".TH %s 1 \"\" \"Keep %s\" \"Keep\"\n.SH NAME\n%s \\- ", p->name, p->version, p->name);
    roff(p->summary, out);
    fprintf(out, "\n.SH SYNOPSIS\n\\fB%s\\fR COMMAND [options] [arguments]\n.SH COMMANDS\n", p->name);
    for (size_t i = 0; i < p->n_commands; i++) {
        const struct command *c = &p->commands[i];
        fprintf(out, ".SS %s %s\n", c->name, c->args);
        roff(c->summary, out);
        fputc('\n', out);
        if (c->details != NULL) {
            fputs(".PP\n", out);
            roff(c->details, out);
            fputc('\n', out);
        }
        man_options(c->options, c->n_options, out);
    }
    if (p->n_common > 0) {
        fputs(".SH OPTIONS OF EVERY COMMAND\n", out);
        man_options(p->common, p->n_common, out);
    }
    man_section("ENVIRONMENT", p->environment, out);
    man_section("EXIT STATUS", p->exit_codes, out);
    man_section("SEE ALSO", p->see_also, out);
}

static void words_of(const struct program *p, const struct command *c, FILE *out)
{
    for (size_t i = 0; i < c->n_options; i++)
        fprintf(out, " --%s", c->options[i].name);
    for (size_t i = 0; i < p->n_common; i++)
        fprintf(out, " --%s", p->common[i].name);
}

static void bash(const struct program *p, FILE *out)
{
    fprintf(out, "_%s() {\n  local cur=${COMP_WORDS[COMP_CWORD]} words=\n  case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n", p->name);
    for (int two = 1; two >= 0; two--) {
        for (size_t i = 0; i < p->n_commands; i++) {
            if ((strchr(p->commands[i].name, ' ') != NULL) != two)
                continue;
            fprintf(out, "  \"%s%s\"*) words=\"", p->commands[i].name, two ? "" : " ");
            words_of(p, &p->commands[i], out);
            fputs("\" ;;\n", out);
        }
    }
    fputs("  esac\n  if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"", out);
    for (size_t i = 0; i < p->n_commands; i++)
        fprintf(out, "%.*s ", (int)strcspn(p->commands[i].name, " "), p->commands[i].name);
    fputs("help\"\n  elif [ \"$COMP_CWORD\" -eq 2 ]; then case ${COMP_WORDS[1]} in\n", out);
    for (size_t i = 0; i < p->n_commands; i++) {
        const char *space = strchr(p->commands[i].name, ' ');
        if (space != NULL)
            fprintf(out, "    %.*s) words=\"$words %s\" ;;\n", (int)(space - p->commands[i].name), p->commands[i].name, space + 1);
    }
    fprintf(out, "  esac; fi\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                 "  [ ${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- \"$cur\"))\n}\ncomplete -F _%s %s\n", p->name, p->name);
}

static void fish(const struct program *p, FILE *out)
{
    for (size_t i = 0; i < p->n_commands; i++) {
        const struct command *c = &p->commands[i];
        int first = (int)strcspn(c->name, " ");
        fprintf(out, "complete -c %s -n __fish_use_subcommand -f -a '%.*s'\n", p->name, first, c->name);
        if (c->name[first] == ' ')
            fprintf(out, "complete -c %s -n '__fish_seen_subcommand_from %.*s' -f -a '%s'\n", p->name, first, c->name, c->name + first + 1);
        for (size_t k = 0; k < c->n_options; k++)
            fprintf(out, "complete -c %s -n '__fish_seen_subcommand_from %.*s' -l %s%s\n", p->name, first, c->name,
                    c->options[k].name, c->options[k].value != NULL ? " -r" : "");
    }
}

void command_completion(const struct program *p, const char *shell, FILE *out)
{
    if (str_eq(shell, "fish")) {
        fish(p, out);
        return;
    }
    if (str_eq(shell, "zsh"))
        fputs("autoload -U +X bashcompinit && bashcompinit\n", out);
    bash(p, out);
}

const char *command_check(const struct program *p)
{
    for (size_t i = 0; i < p->n_commands; i++) {
        const struct command *c = &p->commands[i];
        if (c->run == NULL || c->summary == NULL || c->args == NULL || c->min_args > c->max_args)
            return c->name;
        for (size_t k = 0; k < i; k++) {
            if (str_eq(p->commands[k].name, c->name))
                return c->name;
        }
        for (size_t k = 0; k < c->n_options; k++) {
            for (size_t m = 0; m < p->n_common; m++) {
                if (str_eq(c->options[k].name, p->common[m].name))
                    return c->options[k].name;
            }
        }
    }
    return NULL;
}
