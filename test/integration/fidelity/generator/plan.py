"""One seed's tables and what hangs between them."""

import copy

from . import tables
from .columns import quoted


class Plan:
    """What a seed stands for, apart from when the load's connections get their turn."""

    def __init__(self, rng, count):
        self.rng = rng
        self.schemas = tables.some_schema(rng)
        names = tables.Names(rng, tables.NAMES)
        self.tables = []
        for _ in range(count):
            schema = rng.choice((tables.SCHEMAS[0], tables.SCHEMAS[0], tables.SCHEMAS[1]))
            self.tables.append(tables.some_table(rng, schema, names.next()))
        self.add_foreign_keys()

    def keep(self, made):
        """Only these tables were made: a column that refers to another one is like any other."""
        for table in made:
            table.parents = {name: parent for name, parent in table.parents.items() if parent in made}
        self.tables = made

    def add_foreign_keys(self):
        """Between the tables, cascading or not, also to themselves."""
        rng = self.rng
        parents = [t for t in self.tables if len(t.key) == 1 and not t.partition and
                   'AUTO_INCREMENT' not in t.key[0].attributes and
                   t.key[0].kind not in ('enum', 'set', 'bit', 'double')]
        for child in self.tables:
            if not parents or child.partition or rng.random() < 0.6:
                continue
            parent = rng.choice(parents)
            column = copy.copy(parent.key[0])
            column.name, column.nullable = f'fk{len(child.columns)}', rng.random() < 0.8
            child.columns.append(column)
            child.parents[column.name] = parent
            rules = ['CASCADE', 'NO ACTION', 'RESTRICT'] + ['SET NULL'] * column.nullable
            child.foreign_keys.append(
                f'ALTER TABLE {child.quoted} ADD FOREIGN KEY ({quoted(column.name)}) REFERENCES '
                f'{parent.quoted} ({quoted(parent.key[0].name)}) ON DELETE {rng.choice(rules)} '
                f'ON UPDATE {rng.choice(rules)}')

    def triggers(self):
        """Statements: a change of one table that makes another."""
        if self.rng.random() > 0.3:
            return []
        table, other = self.rng.choice(self.tables), self.rng.choice(self.tables)
        if table is other or table.schema != other.schema:
            return []
        return [f'CREATE TRIGGER {quoted(table.schema)}.`after` AFTER {self.rng.choice(("INSERT", "UPDATE"))}'
                f' ON {table.quoted} FOR EACH ROW DELETE FROM {other.quoted} WHERE RAND() < 0.01']
