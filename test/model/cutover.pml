/*
 * The cutover: two runners, one move, RENAME, drain, undo, hooks; anything dies at any step.
 * The steps are those of src/cutover/cutover.c and steps.c, what is stored together is stored
 * together here. How to run it and how to read a trail: README.md.
 *
 * in the model          in the program
 * --------------------  ----------------------------------------------------------------------
 * runner (2 processes)  `run`: move_open(), cutover_recover(), cutover_run(), cutover_undo(). It is
 *                       started again whenever it ended, until the move is completed. A runner that
 *                       takes no step is a frozen one
 * WRITE                 checkpoint_change_phase(), outbox_save(): one transaction that reads the
 *                       lease first. It may be done, or not, without the runner hearing of it
 * application           writes that the source accepts under the old names: none once renamed
 * applied               P, in writes. Whoever runs applies them (copy_apply.pml has how)
 * lock                  GET_LOCK on the source: the connection that may rename
 * same, fence_tenure    request.tenure == renamer->tenure; request.tenure == cutover->fence_tenure
 * pending               a RENAME whose connection was lost: the server still does it, or gives it
 *                       up, and keeps the lock until then
 * in_flight             a commit of `drained` whose connection was lost: likewise; it holds the
 *                       lease's row, so that bump_epoch() and checkpoint_settle_phase() wait for it
 * phase, token, ...     move.phase, rename_token, attempt, drain_gtid (in writes), lease.epoch
 * before, aborted,      hook_delivery.state of before_cutover, cutover_aborted and completed, by
 * completed             attempt. One endpoint: delivered in order (sender_work_thread())
 * told_*                what the receiver has been told
 * faults                how much may go wrong in one run of the model: crashes, lost connections,
 *                       lost replies, failed transactions, refusals
 *
 * Left out because it only narrows what can happen: the target's GET_LOCK, waiting for little lag,
 * wait_caught_up() before a RENAME, and time (any wait may end at any moment).
 *
 * assertion              says
 * ---------------------  ---------------------------------------------------------------------
 * B1 nothing lost        when `drained` is stored, the tables are renamed and the target has every
 *                        write that the source ever accepted
 * B2 intent first        a RENAME happens in phase fencing with its token stored
 * B3 no way back         a RENAME back happens before `drained` only
 * B4 decided once        one `completed` a move, none for an attempt that is announced as undone
 * B5 marked, then sent   a request leaves when its delivery is stored as sending (or settled since)
 * B6 nobody is asked     a run never finds renamed tables without an intent of this move
 * B7 a good end          when nothing moves any more: completed, all there, `completed` delivered;
 *                        or ready with the original names; every before_cutover has its end
 * B8 no cycle            nothing goes round for ever (checked as absence of non-progress cycles):
 *                        with B7, every run ends well once nothing fails any more
 *
 * With STRICT_RECEIVER also: S, no before_cutover arrives when its attempt was announced as undone.
 * The program does not promise that: a request of a runner that froze between marking and sending
 * cannot be called back. The suite shows that the model finds it (docs/hooks.md tells receivers).
 *
 * Broken variants, each of which must be found: see `run`.
 */

/* Always false: an assertion begins with its name, so that a failure tells it. */
hidden byte B1, B2, B3, B4, B5, B6, B7, S;

#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2 /* or 1 */
#endif
#ifndef WRITES
#define WRITES 2
#endif

#define READY 0
#define FENCING 1
#define DRAINING 2
#define DRAINED 3
#define COMPLETING 4
#define COMPLETED 5

/* Deliveries. */
#define NO 0
#define PENDING 1 /* never sent: attempts is 0 */
#define SENDING 2
#define DELIVERED 3
#define REFUSED 4
#define AGAIN 5   /* pending, with attempts */
#define SETTLED(state) ((state) == DELIVERED || (state) == REFUSED)

/* The source. */
bool renamed;
byte writes;
byte lock;      /* 0 free, 1 and 2 the runners, 3 a connection that was lost in the middle */
byte pending;   /* 0, or what that connection's RENAME does */
#define FORTH 1
#define BACK 2
#define LOST 3

/* The target. */
byte phase, attempt, drain, applied;
bool token;
byte epoch;
byte in_flight; /* 0, or the runner whose commit of `drained` is on its way */
byte in_flight_attempt;
byte before[ATTEMPTS + 1], aborted[ATTEMPTS + 1], completed[ATTEMPTS + 1];

/* The receiver: a bit for each attempt. */
byte told_before, told_aborted, told_completed;

/* Of the runners, indexed by their number, what a lost connection changes. */
bool same[3], fence_tenure[3];
bool crash[3];
byte faults = FAULTS;

/* --- what happens on the servers ---------------------------------------------------------- */

inline do_rename()
{
#ifndef BROKEN_INTENT_LATE
    assert(B2 || phase == FENCING && token);
#endif
    renamed = true
}

inline do_rename_back()
{
    assert(B3 || phase < DRAINED);
    renamed = false
}

inline insert_completed(a)
{
    assert(B4 || completed[1] == NO && completed[ATTEMPTS] == NO && aborted[a] == NO);
    completed[a] = PENDING
}

/* The point of no return: one transaction. */
inline do_drained(a)
{
    assert(B1 || renamed && applied == writes);
    phase = DRAINED;
#if !defined(BROKEN_OUTBOX_APART) && !defined(BROKEN_OUTBOX_FIRST)
    insert_completed(a)
#endif
}

inline do_undone(a)
{
    assert(B4 || completed[a] == NO);
    phase = READY;
    token = false;
    aborted[a] = PENDING
}

proctype servers()
{
end_idle:
    do
    :: atomic { !renamed && writes < WRITES -> writes++ }
    :: atomic { applied < writes && phase < DRAINED -> applied++ }
    :: atomic { pending != 0 ->
        if
        :: pending == FORTH && !renamed -> do_rename()
        :: pending == BACK && renamed -> do_rename_back()
        :: skip /* its lock was not to be had */
        fi;
        pending = 0;
        lock = 0
       }
    :: atomic { in_flight != 0 ->
        if
        :: do_drained(in_flight_attempt)
        :: skip /* rolled back */
        fi;
        in_flight = 0;
        in_flight_attempt = 0
       }
    :: phase == COMPLETED -> break
    od
}

/* --- what goes wrong ---------------------------------------------------------------------- */

proctype misfortune()
{
end_idle:
    do
    :: atomic { faults > 0 && phase < COMPLETED && (lock != 0 || epoch > 0) ->
        faults--;
        if
        :: crash[1] = true
        :: epoch > 0 -> crash[2] = true
        :: lock == 1 -> lock = 0; same[1] = false; fence_tenure[1] = false
        :: lock == 2 -> lock = 0; same[2] = false; fence_tenure[2] = false
        fi
       }
    :: phase == COMPLETED -> break
    od
}

/* --- a runner ----------------------------------------------------------------------------- */

#ifdef BROKEN_NO_LEASE
#define FENCED false
#else
#define FENCED (mine != epoch)
#endif

/* A transaction on the target. `failed`: no answer for good, whether it is done or not. */
#define WRITE(what) \
    atomic { \
        if \
        :: FENCED -> goto again \
        :: !FENCED -> what; failed = false \
        :: !FENCED && faults > 0 -> faults--; what; failed = true \
        :: !FENCED && faults > 0 -> faults--; failed = true \
        fi \
    }

/* renamer_hold(), or any question on the renamer's connection: connects and locks again when it
 * was lost; gives up, fenced, when another runner has the lock. */
#define CONNECTED(and_then) \
    atomic { \
        if \
        :: lock == me -> and_then \
        :: lock == 0 -> lock = me; same[me] = false; fence_tenure[me] = false; and_then \
        :: lock == OTHER -> goto again \
        fi \
    }
#define OTHER (3 - me)

#ifdef BROKEN_NO_TENURE
#define MAY_RENAME (lock == me || lock == 0) /* on whatever connection there is now */
#else
#define MAY_RENAME (lock == me && same[me])
#endif

/* One RENAME: done and answered; its lock not got; or its connection lost meanwhile. */
#define RENAME(direction, act) \
    atomic { \
        if \
        :: MAY_RENAME -> lock = me; act; done = true \
        :: MAY_RENAME && faults > 0 -> faults-- /* lock wait time-out */ \
        :: MAY_RENAME && faults > 0 -> \
            faults--; pending = direction; lock = LOST; same[me] = false; fence_tenure[me] = false \
        :: !MAY_RENAME -> skip /* "the connection was lost before the RENAME" */ \
        fi \
    }

/* send_row(): marks, sends, stores the answer, until it is settled; or, with `gives_up`, until
 * nobody waits any longer. */
#ifdef BROKEN_SENT_UNMARKED
#define MARK(row) skip
#else
#define MARK(row) \
    do \
    :: WRITE(row = SENDING); \
       if \
       :: !failed -> break \
       :: else \
       fi \
    od
#endif
#ifdef STRICT_RECEIVER
#define IN_ORDER(late) assert(S || !(late))
#else
#define IN_ORDER(late) skip
#endif

#define DELIVER(row, told, gives_up, late) \
    answer = AGAIN; \
    do \
    :: SETTLED(answer) -> break \
    :: !SETTLED(answer) -> \
        MARK(row); \
        atomic { \
            assert(B5 || row != NO && row != PENDING); \
            IN_ORDER(late); \
            if \
            :: told = told | (1 << att); answer = DELIVERED \
            :: faults > 0 -> faults--; told = told | (1 << att); answer = AGAIN \
            :: faults > 0 -> faults--; answer = AGAIN \
            :: faults > 0 -> faults--; told = told | (1 << att); answer = REFUSED \
            fi \
        }; \
        do \
        :: WRITE(row = answer); \
           if \
           :: !failed -> break \
           :: else \
           fi \
        od \
    :: atomic { (gives_up) && !SETTLED(answer) && faults > 0 -> faults--; break } \
    od

#ifdef BROKEN_DRAIN_SET_EARLY
#define DRAIN_SET seen
#else
#define DRAIN_SET writes
#endif

/* Runner 1 is the one that comes first, and nobody dies before that: it would change nothing. */
#define MY_TURN (me == 1 || epoch > 0)

proctype runner(byte me)
{
    byte mine, att, ph, seen, answer;
    bool tok, failed, done, where;

    {
    skip;
again:
    /* The process ended; its connections with it. */
    atomic {
        if
        :: lock == me -> lock = 0
        :: else
        fi;
        same[me] = false; fence_tenure[me] = false;
        mine = 0; att = 0; ph = 0; seen = 0; answer = 0;
        tok = false; failed = false; done = false; where = false
    };

    /* take_locks(): the source's lock, then the lease; then the checkpoint is read. */
end_lock:
    if
    :: atomic { lock == 0 && phase < COMPLETED && MY_TURN -> lock = me; same[me] = true }
    :: phase == COMPLETED -> goto ended
    fi;
    atomic { in_flight == 0 -> epoch++; mine = epoch };
    atomic { ph = phase; att = attempt; tok = token };

    /* cutover_recover() */
    if
    :: ph == FENCING || ph == DRAINING ->
        CONNECTED(where = renamed);
        if
        :: !where -> goto undo
        :: where && !tok ->
#ifndef BROKEN_RECOVERY_UNCHECKED
            WRITE(skip); /* is what was read still true? checkpoint_check_lease() */
            if
            :: failed -> goto again
            :: else
            fi;
#endif
            assert(B6 || false)
        :: where && tok ->
            if
            :: ph == DRAINING -> goto draining
            :: ph == FENCING ->
                CONNECTED(seen = writes);
                WRITE(phase = DRAINING; drain = seen);
                if
                :: failed -> goto again
                :: else -> ph = DRAINING; goto draining
                fi
            fi
        fi
    :: ph == READY -> goto ready
    :: ph == DRAINED -> goto drained
    :: ph >= COMPLETING -> goto completing
    fi;

    /* Waits for a command. What an undo left to say is said meanwhile. */
ready:
    atomic { ph = READY; tok = false; seen = 0; done = false; where = false; failed = false };
    if
    :: att > 0 && !SETTLED(aborted[att]) ->
        DELIVER(aborted[att], told_aborted, false, false);
        answer = 0
    :: else
    fi;
end_ready:
    att < ATTEMPTS;

    /* cutover_step_gate() */
    att++;
    WRITE(phase = FENCING; attempt = att; token = false; before[att] = PENDING);
    if
    :: failed -> goto again
    :: else -> ph = FENCING
    fi;
    DELIVER(before[att], told_before, true, (told_aborted & (1 << att)) != 0);
    if
    :: answer != DELIVERED -> goto undo
    :: answer == DELIVERED -> answer = 0
    fi;

    /* cutover_step_fence() */
    do
    :: CONNECTED(same[me] = true);
#ifndef BROKEN_INTENT_LATE
       WRITE(token = true; phase = FENCING);
       if
       :: failed -> goto undo
       :: else -> tok = true
       fi;
#endif
       CONNECTED(where = renamed; seen = writes);
       if
       :: where -> break /* the answer of an earlier attempt was lost */
       :: else
       fi;
       RENAME(FORTH, do_rename(); fence_tenure[me] = true; seen = DRAIN_SET);
       if
       :: done -> done = false; break
       :: else
       fi
    :: goto undo /* stopped, or out of attempts */
    od;
#ifdef BROKEN_INTENT_LATE
    WRITE(token = true);
    if
    :: failed -> goto undo
    :: else -> tok = true
    fi;
#endif
    WRITE(phase = DRAINING; drain = seen);
    if
    :: failed -> goto undo
    :: else -> ph = DRAINING
    fi;

    /* cutover_step_drain() */
draining:
    if
    :: applied >= drain -> skip
    :: goto undo /* drain time-out, or stopped */
    fi;
#ifdef BROKEN_OUTBOX_FIRST
    WRITE(insert_completed(att));
    if
    :: failed -> goto undo
    :: else
    fi;
#endif
    atomic {
        if
        :: FENCED -> goto again
        :: !FENCED -> do_drained(att); failed = false
        :: !FENCED && faults > 0 -> faults--; failed = true; do_drained(att)
        :: !FENCED && faults > 0 -> faults--; failed = true
        :: !FENCED && faults > 0 -> faults--; failed = true; in_flight = me; in_flight_attempt = att
        fi
    };
#ifdef BROKEN_UNDO_AFTER_DRAINED
    if
    :: failed -> goto undo
    :: else
    fi;
#endif
    if
    :: failed ->
        /* settle() */
        if
#ifdef BROKEN_SETTLE_LOOKS_ONLY
        :: true -> ph = phase
#else
        :: atomic { in_flight == 0 ->
            if
            :: FENCED -> goto again
            :: else -> ph = phase
            fi
           }
#endif
        :: atomic { faults > 0 -> faults--; goto again } /* not known: the next run reads it */
        fi;
        failed = false;
        if
        :: ph < DRAINED -> goto undo
        :: else
        fi
    :: else
    fi;

#ifdef BROKEN_OUTBOX_APART
    WRITE(insert_completed(att));
    if
    :: failed -> goto again
    :: else
    fi;
#endif

    /* cutover_step_announce() */
drained:
    ph = DRAINED;
    WRITE(phase = COMPLETING);
    if
    :: failed -> goto again
    :: else
    fi;

    /* cutover_step_complete() */
completing:
    ph = COMPLETING;
    if
    :: completed[att] == NO -> answer = DELIVERED /* nobody is waited for */
    :: completed[att] != NO && !SETTLED(completed[att]) ->
        DELIVER(completed[att], told_completed, true, false)
    :: completed[att] == REFUSED ->
        /* revive(): whoever runs again has mended the receiver. */
        WRITE(completed[att] = AGAIN); goto again
    :: completed[att] == DELIVERED -> answer = DELIVERED
    fi;
    if
    :: answer != DELIVERED -> goto again /* exit code 10 */
    :: else
    fi;
    WRITE(phase = COMPLETED; token = false);
    goto again;

    /* cutover_undo() */
undo:
    done = false;
    if
    :: ph == DRAINING || (ph == FENCING && tok) ->
        do
        :: CONNECTED(same[me] = true; where = renamed);
           if
           :: !where -> break
           :: else
           fi;
#ifndef BROKEN_UNDO_UNCHECKED
           if
           :: !fence_tenure[me] ->
               WRITE(skip); /* checkpoint_check_lease() */
               if
               :: failed -> goto again
               :: else
               fi
           :: else
           fi;
#endif
           RENAME(BACK, do_rename_back());
           if
           :: done -> break
           :: else
           fi
        :: atomic { faults > 0 -> faults--; goto again } /* the names are in use: the next run */
        od
    :: else
    fi;
    if
    :: !SETTLED(before[att]) ->
        WRITE(before[att] = REFUSED); /* hook_sender_withdraw() */
        if
        :: failed -> goto again
        :: else
        fi
    :: else
    fi;
    where = false;
    done = false;
    WRITE(do_undone(att));
    if
    :: failed -> goto again
    :: else -> goto ready
    fi;
ended:
    skip
    } unless {
        atomic { crash[me] -> crash[me] = false; goto again }
    }
}

/* --- the end ------------------------------------------------------------------------------ */

#define FOLLOWED(a) ((told_before & (1 << (a))) == 0 || SETTLED(aborted[a]) || \
                     (told_completed & (1 << (a))) != 0)

proctype judge()
{
    atomic {
        timeout ->
        assert(B7 || (phase == READY && !renamed) ||
               (phase == COMPLETED && renamed && applied == writes &&
                completed[attempt] == DELIVERED && told_completed == (1 << attempt)));
        assert(B7 || FOLLOWED(1) && FOLLOWED(ATTEMPTS));
        assert(B4 || (told_completed & told_aborted) == 0)
    }
}

init
{
    atomic {
        run servers();
        run misfortune();
        run runner(1);
        run runner(2);
        run judge()
    }
}
