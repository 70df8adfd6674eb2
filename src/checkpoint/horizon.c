#include "checkpoint/horizon.h"

#include <pthread.h>

struct horizon {
    pthread_mutex_t mutex;
    struct checkpoint *checkpoint;
    struct gtid_set *set;
    struct stream *stream;
};

struct horizon *
horizon_new(struct checkpoint *checkpoint, const struct gtid_set *initial)
{
    struct horizon *horizon = g_new0(struct horizon, 1);
    pthread_mutex_init(&horizon->mutex, NULL);
    horizon->checkpoint = checkpoint;
    horizon->set = gtid_set_copy(initial);
    return horizon;
}

void
horizon_free(struct horizon *horizon)
{
    if (horizon == NULL)
        return;
    gtid_set_free(horizon->set);
    pthread_mutex_destroy(&horizon->mutex);
    g_free(horizon);
}

void
horizon_set_stream(struct horizon *horizon, struct stream *stream)
{
    pthread_mutex_lock(&horizon->mutex);
    horizon->stream = stream;
    pthread_mutex_unlock(&horizon->mutex);
}

bool
horizon_cover(struct horizon *horizon, const struct gtid_set *set, GError **error)
{
    bool covered = true;
    /* Saved under the mutex: whoever finds its set covered must find it durable too. */
    pthread_mutex_lock(&horizon->mutex);
    if (!gtid_set_contains_set(horizon->set, set)) {
        struct gtid_set *wider = gtid_set_copy(horizon->set);
        gtid_set_union(wider, set);
        g_autofree char *text = gtid_set_to_string(wider);
        covered = checkpoint_save_horizon(horizon->checkpoint, text, error);
        if (covered) {
            gtid_set_free(horizon->set);
            horizon->set = wider;
            if (horizon->stream != NULL)
                stream_set_horizon(horizon->stream, wider);
        } else {
            gtid_set_free(wider);
        }
    }
    pthread_mutex_unlock(&horizon->mutex);
    return covered;
}
