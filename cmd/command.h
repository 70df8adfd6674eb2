/*
 * The commands: each reads its arguments, calls the library and prints to
 * stdout. False with an error, whose exit code main() ends with.
 */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include <glib.h>
#include <stdbool.h>

#include "cli/arguments.h"

/* check FILE */
bool command_check(const struct arguments *arguments, GError **error);

/* run FILE */
bool command_run(const struct arguments *arguments, GError **error);

/* status FILE */
bool command_status(const struct arguments *arguments, GError **error);

/* hooks FILE, hooks FILE resolve ID delivered|resend */
bool command_hooks(const struct arguments *arguments, GError **error);

/* cutover, pause, resume, abort: told to the runner through the target */
bool command_control(const struct arguments *arguments, GError **error);

/* clean FILE */
bool command_clean(const struct arguments *arguments, GError **error);

/* version */
bool command_version(const struct arguments *arguments, GError **error);

/* help [COMMAND] */
bool command_help(const struct arguments *arguments, GError **error);

#endif
