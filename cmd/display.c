#include "cmd/display.h"

#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/progress_text.h"
#include "cmd/output.h"

enum { PAINT_INTERVAL_US = 250 * 1000 };

struct display {
    pthread_t thread;
    struct progress *progress;
    bool live; /* painted, not logged */
    bool colour;
    int64_t interval_us;

    pthread_mutex_t paint_mutex; /* held while a log line is written; guards the terminal */
    unsigned painted_lines;
    bool hidden;

    bool pause_told; /* of the display's thread, and of display_end() after it */

    pthread_mutex_t mutex; /* guards ending */
    pthread_cond_t cond;
    bool ending;
};

static struct screen
screen_of_terminal(bool colour)
{
    struct winsize size = {0};
    struct screen screen = {.columns = 100, .rows = 24, .colour = colour};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        screen.columns = size.ws_col;
        screen.rows = size.ws_row;
    }
    return screen;
}

static void
write_terminal(const GString *text)
{
    size_t done = 0;
    while (done < text->len) {
        ssize_t wrote = write(STDERR_FILENO, text->str + done, text->len - done);
        if (wrote <= 0)
            return;
        done += (size_t)wrote;
    }
}

/* Appends what takes the last picture off the terminal. */
static void
append_erase(struct display *display, GString *text)
{
    if (display->painted_lines > 0)
        g_string_append_printf(text, "\033[%uF\033[J", display->painted_lines);
    display->painted_lines = 0;
}

/* One write for erasing and painting: nothing flickers. */
static void
paint(struct display *display)
{
    if (display->hidden)
        return;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(progress_snapshot) snapshot = progress_snapshot(display->progress);
    struct screen screen = screen_of_terminal(display->colour);
    append_erase(display, text);
    display->painted_lines = progress_text_append(text, snapshot, &screen);
    write_terminal(text);
}

static void
erase(struct display *display)
{
    g_autoptr(GString) text = g_string_new(NULL);
    append_erase(display, text);
    write_terminal(text);
}

/* The log's hooks: the lock is held while its line is written. */
static void
before_log_line(void *context)
{
    struct display *display = context;
    pthread_mutex_lock(&display->paint_mutex);
    erase(display);
}

static void
after_log_line(void *context)
{
    struct display *display = context;
    paint(display);
    pthread_mutex_unlock(&display->paint_mutex);
}

/* Said once each time it begins: the lines after it only repeat waiting=paused. */
static void
log_pause(struct display *display, const struct progress_snapshot *snapshot)
{
    bool paused = g_strcmp0(snapshot->waiting, "paused") == 0;
    if (paused && !display->pause_told)
        log_warning("progress", log_msg("copying is paused; `move-tables resume` goes on"));
    display->pause_told = paused;
}

static void
log_progress(struct display *display)
{
    g_autoptr(progress_snapshot) snapshot = progress_snapshot(display->progress);
    log_pause(display, snapshot);
    log_info("move", log_msg("progress"), log_str("phase", snapshot->phase),
             log_str("waiting", snapshot->waiting != NULL ? snapshot->waiting : "no"),
             log_int("tables_done", snapshot->tables_finished),
             log_int("tables", snapshot->table_count),
             log_int("indexes_left", snapshot->indexes_of - snapshot->indexes_built),
             log_int("rows", (int64_t)snapshot->rows_copied),
             log_int("rows_estimated", (int64_t)snapshot->estimated_rows),
             log_int("rows_per_s", (int64_t)snapshot->rows_per_s),
             log_int("changes", (int64_t)snapshot->changes_applied),
             log_int("changes_per_s", (int64_t)snapshot->changes_per_s),
             log_int("lag_ms", snapshot->lag_ms),
             log_int("buffered_bytes", (int64_t)snapshot->buffered_bytes),
             log_int("eta_ms", snapshot->eta_ms));
}

/* Waits for the next picture; true when the display ends. */
static bool
wait_ending(struct display *display, int64_t deadline_us)
{
    pthread_mutex_lock(&display->mutex);
    while (!display->ending &&
           clock_cond_wait_until(&display->cond, &display->mutex, deadline_us)) {
    }
    bool ending = display->ending;
    pthread_mutex_unlock(&display->mutex);
    return ending;
}

static void *
display_main(void *argument)
{
    struct display *display = argument;
    while (!wait_ending(display, clock_monotonic_us() + display->interval_us)) {
        if (!display->live) {
            log_progress(display);
            continue;
        }
        pthread_mutex_lock(&display->paint_mutex);
        paint(display);
        pthread_mutex_unlock(&display->paint_mutex);
    }
    return NULL;
}

/* The last picture, which stays; none of a run that ended before anything was begun. */
static void
show_last(struct display *display)
{
    g_autoptr(progress_snapshot) snapshot = progress_snapshot(display->progress);
    if (display->live && !snapshot->begun)
        erase(display);
    else if (display->live)
        paint(display);
    else if (snapshot->begun)
        log_progress(display);
}

static void
display_free(struct display *display)
{
    pthread_mutex_destroy(&display->paint_mutex);
    pthread_mutex_destroy(&display->mutex);
    pthread_cond_destroy(&display->cond);
    g_free(display);
}

struct display *
display_begin(struct progress *progress, int64_t log_interval_s, bool plain, GError **error)
{
    struct display *display = g_new0(struct display, 1);
    display->progress = progress;
    display->live = !plain && isatty(STDERR_FILENO) && g_strcmp0(g_getenv("TERM"), "dumb") != 0;
    display->colour = output_has_colour(STDERR_FILENO);
    display->interval_us = display->live ? PAINT_INTERVAL_US : log_interval_s * G_USEC_PER_SEC;
    pthread_mutex_init(&display->paint_mutex, NULL);
    pthread_mutex_init(&display->mutex, NULL);
    clock_cond_init(&display->cond);
    if (display->live)
        log_set_display_hooks(before_log_line, after_log_line, display);
    int status = pthread_create(&display->thread, NULL, display_main, display);
    if (status == 0)
        return display;
    log_set_display_hooks(NULL, NULL, NULL);
    display_free(display);
    g_set_error(error, MT_ERROR, MT_ERROR_FAILED, "cannot start the display's thread: %s",
                g_strerror(status));
    return NULL;
}

void
display_end(struct display *display)
{
    if (display == NULL)
        return;
    pthread_mutex_lock(&display->mutex);
    display->ending = true;
    pthread_cond_signal(&display->cond);
    pthread_mutex_unlock(&display->mutex);
    pthread_join(display->thread, NULL);
    log_set_display_hooks(NULL, NULL, NULL);
    show_last(display);
    display_free(display);
}

void
display_hide(struct display *display)
{
    pthread_mutex_lock(&display->paint_mutex);
    if (display->live)
        erase(display);
    display->hidden = true;
    pthread_mutex_unlock(&display->paint_mutex);
}

void
display_show(struct display *display)
{
    pthread_mutex_lock(&display->paint_mutex);
    display->hidden = false;
    pthread_mutex_unlock(&display->paint_mutex);
}
