/* URLs as they may be shown. Pure. */
#ifndef BASE_URL_H
#define BASE_URL_H

/* A URL without its query and fragment, which can carry a token. NULL gives NULL. Caller frees. */
char *url_text(const char *url);

#endif
