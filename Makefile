# move-tables
#
#   make [all]         build/move-tables (release)
#   make BUILD=asan …  another variant, in build/asan/: debug release asan tsan fuzz clang
#   make help          the targets
#
# Sources are found, not listed: cmd/*.c is the binary, everything below src/ goes
# into an archive that the binary and the tests link.

BUILD  ?= release
PREFIX ?= /usr/local
V      ?= 0

MT_VERSION := 0.1.0

out := build/$(BUILD)
empty :=
space := $(empty) $(empty)

# --- variants ----------------------------------------------------------------

opt_release := -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
opt_debug   := -O0 -g3
opt_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
opt_tsan    := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
opt_clang   := $(opt_release)
# src/ is instrumented; only the fuzzers themselves bring libFuzzer's main.
opt_fuzz    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
               -fsanitize=fuzzer-no-link

ld_release := -pie -Wl,-z,relro,-z,now
ld_clang   := $(ld_release)

ifeq ($(origin opt_$(BUILD)),undefined)
$(error BUILD=$(BUILD): no such variant. There are: release debug asan tsan fuzz clang)
endif

ifneq ($(filter fuzz clang,$(BUILD)),)
CC := clang
else ifeq ($(origin CC),default)
CC := gcc
endif

# --- flags -------------------------------------------------------------------

modules := glib-2.0 mysqlclient libcurl libcyaml yaml-0.1 jansson uuid libzstd libdeflate libmicrohttpd

# Other people's headers are not ours to warn about: -I becomes -isystem.
# (<mysql.h> and friends are never in the compiler's default path, so this is safe.)
sys_cflags = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(1)))

# Only asked for when something is to be compiled.
ifneq ($(filter-out help clean check,$(or $(MAKECMDGOALS),all)),)
PKG_CFLAGS  := $(call sys_cflags,$(modules))
PKG_LIBS    := $(shell pkg-config --libs $(modules))
TEST_CFLAGS := $(call sys_cflags,criterion zlib)
TEST_LIBS   := $(shell pkg-config --libs criterion zlib)
ifeq ($(strip $(PKG_LIBS)),)
$(error libraries are missing: script/bootstrap brings them, script/build builds with them)
endif
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wformat=2 \
            -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wwrite-strings -Wswitch-enum \
            -Wnull-dereference -Werror

# The sanitizers' instrumentation makes gcc see null and uninitialised values that
# the plain builds, which have these warnings on, prove wrong.
ifneq ($(filter asan tsan,$(BUILD)),)
WARNINGS += -Wno-null-dereference -Wno-maybe-uninitialized
endif

CFLAGS_ALL  = -std=gnu17 -D_GNU_SOURCE -pthread -Isrc -I. $(WARNINGS) $(opt_$(BUILD)) $(CFLAGS)
LDFLAGS_ALL = -pthread $(opt_$(BUILD)) $(ld_$(BUILD)) $(LDFLAGS)

# --- files -------------------------------------------------------------------

src_c  := $(shell find src -name '*.c' 2>/dev/null | LC_ALL=C sort)
cmd_c  := $(wildcard cmd/*.c)
unit_c := $(shell find test/unit -name '*.c' 2>/dev/null | LC_ALL=C sort)
fuzz_c := $(wildcard test/fuzz/fuzz_*.c)

objects = $(patsubst %.c,$(out)/obj/%.o,$(1))
src_o  := $(call objects,$(src_c))
cmd_o  := $(call objects,$(cmd_c))
unit_o := $(call objects,$(unit_c))
fuzz_o := $(call objects,$(fuzz_c))

lib    := $(out)/libmovetables.a
bin    := $(out)/move-tables
unit   := $(out)/unit-tests
fuzzers := $(patsubst test/fuzz/%.c,$(out)/fuzz/%,$(fuzz_c))

ifeq ($(V),0)
quiet = @printf '  %-4s %s\n' '$(1)' '$(2)';
endif

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all lib unit fuzz later cost test check install clean help FORCE

all: $(if $(cmd_c),$(bin),$(if $(src_c),$(lib)))
ifeq ($(BUILD),release)
all: $(if $(cmd_c),build/move-tables)
endif
lib: $(lib)
unit: $(if $(unit_c),$(unit))
fuzz: $(fuzzers)
cost: $(out)/cost

# --- rules -------------------------------------------------------------------

# What objects were compiled with: other flags or another compiler, other objects.
$(out)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(subst ','\'',$(CFLAGS_ALL)) $(PKG_CFLAGS)' | cmp -s - $@ || \
	 echo '$(CC) $(subst ','\'',$(CFLAGS_ALL)) $(PKG_CFLAGS)' >$@

# The commit is known to one object only (*/version.c), which is compiled again
# when it changes and not otherwise.
$(out)/commit: FORCE
	@mkdir -p $(@D)
	@c=$$(GIT_OPTIONAL_LOCKS=0 git -c safe.directory='*' describe --always --dirty --abbrev=12 --match= 2>/dev/null) || \
	   c=$${MT_COMMIT:-unknown}; \
	 echo "$$c" | cmp -s - $@ || echo "$$c" >$@

version_o := $(filter %/version.o,$(src_o) $(cmd_o))
$(version_o): $(out)/commit
$(version_o): private CFLAGS_ALL += -DMT_VERSION='"$(MT_VERSION)"' -DMT_COMMIT='"$(shell cat $(out)/commit)"' \
                            -DMT_BUILD='"$(BUILD)"'

$(unit_o): private PKG_CFLAGS += $(TEST_CFLAGS)
# Criterion's macros expand to code that these don't like; fixtures fill structs of owned strings
# with literals.
$(unit_o): private CFLAGS_ALL += -Wno-cast-qual -Wno-pedantic -Wno-missing-prototypes -Wno-conversion
$(fuzz_o): private CFLAGS_ALL += -Wno-missing-prototypes

$(out)/obj/%.o: %.c $(out)/flags
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CC) $(CFLAGS_ALL) $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

# From scratch, or members whose source is gone would stay in.
$(lib): $(src_o) $(out)/src.list
	$(call quiet,AR,$@)rm -f $@ && ar rcs $@ $(src_o)

# A source that was added or removed changes the list, and the list the archive.
$(out)/src.list: FORCE
	@mkdir -p $(@D)
	@echo '$(src_o)' | cmp -s - $@ || echo '$(src_o)' >$@

$(bin): $(cmd_o) $(lib)
	$(call quiet,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $(cmd_o) $(lib) $(PKG_LIBS) -lm

$(unit): $(unit_o) $(lib)
	$(call quiet,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $(unit_o) $(lib) $(PKG_LIBS) $(TEST_LIBS) -lm

$(out)/fuzz/%: $(out)/obj/test/fuzz/%.o $(lib)
	@mkdir -p $(@D)
	$(call quiet,LD,$@)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $< $(lib) $(PKG_LIBS) -lm

# Builds that do not exist yet (test/data/later/README.md): a few edited sources take the places of
# the archive's objects. As many places must change as the edits say.
later_c := $(addprefix src/,checkpoint/migrations.c checkpoint/save.c checkpoint/state.c)
later   := $(patsubst test/data/later/%/edit.sed,build/later/%/move-tables,$(wildcard test/data/later/*/edit.sed))
later: $(later)
$(later): build/later/%/move-tables: test/data/later/%/edit.sed $(wildcard test/data/later/*/migrations.inc) $(cmd_o) $(lib)
	@mkdir -p $(@D) && rm -f $(@D)/*.c
	@changes=0; for c in $(later_c); do \
	   sed -f $< $$c >$(@D)/$${c##*/}; \
	   changes=$$((changes + $$(diff $$c $(@D)/$${c##*/} | grep -c '^[0-9]'))); done; \
	 wanted=$$(sed -n 's/^# edits: //p' $<); \
	 [ "$$changes" = "$$wanted" ] || { echo "$<: $$changes places changed, not $$wanted: the sources are others now" >&2; exit 1; }
	$(call quiet,CC,$@)$(CC) $(CFLAGS_ALL) -O1 $(PKG_CFLAGS) -DMT_VERSION='"later"' -DMT_COMMIT='"$*"' $(LDFLAGS_ALL) -o $@ \
	   $(@D)/*.c src/base/version.c $(cmd_o) $(lib) $(PKG_LIBS) -lm

$(out)/cost: $(out)/obj/test/cost/cost.o $(lib)
	$(call quiet,LD,$@)$(CC) $(LDFLAGS_ALL) -o $@ $< $(lib) $(PKG_LIBS) -lm

# A copy under a name of its own, so that a running move keeps its binary.
build/move-tables: build/release/move-tables
	$(call quiet,CP,$@)cp $< $@.new && mv -f $@.new $@

test:
	script/test

check:
	script/check

install: build/move-tables
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 build/move-tables $(DESTDIR)$(PREFIX)/bin/move-tables
	$(if $(wildcard docs/move-tables.1),install -d $(DESTDIR)$(PREFIX)/share/man/man1 && \
	  install -m 644 docs/move-tables.1 $(DESTDIR)$(PREFIX)/share/man/man1/)

clean:
	rm -rf build

help:
	@echo 'make all        build/move-tables'
	@echo 'make unit       build/VARIANT/unit-tests'
	@echo 'make fuzz BUILD=fuzz   the fuzzers'
	@echo 'make later      builds of later releases, for tests'
	@echo 'make cost       what test/cost/run counts the instructions of'
	@echo 'make test       everything that script/test runs'
	@echo 'make check      static checks: format, layers, caps'
	@echo 'make install    to $$(DESTDIR)$$(PREFIX), default /usr/local'
	@echo 'make clean      removes build/'
	@echo
	@echo 'BUILD=release|debug|asan|tsan|fuzz|clang   (default release)'
	@echo 'V=1 shows the commands; CFLAGS and LDFLAGS are appended'
	@echo 'On a machine without the libraries: script/build [same arguments]'

FORCE:

-include $(patsubst %.o,%.d,$(src_o) $(cmd_o) $(unit_o) $(fuzz_o) $(out)/obj/test/cost/cost.o)
