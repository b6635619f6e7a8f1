/* main.c - keepctl: the command line for CI jobs and people.
 *
 * All there is to it is the table in program.c. */
#include "ctl/program.h"

#include <locale.h>
#include <signal.h>

int main(int argc, char **argv)
{
    static struct ctl_program keepctl;

    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);
    program_init(&keepctl);
    return command_main(&keepctl.program, argc, argv);
}
