/* Who gives a command, for the checkpoint's own use. */
#ifndef CHECKPOINT_COMMAND_INT_H
#define CHECKPOINT_COMMAND_INT_H

/* `user@host:pid` of this process. Caller frees. */
char *command_issuer(void);

#endif
