/*
 * Copy and apply at the same time, checkpoint, crash and resume.
 * The rules are those of docs/protocol.md, the order of the steps is that of src/copy, src/apply
 * and src/checkpoint. How to run it and how to read a trail: README.md.
 *
 * The table has three keys. Chunk 0 reads keys 0 and 1, chunk 1 reads key 2. Beside its key a row
 * has a unique value (1..3), and the number of the change that wrote it, so that an old image is
 * never mistaken for a new one. With CI the keys 0 and 1 are two spellings of one key ('a', 'A').
 *
 * in the model          in the program
 * --------------------  ----------------------------------------------------------------------
 * source (process)      the application and the source's InnoDB: transactions of one change, or
 *                       that swap a unique value of two rows (with TWO_CHANGES also of two changes)
 * src, vis              the rows as locked, and as a SELECT shows them: a transaction is in the
 *                       binlog first and visible later, those that share no lock in any order
 * log, ends             the binlog's row changes; the number of them up to the end of a transaction
 * arrived               inbox_arrived(): the last arrival number; F is all up to it
 * chunk (2 processes)   read_range() of copy/reader.c, then write_part() of copy/writer.c
 * pin, apply_limit      inbox_pin(), inbox_unpin(), apply_limit() of apply/inbox.c
 * shown                 what a chunk's rows may show; not in the program, for the assertion
 * asked                 gtid_executed as asked by hand_over_last(): covered by horizon_cover()
 * applier (process)     collect(), apply(), advance() of apply/applier.c
 * todo                  the batch, folded to the last image of each key (apply/batch.c)
 * applied               P, counted in changes; P itself is the last transaction that ends within
 * horizon               move.horizon: durable
 * saved_p, saved_done   move.position, move_table.copied_to: the keeper may have saved any value
 *                       that was ever true, so that a crash picks one (keeper_save())
 * crash (process)       the runner dies, or freezes and wakes up after the next one took over
 * frozen                what a frozen runner still means to write: it reads the lease first
 *
 * assertion              says
 * ---------------------  ---------------------------------------------------------------------
 * A1 converged           all copied and applied: the target has the source's rows, image by image
 * A2 batch in horizon    no row of a batch is written before the horizon covers its transaction
 * A3 chunk in horizon    no row of a chunk is written before the horizon covers all it may show
 * A4 no dead end         every run gets to A1: nobody waits for ever (invalid end state). There is
 *                        no cycle either: every step goes forward, and crashes are counted
 *
 * Broken variants, each of which must be found: see `run`.
 */

/* Always false: an assertion begins with its name, so that a failure tells it. */
hidden byte A1, A2, A3;

#define NONE 3
#define KEYS 3
#ifndef TXNS
#define TXNS 2
#endif
#ifndef CHANGES_MAX
#define CHANGES_MAX 3 /* of a transaction: a swap has three */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#define LOG_SIZE (TXNS * CHANGES_MAX)

#ifdef CI
#define SAME_KEY(a, b) ((a) / 2 == (b) / 2)
#define KEY_BIT(k) (1 << ((k) / 2))
#else
#define SAME_KEY(a, b) ((a) == (b))
#define KEY_BIT(k) (1 << (k))
#endif
#define UNIQUE(row) ((row) & 3)
#define UNIQUE_BIT(u) (4 << (u))
#define IMAGE(u, change) ((u) | (((change) + 1) << 2))
#define DELETED 1 /* no image of the log: those have a number above 0 */

/* The horizon is a run of its own: no other rule depends on it, and it multiplies the states. */
#ifdef HORIZON
#define FIRST_HORIZON 0
#define HAS_READ READ
#define HAS_COLLECTED 1
#else
#define FIRST_HORIZON 255
#define HAS_READ COVERED
#define HAS_COLLECTED 2
#endif

/* The source. A row is 0 or IMAGE(). */
byte src[KEYS], vis[KEYS];
byte log[LOG_SIZE];   /* key before | key after << 2 | unique value after << 4 */
byte ends[TXNS + 1];  /* ends[t]: changes up to the end of transaction t; the first is 1 */
byte after[TXNS + 1]; /* the earlier ones that transaction t shares a lock with */
byte txns;            /* that there will be */
byte visible;         /* set of transactions: bit t */

/* The target: the rows and the checkpoint. */
byte tgt[KEYS];
byte horizon = FIRST_HORIZON;
byte saved_p, saved_done;

/* The runner's memory. */
byte arrived;
byte stage[2];        /* of a chunk: see chunk() */
byte pin[2], shown[2], asked[2];
byte read_rows[KEYS];
byte applied, batch_end, todo[KEYS];
byte batch;           /* 0 none, 1 collected, 2 horizon durable */

byte crashes;
byte frozen;          /* 0 nobody, 1 a chunk, 2 a batch: frozen_rows */
byte frozen_rows[KEYS];
bool finished;

#define IDLE 0
#define PINNED 1
#define READ 2
#define COVERED 3
#define DONE 4

/* --- the source -------------------------------------------------------------------------- */

#define U_IN_USE(u) (UNIQUE(src[0]) == (u) || UNIQUE(src[1]) == (u) || UNIQUE(src[2]) == (u))
#define KEY_IN_USE(k) ((src[0] != 0 && SAME_KEY(0, k)) || (src[1] != 0 && SAME_KEY(1, k)) || \
                       (src[2] != 0 && SAME_KEY(2, k)))

/* Appends a change to the transaction that is being made. */
inline add_change(b, a, new_u)
{
    log[n] = (b) | ((a) << 2) | ((new_u) << 4);
    if
    :: (b) != NONE -> lock = lock | KEY_BIT(b) | UNIQUE_BIT(UNIQUE(src[b])); src[b] = 0
    :: else
    fi;
    if
    :: (a) != NONE -> lock = lock | KEY_BIT(a) | UNIQUE_BIT(new_u); src[a] = IMAGE(new_u, n)
    :: else
    fi;
    n++
}

inline pick_key(k) { if :: k = 0 :: k = 1 :: k = 2 fi }
inline pick_unique(v) { if :: v = 1 :: v = 2 :: v = 3 fi }

/* One INSERT, DELETE or UPDATE, in place or to another key, whichever the picked numbers allow. */
inline any_change()
{
    pick_key(k);
    if
    :: src[k] == 0 && !KEY_IN_USE(k) ->
        pick_unique(u);
        if
        :: !U_IN_USE(u) -> add_change(NONE, k, u)
        :: else
        fi
    :: src[k] != 0 ->
        if
        :: add_change(k, NONE, 0)
        :: pick_key(to);
           pick_unique(u);
           if
           :: (to == k || src[to] == 0) && (SAME_KEY(to, k) || !KEY_IN_USE(to)) &&
              (u == UNIQUE(src[k]) || !U_IN_USE(u)) ->
               add_change(k, to, u)
           :: else
           fi
        fi
    :: else
    fi
}

/* Two rows change their unique values, by way of the third one. */
inline any_swap()
{
    pick_key(k);
    pick_key(to);
    if
    :: k != to && src[k] != 0 && src[to] != 0 ->
        pick_unique(u);
        if
        :: !U_IN_USE(u) ->
            u_k = UNIQUE(src[k]);
            u_to = UNIQUE(src[to]);
            add_change(k, k, u);
            add_change(to, to, u_k);
            add_change(k, k, u_to)
        :: else
        fi
    :: else
    fi
}

inline begin_rows()
{
    if
    :: src[0] = 1
    :: src[1] = 1
#ifndef CI
    :: src[0] = 1; src[1] = 2
#endif
    :: src[2] = 1
    :: src[0] = 1; src[2] = 2
    :: skip
    fi;
    vis[0] = src[0];
    vis[1] = src[1];
    vis[2] = src[2]
}

/* A transaction more, or none when what was picked cannot be done. */
inline any_transaction()
{
    n = ends[txns];
    if
    :: any_change()
#ifdef TWO_CHANGES
    :: any_change(); any_change()
#endif
#if CHANGES_MAX > 2
    :: any_swap()
#endif
    fi;
    if
    :: lock != 0 ->
        txns++;
        ends[txns] = n;
        locks[txns] = lock;
        t = 1;
        do
        :: t < txns ->
            if
            :: (locks[t] & lock) != 0 -> after[txns] = after[txns] | (1 << t)
            :: else
            fi;
            t++
        :: else -> break
        od
    :: else
    fi;
    lock = 0
}

/* When a transaction is written to the binlog does not matter, only when it arrives and when it
 * is visible, neither of which is before those that it had to wait for are visible. So all of them
 * are picked at the start. */
#define IN_BINLOG(t) ((after[t] & ~visible) == 0)

inline make_visible(t)
{
    n = ends[t - 1];
    do
    :: n < ends[t] ->
        if
        :: (log[n] & 3) != NONE -> vis[log[n] & 3] = 0
        :: else
        fi;
        if
        :: ((log[n] >> 2) & 3) != NONE -> vis[(log[n] >> 2) & 3] = IMAGE(log[n] >> 4, n)
        :: else
        fi;
        n++
    :: else -> break
    od;
    visible = visible | (1 << t);
    n = 0
}

#define IS_VISIBLE(t) ((visible & (1 << (t))) != 0)

proctype source()
{
    byte n;
    do
    :: d_step { txns >= 1 && !IS_VISIBLE(1) -> make_visible(1) }
#if TXNS >= 2
    :: d_step { txns >= 2 && !IS_VISIBLE(2) && IN_BINLOG(2) -> make_visible(2) }
#endif
#if TXNS >= 3
    :: d_step { txns >= 3 && !IS_VISIBLE(3) && IN_BINLOG(3) -> make_visible(3) }
#endif
#if TXNS >= 4
    :: d_step { txns >= 4 && !IS_VISIBLE(4) && IN_BINLOG(4) -> make_visible(4) }
#endif
    :: finished -> break
    od
}

/* --- the stream -------------------------------------------------------------------------- */

proctype stream()
{
    do
    :: atomic { arrived < txns && IN_BINLOG(arrived + 1) -> arrived++ }
    :: finished -> break
    od
}

/* --- the copy ---------------------------------------------------------------------------- */

#define UP_TO(t) ((2 << (t)) - 2) /* the set of transactions 1..t */
/* Rule 2: WAIT_FOR_EXECUTED_GTID_SET(F) of what had arrived at the pin. */
#ifdef BROKEN_RULE_2
#define ALL_VISIBLE(t) true
#else
#define ALL_VISIBLE(t) ((UP_TO(t) & ~visible) == 0)
#endif

/* Rule 4: INSERT IGNORE of one row: left out when its key or its unique value is there. */
inline insert_row(k, row)
{
    if
    :: (row) != 0 && !(tgt[0] != 0 && (SAME_KEY(0, k) || UNIQUE(tgt[0]) == UNIQUE(row))) &&
       !(tgt[1] != 0 && (SAME_KEY(1, k) || UNIQUE(tgt[1]) == UNIQUE(row))) &&
       !(tgt[2] != 0 && (SAME_KEY(2, k) || UNIQUE(tgt[2]) == UNIQUE(row))) -> tgt[k] = row
    :: else
    fi
}

proctype chunk(byte i)
{
    do
    :: d_step { stage[i] == IDLE ->                             /* rule 1 */
#ifdef BROKEN_HORIZON_ASKED_FIRST
        asked[i] = visible;
#endif
        pin[i] = arrived;
        stage[i] = PINNED
       }
    :: d_step { stage[i] == PINNED && ALL_VISIBLE(pin[i]) ->     /* rules 2 and 3 */
        if
        :: i == 0 -> read_rows[0] = vis[0]; read_rows[1] = vis[1]
        :: else -> read_rows[2] = vis[2]
        fi;
#ifdef HORIZON
        shown[i] = visible;
#endif
        stage[i] = HAS_READ
       }
    :: d_step { stage[i] == READ ->
#ifndef BROKEN_HORIZON_ASKED_FIRST
        asked[i] = visible;
#endif
        horizon = horizon | asked[i];
        asked[i] = 0;
        stage[i] = COVERED
       }
    :: d_step { stage[i] == COVERED ->                          /* rule 4 */
        assert(A3 || (shown[i] & ~horizon) == 0);
        if
        :: i == 0 -> insert_row(0, read_rows[0]); insert_row(1, read_rows[1])
        :: else -> insert_row(2, read_rows[2])
        fi;
        stage[i] = DONE;
        if
        :: i == 0 -> read_rows[0] = 0; read_rows[1] = 0
        :: else -> read_rows[2] = 0
        fi;
        shown[i] = 0;
        pin[i] = 0
       }
    :: finished -> break
    od
}

/* --- the applier ------------------------------------------------------------------------- */

#define IN_FLIGHT(i) (stage[i] > IDLE && stage[i] < DONE)
/* Rule 5: the transaction of the next change is not above a pin in flight. */
#ifdef BROKEN_RULE_5
#define MAY_GO(t) (arrived >= (t))
#else
#define MAY_GO(t) (arrived >= (t) && (!IN_FLIGHT(0) || (t) <= pin[0]) && \
                   (!IN_FLIGHT(1) || (t) <= pin[1]))
#endif
#define NEXT_TXN(c) ((c) < ends[1] -> 1 : (TXNS < 2 || (c) < ends[2] -> 2 : 3))

/* REPLACE: whatever has the key or the unique value goes. */
inline replace_row(k, row)
{
    if :: tgt[0] != 0 && (SAME_KEY(0, k) || UNIQUE(tgt[0]) == UNIQUE(row)) -> tgt[0] = 0 :: else fi;
    if :: tgt[1] != 0 && (SAME_KEY(1, k) || UNIQUE(tgt[1]) == UNIQUE(row)) -> tgt[1] = 0 :: else fi;
    if :: tgt[2] != 0 && (SAME_KEY(2, k) || UNIQUE(tgt[2]) == UNIQUE(row)) -> tgt[2] = 0 :: else fi;
    tgt[k] = row
}

/* DELETE by the key, as the target's collation compares it. */
inline delete_row(k)
{
    if :: SAME_KEY(0, k) -> tgt[0] = 0 :: else fi;
    if :: SAME_KEY(1, k) -> tgt[1] = 0 :: else fi;
    if :: SAME_KEY(2, k) -> tgt[2] = 0 :: else fi
}

#define SOME_DELETE (todo[0] == DELETED || todo[1] == DELETED || todo[2] == DELETED)
#define BATCH_EMPTY (todo[0] == 0 && todo[1] == 0 && todo[2] == 0)

inline write_one(k)
{
    assert(A2 || (touched & ~horizon) == 0);
    if
    :: todo[k] == DELETED -> delete_row(k)
    :: else -> replace_row(k, todo[k])
    fi;
    todo[k] = 0
}

/* Phase 1: deletes, in any order; barrier; phase 2: puts, in any order. */
#ifdef BROKEN_PUTS_MIXED
#define MAY_WRITE(k) (batch == 2 && todo[k] != 0)
#else
#define MAY_WRITE(k) (batch == 2 && todo[k] != 0 && (todo[k] == DELETED || !SOME_DELETE))
#endif

inline take_change()
{
    if
    :: (log[batch_end] & 3) != NONE -> todo[log[batch_end] & 3] = DELETED
    :: else
    fi;
    if
    :: ((log[batch_end] >> 2) & 3) != NONE ->
        todo[(log[batch_end] >> 2) & 3] = IMAGE(log[batch_end] >> 4, batch_end)
    :: else
    fi;
#ifdef HORIZON
    touched = touched | (1 << NEXT_TXN(batch_end));
#endif
    batch_end++
}

byte touched; /* the transactions of the batch */

proctype applier()
{
    do
    /* Collecting ends after any change: a large transaction is cut into fragments. */
    :: atomic {
        batch == 0 && applied < ends[txns] && MAY_GO(NEXT_TXN(applied)) ->
        batch_end = applied;
        do
        :: take_change();
           if
           :: batch_end < ends[txns] && MAY_GO(NEXT_TXN(batch_end)) ->
               if
               :: skip
               :: break
               fi
           :: else -> break
           fi
        od;
        batch = HAS_COLLECTED
       }
    :: d_step { batch == 1 ->
#ifndef BROKEN_HORIZON_LATE
        horizon = horizon | touched;
#endif
        batch = 2
       }
    :: d_step { MAY_WRITE(0) -> write_one(0) }
    :: d_step { MAY_WRITE(1) -> write_one(1) }
    :: d_step { MAY_WRITE(2) -> write_one(2) }
    :: d_step { batch == 2 && BATCH_EMPTY ->
        horizon = horizon | touched;
        applied = batch_end;
        batch_end = 0;
        touched = 0;
        batch = 0
       }
    :: finished -> break
    od
}

/* --- dying and going on ------------------------------------------------------------------ */

#ifdef BROKEN_RANGE_SAVED_EARLY
#define RANGE_DURABLE(i) (stage[i] >= HAS_READ)
#else
#define RANGE_DURABLE(i) (stage[i] == DONE)
#endif
#ifdef BROKEN_POSITION_SAVED_EARLY
#define P_REACHES(t) (ends[t] <= applied || (batch != 0 && ends[t] <= batch_end))
#else
#define P_REACHES(t) (ends[t] <= applied)
#endif

/* What the next run reads: a lower bound that was true at some time. */
inline read_checkpoint()
{
    do
    :: saved_p < txns && P_REACHES(saved_p + 1) -> saved_p++
    :: break
    od;
    do
    :: saved_done == 0 && RANGE_DURABLE(0) -> saved_done = 1
    :: saved_done == 1 && RANGE_DURABLE(1) -> saved_done = 2
    :: break
    od
}

inline freeze()
{
    if
    :: skip
#ifdef FREEZE
    :: frozen == 0 && stage[0] == COVERED ->
        frozen = 1; frozen_rows[0] = read_rows[0]; frozen_rows[1] = read_rows[1]
    :: frozen == 0 && stage[1] == COVERED -> frozen = 1; frozen_rows[2] = read_rows[2]
    :: frozen == 0 && batch == 2 && !BATCH_EMPTY ->
        frozen = 2;
        frozen_rows[0] = todo[0]; frozen_rows[1] = todo[1]; frozen_rows[2] = todo[2]
#endif
    fi
}

inline forget_memory()
{
    arrived = saved_p;
    applied = ends[saved_p];
    batch = 0; batch_end = 0; touched = 0;
    todo[0] = 0; todo[1] = 0; todo[2] = 0;
    read_rows[0] = 0; read_rows[1] = 0; read_rows[2] = 0;
    pin[0] = 0; pin[1] = 0; shown[0] = 0; shown[1] = 0; asked[0] = 0; asked[1] = 0;
    stage[0] = (saved_done >= 1 -> DONE : IDLE);
    stage[1] = (saved_done >= 2 -> DONE : IDLE)
}

/* A runner that wakes up after another one took over: every transaction reads the lease first. */
inline frozen_writes()
{
#ifdef BROKEN_NO_LEASE
    if
    :: frozen == 1 ->
        insert_row(0, frozen_rows[0]); insert_row(1, frozen_rows[1]); insert_row(2, frozen_rows[2])
    :: else ->
        if :: frozen_rows[0] == DELETED -> delete_row(0) :: else fi;
        if :: frozen_rows[1] == DELETED -> delete_row(1) :: else fi;
        if :: frozen_rows[2] == DELETED -> delete_row(2) :: else fi;
        if :: frozen_rows[0] > DELETED -> replace_row(0, frozen_rows[0]) :: else fi;
        if :: frozen_rows[1] > DELETED -> replace_row(1, frozen_rows[1]) :: else fi;
        if :: frozen_rows[2] > DELETED -> replace_row(2, frozen_rows[2]) :: else fi
    fi;
#endif
    frozen_rows[0] = 0; frozen_rows[1] = 0; frozen_rows[2] = 0;
    frozen = 0
}

proctype crash()
{
    do
    :: atomic { crashes < CRASHES && !finished ->
        crashes++;
        read_checkpoint();
        freeze();
        forget_memory()
       }
    :: d_step { frozen != 0 -> frozen_writes() }
    :: finished -> break
    od
}

/* --- the end ----------------------------------------------------------------------------- */

proctype judge()
{
    d_step {
        visible == UP_TO(txns) && arrived == txns &&
            applied == ends[txns] && batch == 0 && stage[0] == DONE && stage[1] == DONE &&
            frozen == 0 ->
        assert(A1 || tgt[0] == src[0] && tgt[1] == src[1] && tgt[2] == src[2]);
        finished = true
    }
}

init
{
    byte n, lock, k, to, u, u_k, u_to, t, t_max;
    byte locks[TXNS + 1];

    atomic {
        begin_rows();
        do
        :: t_max < TXNS -> t_max++; any_transaction()
        :: break
        od;
        n = 0; k = 0; to = 0; u = 0; u_k = 0; u_to = 0; t = 0; t_max = 0;
        locks[1] = 0;
#if TXNS >= 2
        locks[2] = 0;
#endif
#if TXNS >= 3
        locks[3] = 0;
#endif
#if TXNS >= 4
        locks[4] = 0;
#endif
        run source();
        run stream();
        run chunk(0);
        run chunk(1);
        run applier();
        run crash();
        run judge()
    }
}
