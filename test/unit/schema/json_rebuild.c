/* Marks and texts as MySQL 9.7 gave them for such documents. */
#include "schema/json_rebuild.h"

#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

#include "base/error.h"

static struct column_text
text_of(const char *text)
{
    return (struct column_text){.data = text, .length = strlen(text)};
}

/* One mark with the checksum of its text. */
static char *
mark_of(unsigned number, const char *type, const char *text)
{
    return g_strdup_printf("\"%u %s %lu\"", number, type,
                           crc32(0, (const Bytef *)text, (uInt)strlen(text)));
}

static void
expect(const char *document, const char *marks, const char *expected)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    cr_assert(json_rebuild_append(sql, text_of(document), text_of(marks), &error), "%s: %s",
              document, error == NULL ? "" : error->message);
    cr_expect_str_eq(sql->str, expected, "%s, not %s", sql->str, expected);
}

static void
expect_scalar(const char *type, const char *text, const char *expected)
{
    g_autofree char *mark = mark_of(1, type, text);
    g_autofree char *marks = g_strdup_printf("[%s]", mark);
    g_autofree char *sql = g_strdup_printf("JSON_EXTRACT(JSON_ARRAY(%s),'$[0]')", expected);
    expect(text, marks, sql);
}

Test(json_rebuild, scalars)
{
    expect_scalar("DECIMAL", "1.10", "1.10");
    expect_scalar("DECIMAL", "-5", "-5.");
    expect_scalar("UNSIGNED INTEGER", "5", "CAST(5 AS UNSIGNED)");
    expect_scalar("INTEGER", "9223372036854775807", "9223372036854775807");
    expect_scalar("DATE", "\"2020-01-02\"", "DATE'2020-01-02'");
    expect_scalar("TIME", "\"-838:59:59.000000\"", "TIME'-838:59:59.000000'");
    expect_scalar("DATETIME", "\"2020-01-02 03:04:05.000000\"",
                  "TIMESTAMP'2020-01-02 03:04:05.000000'");
    expect_scalar("TIMESTAMP", "\"2020-01-02 03:04:05.000000\"",
                  "(SELECT CAST(v AS JSON) FROM JSON_TABLE('[\"2020-01-02 03:04:05.000000\"]',"
                  "'$[*]' COLUMNS(v TIMESTAMP(6) PATH '$' ERROR ON ERROR)) AS typed)");
    expect_scalar("BLOB", "\"base64:type15:AP8=\"", "x'00ff'");
    expect_scalar("BLOB", "\"base64:type15:\"", "x''");
    expect_scalar("BLOB", "\"base64:type15:AP\\n8=\"", "x'00ff'");
    expect_scalar("BIT", "\"base64:type16:AVU=\"",
                  "(SELECT CAST(v AS JSON) FROM JSON_TABLE('[341]','$[*]' COLUMNS(v BIT(16) "
                  "PATH '$' ERROR ON ERROR)) AS typed)");
    expect_scalar("BLOB", "\"base64:type252:AA==\"",
                  "(WITH RECURSIVE typed(v) AS (SELECT v FROM JSON_TABLE('[null]','$[*]' COLUMNS(v "
                  "BLOB PATH '$')) AS null_of_type UNION ALL SELECT x'00' FROM typed WHERE v IS "
                  "NULL) SELECT CAST(v AS JSON) FROM typed WHERE v IS NOT NULL)");
}

Test(json_rebuild, documents)
{
    expect("{\"a\": 1, \"b\": \"xxxx\", \"c\": [1, 2, 3], \"d\": 1.5, \"e\": null, \"f\": true, "
           "\"p\": 2.25, \"z\": 5}",
           "[\"7 DECIMAL 2270993338\", \"10 DECIMAL 4067824782\", "
           "\"11 UNSIGNED INTEGER 2226203566\"]",
           "JSON_OBJECT(_utf8mb4'a',1,_utf8mb4'b',_utf8mb4'xxxx',_utf8mb4'c',JSON_ARRAY(1,2,3),"
           "_utf8mb4'd',1.5,_utf8mb4'e',null,_utf8mb4'f',true,_utf8mb4'p',2.25,"
           "_utf8mb4'z',CAST(5 AS UNSIGNED))");
    g_autofree char *mark = mark_of(7, "DECIMAL", "0.10");
    g_autofree char *marks = g_strdup_printf("[%s]", mark);
    /* Numbered are all but the arrays that are not a first element. */
    expect("[[[], \"it's\\n\\\\\"], [], {\"k\\\"\": [-0.0, 1e20, 0.10]}]", marks,
           "JSON_ARRAY(JSON_ARRAY(JSON_ARRAY(),_utf8mb4'it\\'s\n\\\\'),JSON_ARRAY(),"
           "JSON_OBJECT(_utf8mb4'k\"',JSON_ARRAY(-0.0e0,1e20,0.10)))");
}

static void
expect_error(const char *document, const char *marks, const char *says)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    cr_assert_not(json_rebuild_append(sql, text_of(document), text_of(marks), &error), "%s",
                  sql->str);
    cr_assert(g_error_matches(error, MT_ERROR, MT_ERROR_DATA));
    cr_expect_neq(strstr(error->message, says), NULL, "%s: no %s", error->message, says);
}

Test(json_rebuild, refuses)
{
    g_autofree char *decimal = mark_of(2, "DECIMAL", "1.5");
    g_autofree char *one = g_strdup_printf("[%s]", decimal);
    g_autofree char *twice = g_strdup_printf("[%s, %s]", decimal, decimal);
    expect("{\"a\": 1.5}", one, "JSON_OBJECT(_utf8mb4'a',1.5)");
    expect_error("{\"a\": 1.6}", one, "another order");
    expect_error("{\"a\": {\"b\": 1.5}}", one, "another order");
    expect_error("{}", one, "another order");
    expect_error("{\"a\": 1.5}", twice, "another order");
    expect_error("{\"a\": 1.5}", "", "another order");
    expect_error("{\"a\": 1.5}", "[\"2 DECIMAL\"]", "another order");
    expect_error("{\"a\": 1.5}", "[\"0 DECIMAL 5\"]", "another order");
    expect_error("{\"a\": 1.5}", "[\"x DECIMAL 5\"]", "another order");
    expect_error("{\"a\": 1.5", one, "malformed");
    g_autofree char *opaque = mark_of(1, "OPAQUE", "\"base64:type253:AA==\"");
    g_autofree char *opaques = g_strdup_printf("[%s]", opaque);
    expect_error("\"base64:type253:AA==\"", opaques, "OPAQUE");
    g_autofree char *quoted = mark_of(1, "DECIMAL", "\"1\"");
    g_autofree char *quoteds = g_strdup_printf("[%s]", quoted);
    expect_error("\"1\"", quoteds, "another order");
    g_autofree char *injected = mark_of(1, "DATE", "\"2020-01-02'\"");
    g_autofree char *injecteds = g_strdup_printf("[%s]", injected);
    expect_error("\"2020-01-02'\"", injecteds, "another order");
    g_autofree char *bare = mark_of(1, "BLOB", "1");
    g_autofree char *bares = g_strdup_printf("[%s]", bare);
    expect_error("1", bares, "BLOB");
}
