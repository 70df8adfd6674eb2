/* Standard Webhooks 1.0, "Signature scheme": symmetric, HMAC-SHA256. Pure. */
#include <string.h>

#include "hook/hook.h"

#define SECRET_PREFIX "whsec_"
#define SHA256_BYTES 32

char *
hook_signature(const char *secret, const char *id, int64_t timestamp_s, GBytes *body)
{
    g_autofree guchar *decoded = NULL;
    const guchar *key = (const guchar *)secret;
    gsize key_length = strlen(secret);
    if (g_str_has_prefix(secret, SECRET_PREFIX)) {
        decoded = g_base64_decode(secret + strlen(SECRET_PREFIX), &key_length);
        key = decoded;
    }

    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, key, key_length);
    g_autofree char *head = g_strdup_printf("%s.%" G_GINT64_FORMAT ".", id, timestamp_s);
    gsize length = 0;
    gconstpointer bytes = g_bytes_get_data(body, &length);
    g_hmac_update(hmac, (const guchar *)head, (gssize)strlen(head));
    if (length > 0)
        g_hmac_update(hmac, bytes, (gssize)length);

    guint8 digest[SHA256_BYTES];
    gsize digest_length = sizeof digest;
    g_hmac_get_digest(hmac, digest, &digest_length);
    g_autofree char *text = g_base64_encode(digest, digest_length);
    return g_strconcat("v1,", text, NULL);
}
