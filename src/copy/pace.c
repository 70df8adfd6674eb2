#include "copy/pace.h"

#include <glib.h>

/* Parts come in bursts: a window has at least so many of them, and lasts so long. */
#define WINDOW_PARTS 16
#define WINDOW_US INT64_C(2000000)
/* A writer more must bring this much. */
#define GAIN 1.08
#define RESIST_MAX 64

void
pace_init(struct pace *pace, unsigned writers_max)
{
    *pace = (struct pace){
        .writers_max = writers_max,
        .writers = MIN(writers_max, 2),
    };
}

bool
pace_may_read(const struct pace *pace, unsigned waiting)
{
    unsigned idle = pace->writers > pace->writing ? pace->writers - pace->writing : 0;
    /* One ahead: it is ready when the next writer is. */
    return pace->reading + waiting < idle + 1;
}

bool
pace_may_write(const struct pace *pace)
{
    return pace->writing < pace->writers;
}

/* One writer more, or one less. */
static void
change(struct pace *pace, bool more)
{
    pace->writers += more ? 1 : -1U;
    pace->on_trial = more;
}

/* A window is over. */
static void
judge(struct pace *pace, double rate)
{
    if (pace->on_trial && rate < pace->rate * GAIN) {
        /* Tried in vain: back, and a longer rest before the next time, as loads change. */
        pace->failed++;
        pace->resist = MIN(RESIST_MAX, 4U << MIN(pace->failed, 6));
        change(pace, false);
        return;
    }
    if (pace->on_trial)
        pace->failed = 0;
    pace->on_trial = false;
    pace->rate = rate;
    if (pace->resist > 0)
        pace->resist--;
    else if (pace->writers < pace->writers_max)
        change(pace, true);
}

void
pace_note(struct pace *pace, uint64_t bytes, int64_t now_us)
{
    if (pace->began_us == 0) {
        pace->began_us = now_us;
        return;
    }
    pace->bytes += bytes;
    pace->parts++;
    int64_t took_us = now_us - pace->began_us;
    if (pace->parts < WINDOW_PARTS || took_us < WINDOW_US)
        return;
    double rate = (double)pace->bytes * 1e6 / (double)took_us;
    judge(pace, rate);
    pace->began_us = now_us;
    pace->bytes = 0;
    pace->parts = 0;
}
