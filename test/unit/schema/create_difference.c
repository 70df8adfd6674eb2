#include <criterion/criterion.h>

#include "schema/create_text_int.h"

static const char wanted[] = "CREATE TABLE `` (\n"
                             "  `id` int NOT NULL,\n"
                             "  `a``b` varchar(3) NOT NULL,\n"
                             "  `n` int DEFAULT NULL,\n"
                             "  PRIMARY KEY (`id`),\n"
                             "  KEY `n` (`n`),\n"
                             "  CONSTRAINT `f` FOREIGN KEY (`n`) REFERENCES `p` (`id`)\n"
                             ") ENGINE=InnoDB";

static void
expect_cure(const char *from, const char *to, const char *cure)
{
    g_autoptr(GString) found = g_string_new(wanted);
    g_string_replace(found, from, to, 1);
    g_autoptr(create_difference) difference = create_difference_new(wanted, found->str, "`t`");
    cr_assert_not_null(difference, "%s", from);
    if (cure == NULL)
        cr_expect_null(difference->cure, "%s", difference->cure);
    else
        cr_expect_str_eq(difference->cure, cure);
}

Test(create_difference, equal)
{
    cr_expect_null(create_difference_new(wanted, wanted, "`t`"));
}

Test(create_difference, lines)
{
    g_autoptr(GString) found = g_string_new(wanted);
    g_string_replace(found, "varchar(3)", "char(4)", 1);
    g_autoptr(create_difference) difference = create_difference_new(wanted, found->str, "`t`");
    cr_expect_str_eq(difference->lines, "- `a``b` varchar(3) NOT NULL\n+ `a``b` char(4) NOT NULL");
}

/* The server prints a space behind WITH PARSER, and the comma behind that. */
Test(create_difference, last_in_one_only)
{
    const char *one =
        "CREATE TABLE `` (\n  FULLTEXT KEY `n` (`v`) /*!50100 WITH PARSER `ngram` */ ,\n"
        "  CONSTRAINT `c` CHECK ((`v` > 0))\n) ENGINE=InnoDB";
    const char *other =
        "CREATE TABLE `` (\n  FULLTEXT KEY `n` (`v`) /*!50100 WITH PARSER `ngram` */ \n) ENGINE=InnoDB";
    g_autoptr(create_difference) difference = create_difference_new(one, other, "`t`");
    cr_expect_str_eq(difference->lines, "- CONSTRAINT `c` CHECK ((`v` > 0))");
}

Test(create_difference, cures)
{
    expect_cure("varchar(3)", "char(4)",
                "ALTER TABLE `t` MODIFY COLUMN `a``b` varchar(3) NOT NULL");
    expect_cure("  `n` int DEFAULT NULL,\n", "",
                "ALTER TABLE `t` ADD COLUMN `n` int DEFAULT NULL AFTER `a``b`");
    expect_cure("  `id` int NOT NULL,\n", "", "ALTER TABLE `t` ADD COLUMN `id` int NOT NULL FIRST");
    expect_cure("  `n` int", "  `x` int,\n  `n` int", "ALTER TABLE `t` DROP COLUMN `x`");
    expect_cure("  KEY `n` (`n`),\n", "", "ALTER TABLE `t` ADD KEY `n` (`n`)");
    expect_cure("KEY `n` (`n`)", "KEY `n` (`n`) /*!80000 INVISIBLE */",
                "ALTER TABLE `t` ALTER INDEX `n` VISIBLE");
    expect_cure("PRIMARY KEY (`id`)", "PRIMARY KEY (`n`)",
                "ALTER TABLE `t` DROP INDEX `PRIMARY`, ADD PRIMARY KEY (`id`)");
    expect_cure(",\n  CONSTRAINT `f` FOREIGN KEY (`n`) REFERENCES `p` (`id`)", "",
                "ALTER TABLE `t` ADD CONSTRAINT `f` FOREIGN KEY (`n`) REFERENCES `p` (`id`)");
    expect_cure("ENGINE=InnoDB", "ENGINE=InnoDB ROW_FORMAT=COMPACT",
                "ALTER TABLE `t` ENGINE=InnoDB ROW_FORMAT=DEFAULT");
    expect_cure("ENGINE=InnoDB", "ENGINE=InnoDB MAX_ROWS=1 COMMENT='CHECKSUM=1' COLLATE=x",
                "ALTER TABLE `t` ENGINE=InnoDB MAX_ROWS=0 COMMENT=''");
}

Test(create_difference, what_is_not_simple_has_no_cure)
{
    expect_cure("ENGINE=InnoDB", "ENGINE=InnoDB LATER_OPTION=1", NULL);
    expect_cure(") ENGINE=InnoDB", ") /*!50100 TABLESPACE `ts` */ ENGINE=InnoDB", NULL);
    expect_cure("ENGINE=InnoDB", "ENGINE=InnoDB\n/*!50100 PARTITION BY HASH (`id`) */", NULL);
    expect_cure("  `id` int NOT NULL,\n  `a``b` varchar(3) NOT NULL,\n",
                "  `a``b` varchar(3) NOT NULL,\n  `id` int NOT NULL,\n", NULL);
}

Test(create_difference, character_sets_before_literals_are_none)
{
    static const char one[] = "(\n  CONSTRAINT `c` CHECK ((`v` <> _utf8mb4'_latin1\\'x'))\n)";
    static const char other[] = "(\n  CONSTRAINT `c` CHECK ((`v` <> _ascii'_latin1\\'x'))\n)";
    static const char bytes[] = "(\n  CONSTRAINT `c` CHECK ((`v` <> _binary'_latin1\\'x'))\n)";
    static const char third[] = "(\n  CONSTRAINT `c` CHECK ((`v` <> _ascii'_ascii\\'x'))\n)";
    cr_expect_null(create_difference_new(one, other, "`t`"));
    g_autoptr(create_difference) binary = create_difference_new(one, bytes, "`t`");
    cr_expect_not_null(binary);
    g_autoptr(create_difference) inside = create_difference_new(one, third, "`t`");
    cr_expect_not_null(inside);
}
