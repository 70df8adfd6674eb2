/*
 * Every key of the file, declared once: what it takes, its default, its limits,
 * its meaning, and where it is stored. The reader, `check --defaults`, the
 * schema for libcyaml and docs/configuration.md all come from these tables.
 */
#ifndef CONFIG_KEYS_INT_H
#define CONFIG_KEYS_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

enum key_kind {
    KEY_TEXT,     /* char * */
    KEY_NUMBER,   /* unsigned integer of key->size bytes */
    KEY_BYTES,    /* int64_t, "8MiB" in the file */
    KEY_DURATION, /* int64_t milliseconds, "30s" in the file */
    KEY_CHOICE,   /* enum: the index into choices */
    KEY_CHOICES,  /* list of choices: uint32_t with the bits of their indexes */
    KEY_SECTION,  /* a mapping: the struct of key->section, embedded */
    KEY_SECTIONS, /* a list of mappings: array of the struct, and its count */
    KEY_PAIRS,    /* a mapping with free keys: array of struct hook_header, and its count */
};

struct section;

struct key {
    const char *name;
    enum key_kind kind;
    bool not_stored; /* validated and refused only: its feature is not in this version */
    bool required;
    bool secret;              /* never printed */
    bool not_inherited;       /* read_from does not take it from source */
    uint32_t offset;          /* in the section's struct */
    uint32_t size;            /* of the member */
    uint32_t count_offset;    /* KEY_SECTIONS, KEY_PAIRS: unsigned */
    const char *fallback;     /* the default, as it would be written in the file; NULL: none */
    const char *fallback_key; /* the default is what this sibling says */
    int64_t least;            /* numbers, bytes, durations; texts: length */
    int64_t most;
    const char *const *choices; /* NULL-terminated */
    const struct section *section;
    const char *group;   /* of the keys with the same group one at most may be given */
    const char *off;     /* the only value that this version takes; "null" for none */
    bool inherits;       /* KEY_SECTION: what is left out is taken from the mapping around it */
    const char *meaning; /* for the documentation */
};

struct section {
    const struct key *keys; /* ends with name == NULL */
    uint32_t size;          /* of the struct; 0 when nothing in it is stored */
    const char *short_form; /* a plain text instead of the mapping means this key */
    const char *required_group;
};

/* What libcyaml fills. Strings are GLib's. */
struct loaded_endpoint {
    struct endpoint endpoint; /* password: as written in the file */
    char *password_env;
    char *password_file;
};

struct loaded_source {
    struct loaded_endpoint primary;
    struct loaded_endpoint read_from; /* absent when it has neither host nor socket */
};

struct loaded_table {
    char *from;
    char *to;
};

struct loaded_hook {
    struct hook_endpoint hook; /* secret: as written; headers stays NULL */
    char *secret_env;
    char *secret_file;
    struct hook_header *headers;
    unsigned header_count;
};

struct loaded {
    struct config config; /* the plain sections; the rest stays zero */
    struct loaded_source source;
    struct loaded_endpoint target;
    struct loaded_table *tables;
    unsigned table_count;
    struct loaded_hook *hooks;
    unsigned hook_count;
};

/* For the tables: where a value is stored, and numbers that several limits are made of. */
#define AT(structure, member)                        \
    .offset = (uint32_t)offsetof(structure, member), \
    .size = (uint32_t)sizeof(((structure *)NULL)->member)
#define IN(part, member)                                                                        \
    .offset = (uint32_t)(offsetof(struct config, part.member) - offsetof(struct config, part)), \
    .size = (uint32_t)sizeof(((struct config *)NULL)->part.member)
#define PART(part) AT(struct loaded, config.part)
#define PART_SIZE(part) ((uint32_t)sizeof(((struct config *)NULL)->part))
#define COUNT_AT(structure, member) .count_offset = (uint32_t)offsetof(structure, member)

enum {
    NAME_LENGTH = 64, /* MySQL's limit for identifiers, in characters */
    TEXT_LENGTH = 4096,
    HOUR_MS = 3600 * 1000,
    DAY_S = 86400,
};
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* struct loaded_hook. */
extern const struct section config_hook_section;

/* The whole file: struct loaded. */
const struct section *config_file_section(void);

/* struct hook_header. */
const struct section *config_pair_section(void);

#endif
