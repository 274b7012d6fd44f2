/* SPDX-License-Identifier: Apache-2.0 */
#include "local/cli/commands.h"
#include "local/cli/options.h"

#include <locale.h>
#include <stdio.h>
#include <xraytrace/version.h>

int main(int argc, char **argv)
{
    struct options options;
    /* Characters and their widths only: numbers stay those of JSON. */
    setlocale(LC_CTYPE, "");
    int r = options_parse(argc, argv, &options);
    if (r != 0)
        return r;
    switch (options.command) {
    case COMMAND_SHOW:
        return command_show(&options);
    case COMMAND_LIST:
        return command_list(&options);
    case COMMAND_MAP:
        return command_map(&options);
    case COMMAND_TAIL:
        return command_tail(&options);
    case COMMAND_EXPORT:
        return command_export(&options);
    case COMMAND_IMPORT:
        return command_import(&options);
    case COMMAND_EXEC:
        return command_exec(&options);
    case COMMAND_HELP:
        options_help();
        return EXIT_DONE;
    case COMMAND_VERSION:
        printf("xraytrace-local %d.%d.%d\n", XRAY_VERSION_MAJOR, XRAY_VERSION_MINOR,
               XRAY_VERSION_PATCH);
        return EXIT_DONE;
    case COMMAND_SERVE:
        break;
    }
    return command_serve(&options);
}
