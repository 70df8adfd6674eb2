/* A binary JSON document. What comes out is bounded by what went in. */
#include <stddef.h>
#include <stdint.h>

#include "binlog/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GString) text = g_string_sized_new(1);
    g_autoptr(GError) error = NULL;
    bool is_expression = false;
    bool read = json_binary_append(text, data, size, &is_expression, &error);
    if (read != (error == NULL))
        __builtin_trap();
    /* The longest is a double of 8 bytes and an entry of 3; a byte of a string makes 6. As an
     * expression it is a binary value of no byte, in 5 bytes. */
    if (read && text->len > (is_expression ? 64 : 16) * size + 512)
        __builtin_trap();
    return 0;
}
