#include <criterion/criterion.h>

#include "cli/human.h"

static void
expect(char *got, const char *wanted)
{
    cr_expect_str_eq(got, wanted);
    g_free(got);
}

Test(human, counts)
{
    expect(human_count(0), "0");
    expect(human_count(999), "999");
    expect(human_count(1000), "1,000");
    expect(human_count(1234567), "1,234,567");
    expect(human_count(UINT64_MAX), "18,446,744,073,709,551,615");
}

Test(human, rates)
{
    expect(human_rate(0), "0");
    expect(human_rate(999.4), "999");
    expect(human_rate(999.6), "1.00 k");
    expect(human_rate(12345), "12.3 k");
    expect(human_rate(123456), "123 k");
    expect(human_rate(4560000), "4.56 M");
}

Test(human, durations)
{
    expect(human_duration(-1), "?");
    expect(human_duration(0), "0 ms");
    expect(human_duration(999), "999 ms");
    expect(human_duration(12345), "12.3 s");
    expect(human_duration(59999), "59.9 s");
    expect(human_duration(245000), "4m 05s");
    expect(human_duration(7380000), "2h 03m");
    expect(human_duration(INT64_C(3) * 86400000 + 4 * 3600000), "3d 04h");
}

Test(human, bytes)
{
    expect(human_bytes(0), "0 B");
    expect(human_bytes(1023), "1023 B");
    expect(human_bytes(1536), "1.5 KiB");
    expect(human_bytes(256 << 20), "256.0 MiB");
}

Test(human, percents)
{
    cr_expect_eq(human_percent(0, 0), 100);
    cr_expect_eq(human_percent(0, 10), 0);
    cr_expect_eq(human_percent(5, 10), 50);
    cr_expect_eq(human_percent(999999, 1000000), 99);
    cr_expect_eq(human_percent(10, 10), 100);
    cr_expect_eq(human_percent(11, 10), 100);
    cr_expect_eq(human_percent(UINT64_MAX / 2, UINT64_MAX), 50);
}

Test(human, cells)
{
    g_autoptr(GString) line = g_string_new(NULL);
    human_append_cell(line, "ab", 4, false);
    human_append_cell(line, "ab", 4, true);
    human_append_cell(line, "äöüß", 4, false);
    human_append_cell(line, "abcdef", 4, false);
    cr_expect_str_eq(line->str, "ab    abäöüßabc…");
}
