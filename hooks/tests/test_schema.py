"""payload.schema.json takes every example, and nothing that lacks what its event must carry."""

import copy
import json
import pathlib
import unittest
import uuid

import jsonschema

HOOKS = pathlib.Path(__file__).resolve().parents[1]
SCHEMA = json.loads((HOOKS / 'payload.schema.json').read_text(encoding='utf-8'))
EXAMPLES = {path.stem: json.loads(path.read_text(encoding='utf-8'))
            for path in sorted((HOOKS / 'examples').glob('*.json'))}
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
# docs/hooks.md: ids of durable events can be computed beforehand.
NAMESPACE = uuid.UUID('c2619a00-c7d2-43ed-bcf0-8f5ede728251')
DURABLE = ('before_cutover', 'cutover_aborted', 'completed', 'rolled_back')

ALWAYS = ('specversion', 'id', 'source', 'type', 'time', 'datacontenttype', 'data', 'data.move',
          'data.move_id', 'data.attempt', 'data.phase', 'data.source', 'data.source.host',
          'data.source.port', 'data.source.server_uuid', 'data.target', 'data.target.host',
          'data.target.port', 'data.target.server_uuid', 'data.tables', 'data.tables.0.from',
          'data.tables.1.to', 'data.tables.0.moved_as', 'data.tables.1.rows')
REQUIRED = {'completed': ('data.drain_gtid', 'data.fenced_at', 'data.drained_at'),
            'cutover_aborted': ('data.reason',), 'failed': ('data.reason',)}

WRONG = [  # event, where, a value that must not pass
    ('completed', 'specversion', '0.3'),
    ('completed', 'id', ''),
    ('completed', 'id', '11111111-2222-3333-4444-555555555555'),  # no UUIDv5
    ('completed', 'source', 'orders-to-shard7'),
    ('completed', 'type', 'completed'),
    ('completed', 'type', 'move-tables.finished'),
    ('completed', 'time', '2026-11-20 12:00:00'),
    ('completed', 'time', '2026-11-20T12:00:00.123+01:00'),
    ('completed', 'datacontenttype', 'text/plain'),
    ('completed', 'data', []),
    ('completed', 'data.move', 'Orders'),
    ('completed', 'data.move_id', 'x'),
    ('completed', 'data.attempt', 0),
    ('completed', 'data.attempt', '1'),
    ('completed', 'data.attempt', 1.5),
    ('completed', 'data.phase', 'draining'),
    ('completed', 'data.drain_gtid', ''),
    ('completed', 'data.fenced_at', None),
    ('completed', 'data.drained_at', 1795176000),
    ('completed', 'data.tables', []),
    ('completed', 'data.tables.0.from', 'orders'),
    ('completed', 'data.tables.0.rows', -1),
    ('completed', 'data.tables.0.rows', '7'),
    ('completed', 'data.target.port', 0),
    ('completed', 'data.target.port', 65536),
    ('completed', 'data.target.host', ''),
    ('completed', 'data.target.server_uuid', ''),
    ('completed', 'data.target.host', '/run/mysqld.sock'),  # a socket has no port
    ('before_cutover', 'data.attempt', 0),
    ('before_cutover', 'data.phase', 'draining'),
    ('cutover_aborted', 'data.attempt', 0),
    ('cutover_aborted', 'data.phase', 'drained'),
    ('cutover_aborted', 'data.reason', ''),
    ('rolled_back', 'data.attempt', 0),
    ('copy_completed', 'data.phase', 'copying'),
    ('ready', 'data.phase', 'following'),
    ('started', 'data.attempt', -1),
    ('started', 'data.phase', 'started'),
]


def at(event, where):
    """The container of a dotted path, and the last key."""
    *path, last = [int(key) if key.isdigit() else key for key in where.split('.')]
    for key in path:
        event = event[key]
    return event, last


class Schema(unittest.TestCase):
    """The payload's schema."""

    def refuses(self, event, what):
        """Fails unless the schema does."""
        self.assertFalse(VALIDATOR.is_valid(event), f'{what} passed')

    def test_is_a_schema(self):
        """By its own meta-schema."""
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_every_event_has_an_example_that_is_valid(self):
        """And no example is of an event that there is not."""
        names = {name.removeprefix('move-tables.') for name in SCHEMA['properties']['type']['enum']}
        self.assertEqual(set(EXAMPLES), names)
        for name, event in EXAMPLES.items():
            with self.subTest(name):
                VALIDATOR.validate(event)
                self.assertEqual(event['type'], f'move-tables.{name}')
                self.assertEqual(event['source'], f'move-tables/{event["data"]["move"]}')

    def test_ids_are_those_that_are_documented(self):
        """UUIDv5 of move id, event and attempt."""
        for name in DURABLE:
            data = EXAMPLES[name]['data']
            wanted = uuid.uuid5(NAMESPACE, f'{data["move_id"]}/{name}/{data["attempt"]}')
            self.assertEqual(EXAMPLES[name]['id'], str(wanted))

    def test_a_missing_field_is_found(self):
        """Each one, in each event."""
        for name, example in EXAMPLES.items():
            for where in ALWAYS + REQUIRED.get(name, ()):
                with self.subTest(f'{name} without {where}'):
                    event = copy.deepcopy(example)
                    inside, last = at(event, where)
                    del inside[last]
                    self.refuses(event, f'{name} without {where}')

    def test_a_wrong_value_is_found(self):
        """The counter-examples."""
        for name, where, value in WRONG:
            with self.subTest(f'{name}: {where} = {value!r}'):
                event = copy.deepcopy(EXAMPLES[name])
                inside, last = at(event, where)
                inside[last] = value
                self.refuses(event, f'{name}: {where} = {value!r}')

    def test_is_open_for_additions(self):
        """A later version may say more, wherever it likes."""
        for name, example in EXAMPLES.items():
            event = copy.deepcopy(example)
            for inside in (event, event['data'], event['data']['source'],
                           event['data']['tables'][0]):
                inside['new'] = {'a': [1]}
            with self.subTest(name):
                VALIDATOR.validate(event)

    def test_a_socket_takes_the_place_of_host_and_port(self):
        """With a socket there is no port."""
        event = copy.deepcopy(EXAMPLES['completed'])
        event['data']['source'] = {'host': '/run/mysqld/mysqld.sock', 'server_uuid': 'u'}
        VALIDATOR.validate(event)
