/* command_walls.c - keep-agent walls on|off: the switch that needs neither the server nor
 * a running agent. */
#include "agent/commands.h"

#include "agent/wall/wall.h"
#include "base/str.h"

#include <stdio.h>

int command_walls(struct command_line *cl)
{
    bool off = str_eq(cl->args[0], "off");
    struct settings s;
    struct arena arena;
    struct err err = { 0 };

    if (!off && !str_eq(cl->args[0], "on")) {
        fprintf(stderr, "keep-agent walls: expected on or off, found %s\n", cl->args[0]);
        return EXIT_FAILED;
    }
    arena_init(&arena, 8 << 20);
    int rc = command_settings(cl, &arena, &s) != 0 ? EXIT_FAILED :
             (off ? wall_off(s.walls_pins, s.walls_off_file, &err) : wall_on(s.walls_off_file, &err)) != 0 ? command_failed(cl, &err) : EXIT_OK;
    if (rc == EXIT_OK && off)
        printf("No wall stands on this node until `keep-agent walls on` (%s).\n", s.walls_off_file);
    if (rc == EXIT_OK && !off)
        puts("Walls stand within a second, where the agent runs.");
    arena_clear(&arena);
    return rc;
}
