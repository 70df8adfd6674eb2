#include "binlog/value.h"

#include <string.h>

#include "base/error.h"
#include "binlog/layout_int.h"
#include "binlog/value_int.h"

#define DIGITS_MAX 20

void
text_append_unsigned(GString *text, uint64_t value)
{
    char digits[DIGITS_MAX];
    unsigned at = DIGITS_MAX;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    g_string_append_len(text, digits + at, DIGITS_MAX - at);
}

void
text_append_signed(GString *text, int64_t value)
{
    uint64_t magnitude = (uint64_t)value;
    if (value < 0) {
        g_string_append_c(text, '-');
        magnitude = 0 - magnitude;
    }
    text_append_unsigned(text, magnitude);
}

void
text_append_padded(GString *text, uint64_t value, unsigned digits)
{
    char padded[DIGITS_MAX];
    for (unsigned at = digits; at > 0; at--) {
        padded[at - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    g_string_append_len(text, padded, digits);
}

static uint64_t
little_endian(struct stored_value value)
{
    uint64_t number = 0;
    for (size_t i = 0; i < value.length; i++)
        number |= (uint64_t)value.bytes[i] << (8 * i);
    return number;
}

/*
 * One function a kind: appends the text of a stored value to scratch. False
 * with *ret_problem ("it …") when the value cannot be told exactly, or with
 * error set where there is more to say.
 */
struct value_context {
    const struct column_layout *layout;
    GString *scratch;
    const char *problem;
    bool is_expression; /* of a JSON document */
    GError **error;
};

static bool
append_signed(struct value_context *context, struct stored_value value)
{
    unsigned unused_bits = 64 - 8 * (unsigned)value.length;
    int64_t number = (int64_t)(little_endian(value) << unused_bits) >> unused_bits;
    text_append_signed(context->scratch, number);
    return true;
}

static bool
append_unsigned(struct value_context *context, struct stored_value value)
{
    text_append_unsigned(context->scratch, little_endian(value));
    return true;
}

static bool
append_bit(struct value_context *context, struct stored_value value)
{
    uint64_t number = 0;
    for (size_t i = 0; i < value.length; i++)
        number = number << 8 | value.bytes[i];
    text_append_unsigned(context->scratch, number);
    return true;
}

static bool
append_floating(struct value_context *context, double number)
{
    if (text_append_double(context->scratch, number))
        return true;
    context->problem = "it is not a finite number";
    return false;
}

static bool
append_float(struct value_context *context, struct stored_value value)
{
    return append_floating(context, float_from_bytes(value.bytes));
}

static bool
append_double(struct value_context *context, struct stored_value value)
{
    return append_floating(context, double_from_bytes(value.bytes));
}

static bool
append_decimal(struct value_context *context, struct stored_value value)
{
    return decimal_append(context->scratch, value.bytes, context->layout->meta >> 8,
                          context->layout->meta & 0xff, &context->problem);
}

static bool
append_year(struct value_context *context, struct stored_value value)
{
    unsigned year = value.bytes[0];
    text_append_padded(context->scratch, year == 0 ? 0 : 1900 + year, 4);
    return true;
}

static bool
append_date(struct value_context *context, struct stored_value value)
{
    date_append(context->scratch, value.bytes);
    return true;
}

static bool
append_time(struct value_context *context, struct stored_value value)
{
    time_append(context->scratch, value.bytes, context->layout->meta);
    return true;
}

static bool
append_datetime(struct value_context *context, struct stored_value value)
{
    datetime_append(context->scratch, value.bytes, context->layout->meta);
    return true;
}

static bool
append_timestamp(struct value_context *context, struct stored_value value)
{
    timestamp_append(context->scratch, value.bytes, context->layout->meta);
    return true;
}

/* Trailing NULs are not stored; the value has them. */
static bool
append_binary(struct value_context *context, struct stored_value value)
{
    GString *scratch = context->scratch;
    gsize start = scratch->len;
    g_string_set_size(scratch, start + context->layout->value_bytes);
    memset(scratch->str + start, 0, context->layout->value_bytes);
    memcpy(scratch->str + start, value.bytes, value.length);
    return true;
}

static bool
append_json(struct value_context *context, struct stored_value value)
{
    return json_binary_append(context->scratch, value.bytes, value.length, &context->is_expression,
                              context->error);
}

static bool (*const append_value[VALUE_KINDS])(struct value_context *, struct stored_value) = {
    [VALUE_SIGNED] = append_signed,
    [VALUE_UNSIGNED] = append_unsigned,
    [VALUE_BIT] = append_bit,
    [VALUE_FLOAT] = append_float,
    [VALUE_DOUBLE] = append_double,
    [VALUE_DECIMAL] = append_decimal,
    [VALUE_YEAR] = append_year,
    [VALUE_DATE] = append_date,
    [VALUE_TIME] = append_time,
    [VALUE_DATETIME] = append_datetime,
    [VALUE_TIMESTAMP] = append_timestamp,
    [VALUE_BINARY] = append_binary,
    [VALUE_JSON] = append_json,
};

/* Sets *ret_text; it points into the image or into scratch as it is now. */
static bool
read_value(const struct column_layout *column, struct stored_value value,
           struct value_context *context, struct column_text *ret_text)
{
    GString *scratch = context->scratch;
    if (column->kind == VALUE_IN_PLACE ||
        (column->kind == VALUE_BINARY && value.length == column->value_bytes)) {
        *ret_text = (struct column_text){.data = (const char *)value.bytes, .length = value.length};
        return true;
    }
    gsize start = scratch->len;
    context->layout = column;
    context->is_expression = false;
    if (append_value[column->kind](context, value)) {
        *ret_text = (struct column_text){.data = scratch->str + start,
                                         .length = scratch->len - start,
                                         .is_expression = context->is_expression};
        return true;
    }
    if (context->problem != NULL)
        g_set_error(context->error, MT_ERROR, MT_ERROR_DATA,
                    "column `%s` (%s): a value in the binlog cannot be read: %s",
                    column->column->name, column->column->column_type, context->problem);
    else
        g_prefix_error(context->error, "column `%s`: ", column->column->name);
    return false;
}

/* One pass over the first `span` columns. by_key: only the key's, by key part. */
static bool
read_image(const struct row_layout *layout, struct row_image image, bool by_key,
           struct value_context *context, struct column_text *ret_values)
{
    struct cursor cursor = cursor_of(image.bytes, image.length);
    unsigned span = by_key ? layout->key_span : layout->columns_count;
    const uint8_t *bitmap = cursor_bytes(&cursor, (layout->columns_count + 7) / 8);
    if (bitmap == NULL) {
        row_image_malformed(context->error, layout, layout->columns_count);
        return false;
    }
    for (unsigned i = 0; i < span; i++) {
        const struct column_layout *column = &layout->columns[i];
        struct stored_value value;
        struct column_text text = {0};
        bool wanted = by_key ? column->key_part >= 0
                             : !column->column->generated || column->column->compared;
        if (!image_is_null(bitmap, i)) {
            if (!column_layout_take(column, &cursor, &value)) {
                row_image_malformed(context->error, layout, i);
                return false;
            }
            if (wanted && !read_value(column, value, context, &text))
                return false;
        }
        if (!by_key)
            ret_values[i] = text;
        else if (wanted)
            ret_values[column->key_part] = text;
    }
    if (!by_key && cursor_left(&cursor) != 0) {
        row_image_malformed(context->error, layout, layout->columns_count - 1);
        return false;
    }
    return true;
}

/* Growing moves scratch, and the values that were already read point into it. Then everything is read
 * once more: it fits now, and rows to come are hardly longer. The address tells nothing: scratch that
 * grew twice may be back at its old one. */
static bool
read_until_settled(const struct row_layout *layout, struct row_image image, bool by_key,
                   struct value_context *context, struct column_text *ret_values)
{
    gsize room;
    do {
        room = context->scratch->allocated_len;
        g_string_truncate(context->scratch, 0);
        if (!read_image(layout, image, by_key, context, ret_values))
            return false;
    } while (context->scratch->allocated_len != room);
    return true;
}

bool
row_values_read(const struct row_layout *layout, struct row_image image, GString *scratch,
                struct column_text *ret_values, GError **error)
{
    struct value_context context = {.scratch = scratch, .error = error};
    return read_until_settled(layout, image, false, &context, ret_values);
}

bool
row_key_values_read(const struct row_layout *layout, struct row_image image, GString *scratch,
                    struct column_text *ret_values, GError **error)
{
    struct value_context context = {.scratch = scratch, .error = error};
    return read_until_settled(layout, image, true, &context, ret_values);
}
