/*
 * Writes of the checkpoint whose connection is lost: the network may keep them, and deliver them
 * when the runner has long gone on. How to run it and how to read a trail: README.md.
 *
 * in the model          in the program
 * --------------------  ----------------------------------------------------------------------
 * runner (2 processes)  store_write(), again and again: the nth write stores n. One connection,
 *                       another one after it was lost. The second runner takes the move over at any
 *                       time, as lease_take() does, and writes on from what is stored
 * session               of a connection, at the server. It ends when its packet was carried out,
 *                       when it hears of the loss, or after the silence that the server allows
 * begin                 lease_begin_exclusive(): the lease is read FOR SHARE, the move's row is
 *                       locked, all in a round trip of its own
 * packet                the writes and COMMIT, sent when begin was answered
 * stored                any column of `move`: phase, position, horizon
 *
 * assertion              says
 * ---------------------  ---------------------------------------------------------------------
 * C1 not undone          what is stored never goes back behind what a runner knows to be stored
 * C2 one owner           nothing of a runner is carried out after another one took over
 */

/* Always false: an assertion begins with its name, so that a failure tells it. */
hidden byte C1, C2;

#ifndef WRITES
#define WRITES 3
#endif
#ifndef LOSSES
#define LOSSES 3
#endif
#define SESSIONS 8 /* of both runners, each loss makes another one */

#define NONE 0
#define BEGUN 1   /* has its locks */
#define LATE 2    /* has its locks; its packet is in the network */

byte state[SESSIONS + 1], owner[SESSIONS + 1], value[SESSIONS + 1];
byte sessions;   /* how many there were */
byte row;        /* the session that has the move's row; 0: free */
byte shared;     /* sessions that have read the lease FOR SHARE */
byte epoch;      /* who owns the move: runner 1 or 2 */
byte stored, known;
byte losses = LOSSES;

inline release(s)
{
    state[s] = NONE;
    shared--;
    if
    :: row == s -> row = 0
    :: else
    fi
}

inline carry_out(s)
{
    assert(C2 || owner[s] == epoch);
    assert(C1 || value[s] >= known);
    stored = value[s];
    release(s)
}

/* The network and the server: what was lost is delivered late, or the session ends. */
active proctype network()
{
    byte s;
end:
    do
    :: atomic {
        select (s : 1 .. SESSIONS);
        if
        :: state[s] == LATE -> carry_out(s)
        :: state[s] == LATE -> release(s)
        :: else
        fi
    }
    od
}

/* One runner: writes until all is stored or the move is another's. */
proctype runner(byte me)
{
    byte mine = 0; /* the session of the connection at hand */
    byte next = 0;
    atomic { /* bump_epoch() waits for every reader of the lease */
#ifndef BROKEN_NO_WAIT
        shared == 0;
#endif
        epoch = me;
        next = stored
    }
again:
    do
    :: atomic { known < WRITES && mine == 0 && sessions < SESSIONS ->
        sessions++;
        mine = sessions;
        owner[mine] = me;
        next = (next < known -> known : next) + 1
    }
    :: atomic { mine == 0 && (known >= WRITES || sessions == SESSIONS) -> break }
    :: atomic { mine != 0 && state[mine] == NONE && epoch != me -> goto fenced }
#ifndef BROKEN_NO_ROW_LOCK
    :: atomic { mine != 0 && state[mine] == NONE && epoch == me && row == 0 ->
        row = mine;
        state[mine] = BEGUN;
        value[mine] = next;
        shared++
    }
#else
    :: atomic { mine != 0 && state[mine] == NONE && epoch == me ->
        state[mine] = BEGUN;
        value[mine] = next;
        shared++
    }
#endif
    :: atomic { state[mine] == BEGUN -> /* carried out and answered */
        carry_out(mine);
        known = next;
        mine = 0
    }
    :: atomic { state[mine] == BEGUN && losses > 0 -> /* lost: whatever becomes of it */
        losses--;
        state[mine] = LATE;
        mine = 0;
        next = next - 1 /* the same write, once more */
    }
    od;
fenced:
    skip
}

init {
    epoch = 1;
    atomic {
        run runner(1);
        run runner(2)
    }
}
