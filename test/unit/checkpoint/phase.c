#include <criterion/criterion.h>

#include "checkpoint/command.h"
#include "checkpoint/outbox.h"
#include "checkpoint/phase.h"

/* What is stored must be readable again, and is never renamed. */
Test(phase, names_are_read_back)
{
    for (int i = PHASE_COPYING; i <= PHASE_COMPLETED; i++) {
        enum phase parsed = PHASE_COMPLETED;
        cr_expect(phase_parse(phase_name((enum phase)i), &parsed));
        cr_expect_eq(parsed, (enum phase)i);
    }
    cr_expect_str_eq(phase_name(PHASE_COPYING), "copying");
    cr_expect_str_eq(phase_name(PHASE_DRAINED), "drained");
}

Test(phase, an_unknown_name_leaves_the_output_alone)
{
    enum phase parsed = PHASE_READY;
    cr_expect_not(phase_parse("reversing", &parsed));
    cr_expect_not(phase_parse("Copying", &parsed));
    cr_expect_not(phase_parse(NULL, &parsed));
    cr_expect_eq(parsed, PHASE_READY);
}

Test(delivery_state, names_are_read_back)
{
    for (int i = DELIVERY_PENDING; i <= DELIVERY_IN_DOUBT; i++) {
        enum delivery_state parsed = DELIVERY_PENDING;
        cr_expect(delivery_state_parse(delivery_state_name((enum delivery_state)i), &parsed));
        cr_expect_eq(parsed, (enum delivery_state)i);
    }
    enum delivery_state parsed = DELIVERY_SENDING;
    cr_expect_not(delivery_state_parse("held", &parsed));
    cr_expect_eq(parsed, DELIVERY_SENDING);
}

Test(verb, names_are_read_back)
{
    for (int i = VERB_CUTOVER; i <= VERB_ABORT; i++) {
        enum verb parsed = VERB_ABORT;
        cr_expect(verb_parse(verb_name((enum verb)i), &parsed));
        cr_expect_eq(parsed, (enum verb)i);
    }
    enum verb parsed = VERB_PAUSE;
    cr_expect_not(verb_parse("throttle", &parsed));
    cr_expect_eq(parsed, VERB_PAUSE);
}
