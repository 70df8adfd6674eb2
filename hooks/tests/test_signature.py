"""The receiver's verifier against the vectors of Standard Webhooks, and what they leave out."""

import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'receiver'))
import receiver  # noqa: E402
from harness import OTHER, SECRET, sign  # noqa: E402

ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
STAMP = 1614265330
BODY = b'{"test": 2432232314}'
GOOD = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
WRONG = 'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc='


def keys_of(*secrets):
    """The keys in a file of these lines."""
    with tempfile.NamedTemporaryFile('w', suffix='.secrets') as file:
        file.write('\n'.join(secrets) + '\n')
        file.flush()
        return receiver.read_keys(file.name)


def headers_with(signature=GOOD, stamp=str(STAMP), identifier=ID):
    """Those of the vector, changed; None leaves one out."""
    named = {'webhook-id': identifier, 'webhook-timestamp': stamp, 'webhook-signature': signature}
    return {name: value for name, value in named.items() if value is not None}


class Signature(unittest.TestCase):
    """Pure: headers and bytes in, an id or a refusal out."""

    def accepts(self, headers, keys=None, now=STAMP, body=BODY):
        """It returns the id."""
        self.assertEqual(receiver.verify(keys or keys_of(SECRET), headers, body, now),
                         headers['webhook-id'])

    def refuses(self, headers, keys=None, now=STAMP, body=BODY):
        """401, and a reason."""
        with self.assertRaises(receiver.Refused) as caught:
            receiver.verify(keys or keys_of(SECRET), headers, body, now)
        self.assertEqual(caught.exception.answer.status, 401)

    def test_the_vector(self):
        """Of the specification; the tests' own signer makes the same."""
        self.accepts(headers_with())
        self.assertEqual(sign(SECRET, ID, STAMP, BODY), GOOD)

    def test_several_signatures(self):
        """One that is right is enough; of an unknown version it is not."""
        self.accepts(headers_with(' '.join((WRONG, WRONG.replace('v1', 'v2'), GOOD, WRONG))))
        self.refuses(headers_with(GOOD.replace('v1', 'v2')))
        self.refuses(headers_with(GOOD.replace('v1', 'v1a')))
        self.refuses(headers_with(WRONG + ' ' + WRONG))

    def test_missing_and_malformed(self):
        """Each header."""
        for headers in (headers_with(None), headers_with(stamp=None),
                        headers_with(identifier=None), headers_with(''), headers_with('v1,'),
                        headers_with(GOOD[:8]), headers_with(GOOD[:-1]), headers_with(GOOD[3:]),
                        headers_with(GOOD.lower()), headers_with('v1,dawfeoifkpqwoekfpqoekf'),
                        headers_with('v1,\xe9\u2713'), headers_with(stamp='hello'),
                        headers_with(stamp=''), headers_with(stamp='-1614265330'),
                        headers_with(stamp=f' {STAMP}'), headers_with(stamp=f'{STAMP}.0'),
                        headers_with(stamp='١٦١٤٢٦٥٣٣٠'), headers_with(stamp='9' * 5000)):
            with self.subTest(headers):
                self.refuses(headers)

    def test_nothing_signed_can_be_changed(self):
        """Body, id, timestamp."""
        self.refuses(headers_with(), body=BODY + b' ')
        self.refuses(headers_with(identifier=ID + 'x'))
        self.refuses(headers_with(stamp=str(STAMP + 1)))
        # The dots are no way to move bytes from one part to the next.
        self.refuses(headers_with(identifier=f'{ID}.{STAMP}', stamp='1'), now=1)

    def test_timestamp(self):
        """Five minutes either way."""
        for off in (-300, 0, 300):
            self.accepts(headers_with(), now=STAMP + off)
        for off in (-301, 301, 86400):
            self.refuses(headers_with(), now=STAMP + off)

    def test_secrets(self):
        """whsec_ is base64; anything else is the key as it stands."""
        self.refuses(headers_with(), keys_of(OTHER))
        plain = 'correct horse battery staple'
        self.accepts(headers_with(sign(plain, ID, STAMP, BODY)), keys_of(plain))
        # As its own bytes it is another key.
        self.refuses(headers_with(), keys_of(SECRET[6:]))
        for lines in (('',), ('# comment',), ('whsec_',), ('whsec_****',)):
            with self.subTest(lines), self.assertRaises(ValueError):
                keys_of(*lines)

    def test_rotation(self):
        """All secrets of the file are good."""
        for secrets in ((SECRET, OTHER), (OTHER, SECRET), (OTHER, '', '# old', SECRET)):
            self.accepts(headers_with(), keys_of(*secrets))
            self.accepts(headers_with(sign(OTHER, ID, STAMP, BODY)), keys_of(*secrets))

    def test_the_time_it_takes_tells_nothing(self):
        """Every signature is compared with every key, by the comparison made for it."""
        with mock.patch.object(receiver.hmac, 'compare_digest',
                               wraps=receiver.hmac.compare_digest) as compare:
            self.accepts(headers_with(f'{GOOD} {WRONG} {WRONG}'), keys_of(SECRET, OTHER))
        self.assertEqual(compare.call_count, 6)
