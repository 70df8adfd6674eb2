"""Other builds of the tool than the one under test, and what they leave in a checkpoint."""

import hashlib
import subprocess

from . import tool
from .cluster import quote
from .entry import TOP


def later(name):
    """The binary of a build that does not exist yet: test/data/later/README.md."""
    target = f'build/later/{name}/move-tables'
    done = subprocess.run(['make', '-s', '-C', str(TOP), target], text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise tool.Failure(f'make {target} failed:\n{done.stdout}')
    return str(TOP / target)


def digest(server, schema='move_tables'):
    """Of everything in a schema: definitions and rows."""
    made = hashlib.sha256()
    for (table,) in server.query('SELECT table_name FROM information_schema.tables '
                                 'WHERE table_schema = %s ORDER BY table_name', (schema,)):
        name = f'{quote(schema)}.{quote(table)}'
        made.update(repr(server.query(f'SHOW CREATE TABLE {name}')).encode())
        made.update(repr(sorted(map(repr, server.query(f'SELECT * FROM {name}')))).encode())
    return made.hexdigest()


def fingerprint(server, schema='move_tables'):
    """The digest, and every transaction that the server has ever committed: DDL, too."""
    return digest(server, schema), server.value('SELECT @@GLOBAL.gtid_executed')


# --- checkpoints of released schemas: test/data/checkpoint/README.md ------------------------

# What of a checkpoint belongs to the servers, by column: filled in when it is loaded.
OF_THE_SERVERS = ('position', 'horizon', 'drain_gtid', 'source_uuid', 'target_uuid', 'endpoint',
                  'endpoint_digest')


def literal(connection, column, value):
    """A value of a dump, as SQL."""
    if value is not None and column in OF_THE_SERVERS:
        return f"'@{column}@'"
    if isinstance(value, bytes):
        return "X'" + value.hex() + "'"
    if isinstance(value, str) and column in ('owner', 'taken_by', 'issued_by'):
        return "'host.example:1'"
    return connection.literal(value)


def dump(server, schema='move_tables'):
    """The schema as plain SQL, one statement a line or a CREATE over several."""
    statements = [f'CREATE DATABASE {quote(schema)} CHARACTER SET utf8mb4']
    connection = server.connect(database=schema)
    with connection.cursor() as cursor:
        cursor.execute('SHOW TABLES')
        for (table,) in cursor.fetchall():
            name = f'{quote(schema)}.{quote(table)}'
            cursor.execute(f'SHOW CREATE TABLE {name}')
            create = cursor.fetchone()[1].replace('CREATE TABLE ', f'CREATE TABLE {quote(schema)}.')
            statements.append(create)
            cursor.execute(f'SELECT * FROM {name}')
            columns = [field[0] for field in cursor.description]
            for row in cursor.fetchall():
                values = ', '.join(literal(connection, c, v) for c, v in zip(columns, row))
                statements.append(f'INSERT INTO {name} ({", ".join(map(quote, columns))}) '
                                  f'VALUES ({values})')
    connection.close()
    return ''.join(statement + ';\n' for statement in statements)


def load(server, path, values):
    """Loads a dump, with these values for the names in it."""
    text = path.read_text(encoding='utf-8')
    for name, value in values.items():
        text = text.replace(f'@{name}@', value)
    for statement in text.split(';\n'):
        if statement:
            server.query(statement)


class StandingClock:
    """A server whose clock stands still for those who connect: rows get the same times."""

    def __init__(self, server):
        self.server = server

    def connect(self, **options):
        """As Server.connect()."""
        return self.server.connect(init_command='SET timestamp = 1750000000', **options)
