"""Character sets: what to write in each, and which collations to compare by."""

# What every character set has, and what escapes, quotes and pads trip over.
PLAIN = ('a', 'A', 'b', 'B', 'z', 'Z', '0', '9', ' ', '-', '_', '%', '.', '/')
ODD = ('\0', '\t', '\n', '\r', '\b', '\x1a', '\x7f', '\\', "'", '"', '`', ';', '\\N', '\\\\', "''",
       '  ', ' \0', '\\\0')
LATIN = tuple('äÄßéÉñÿ€ø')
WIDE = tuple('äßéÉ€ΩжЖİıאไ日本表ソ中文한ǆﬁ') + ('e\u0301', '\u200d', '\ufeff', '\uffff')
EMOJI = ('\U0001f600', '\U0001f1e9\U0001f1ea', '\U0010ffff', '\U00020bb7', '\U0001d11e')
JAPANESE = tuple('表ソ能予ｱア日本噂～')
CHINESE = tuple('中文誠縗許功蓋一丁')
KOREAN = tuple('한국어가뷁')

# name: (collations, characters besides the plain ones)
CHARSETS = {
    'utf8mb4': (('utf8mb4_0900_ai_ci', 'utf8mb4_0900_as_cs', 'utf8mb4_0900_bin', 'utf8mb4_bin',
                 'utf8mb4_general_ci', 'utf8mb4_unicode_520_ci', 'utf8mb4_tr_0900_ai_ci',
                 'utf8mb4_de_pb_0900_as_cs', 'utf8mb4_ja_0900_as_cs_ks', 'utf8mb4_spanish2_ci',
                 'utf8mb4_zh_0900_as_cs'), WIDE + EMOJI),
    'utf8mb3': (('utf8mb3_general_ci', 'utf8mb3_bin', 'utf8mb3_unicode_ci'), WIDE),
    'latin1': (('latin1_swedish_ci', 'latin1_german2_ci', 'latin1_bin', 'latin1_general_cs'), LATIN),
    'latin2': (('latin2_general_ci', 'latin2_czech_cs'), tuple('äßéłŁżŠ')),
    'ascii': (('ascii_general_ci', 'ascii_bin'), ()),
    'cp1251': (('cp1251_general_ci', 'cp1251_general_cs'), tuple('жЖяЯё')),
    'koi8r': (('koi8r_general_ci',), tuple('жЖяЯё')),
    'cp1250': (('cp1250_czech_cs', 'cp1250_general_ci'), tuple('äßéłŠ')),
    'greek': (('greek_general_ci',), tuple('αΑςσΩ')),
    'hebrew': (('hebrew_general_ci',), tuple('אבג')),
    'tis620': (('tis620_thai_ci', 'tis620_bin'), tuple('กขเแไ')),
    'sjis': (('sjis_japanese_ci', 'sjis_bin'), JAPANESE),
    'cp932': (('cp932_japanese_ci', 'cp932_bin'), JAPANESE),
    'ujis': (('ujis_japanese_ci',), JAPANESE),
    'eucjpms': (('eucjpms_japanese_ci', 'eucjpms_bin'), JAPANESE),
    'gbk': (('gbk_chinese_ci', 'gbk_bin'), CHINESE),
    'gb2312': (('gb2312_chinese_ci',), CHINESE),
    'gb18030': (('gb18030_chinese_ci', 'gb18030_bin', 'gb18030_unicode_520_ci'),
                CHINESE + EMOJI),
    'big5': (('big5_chinese_ci', 'big5_bin'), CHINESE),
    'euckr': (('euckr_korean_ci',), KOREAN),
    'ucs2': (('ucs2_general_ci', 'ucs2_unicode_ci', 'ucs2_bin'), WIDE),
    'utf16': (('utf16_general_ci', 'utf16_unicode_ci', 'utf16_bin'), WIDE + EMOJI),
    'utf16le': (('utf16le_general_ci', 'utf16le_bin'), WIDE + EMOJI),
    'utf32': (('utf32_general_ci', 'utf32_unicode_ci', 'utf32_bin'), WIDE + EMOJI),
    'binary': (('binary',), LATIN),
}
BYTES_PER_CHARACTER = {'utf8mb4': 4, 'utf16': 4, 'utf16le': 4, 'utf32': 4, 'gb18030': 4,
                       'utf8mb3': 3, 'ujis': 3, 'eucjpms': 3, 'ucs2': 2, 'sjis': 2, 'cp932': 2,
                       'gbk': 2, 'gb2312': 2, 'big5': 2, 'euckr': 2}


def some_charset(rng):
    """(character set, collation): the usual ones more often."""
    name = rng.choice(('utf8mb4', 'utf8mb4', 'latin1') + tuple(CHARSETS))
    return name, rng.choice(CHARSETS[name][0])


def some_text(rng, charset, longest):
    """A str of at most `longest` characters that the character set mostly has."""
    length = min(longest, rng.choice((0, 1, 1, 2, 3, 5, 8, 13, 40, longest)))
    letters = PLAIN * 2 + ODD + CHARSETS[charset][1] * 2
    text = ''.join(rng.choice(letters) for _ in range(length))[:longest]
    return text + ' ' * (rng.random() < 0.1 and len(text) < longest)


def key_text(rng, charset, longest):
    """A str out of few: several of them are one key under one collation or other."""
    letters = ('a', 'A', 'b', 'ss', 'i', 'I', 'e', 'z') + CHARSETS[charset][1][:8]
    text = ''.join(rng.choice(letters) for _ in range(rng.choice((1, 1, 2)))) + str(rng.randrange(40))
    if rng.random() < 0.15:
        text += rng.choice((' ', '\0', '  '))
    return text[:longest]


def literal(text):
    """SQL for a str that no sql_mode and no connection character set changes."""
    return "_utf8mb4 X'" + text.encode('utf-8', 'surrogatepass').hex() + "'"


def bytes_literal(data):
    """SQL for bytes, stored as they are."""
    return "X'" + data.hex() + "'"
