"""Copying: tables of several shapes, each beside a bare loader of the same rows."""
import os
import shutil

from lab import COLUMNS, Meter, say

# shape: (what it is, its tables' columns, how rows are made of those of a plain table, the part of
# --rows that it has)
SHAPES = {
    'plain': ('primary key only', [COLUMNS], 'SELECT id, k, c, pad FROM {base}', 1),
    'index': ('with a secondary index', [COLUMNS + ', KEY (k)'],
              'SELECT id, k, c, pad FROM {base}', 1),
    'four': ('four tables with a secondary index', [COLUMNS + ', KEY (k)'] * 4,
             'SELECT id, k, c, pad FROM {base}', 1),
    'wide': ('100 columns',
             ['id BIGINT NOT NULL PRIMARY KEY, '
              + ', '.join(f'n{i} INT, t{i} VARCHAR(20), d{i} DATETIME' for i in range(33))],
             'SELECT id, ' + ', '.join(f"k + {i}, LEFT(c, {5 + i % 15}), "
                                       f"'2026-01-01' + INTERVAL k SECOND" for i in range(33))
             + ' FROM {base}', 0.1),
    'blobs': ('BLOBs of 32 KiB', ['id BIGINT NOT NULL PRIMARY KEY, b MEDIUMBLOB'],
              'SELECT id, REPEAT(CONCAT(c, c, c, c, c, c, c, c), 34) FROM {base}', 0.01),
    'string': ('composite string key',
               ['a VARCHAR(40) NOT NULL, b VARCHAR(20) NOT NULL, n INT, pad CHAR(60), '
                'PRIMARY KEY (a, b)'],
               'SELECT LEFT(c, 24), CONCAT(RIGHT(pad, 8), id), k, pad FROM {base}', 0.5),
    'indexes': ('five secondary indexes',
                [COLUMNS + ', KEY (k), KEY (c), KEY (pad), KEY (k, pad), KEY (pad, k)'],
                'SELECT id, k, c, pad FROM {base}', 0.3),
}


class Table:
    """One table of a shape on the source, and its rows in a file for the bare loader."""

    def __init__(self, lab, name, columns, select, rows):
        self.name = name
        self.definition = f'CREATE TABLE {name} ({columns})'
        self.path = os.path.join(lab.folder, f'{name}.tsv')
        self.rows = rows
        source = lab.source
        with lab.quickly(source):
            source.query('USE bench')
            source.query(self.definition)
            source.query(f'INSERT INTO {name} {select.format(base="bench.base")}')
            source.query(f'ANALYZE TABLE {name}')
            if os.path.exists(self.path):
                os.remove(self.path)
            source.query(f"SELECT * FROM {name} INTO OUTFILE '{self.path}' CHARACTER SET binary")


def make(lab, shape):
    """The tables of a shape on the source."""
    _, definitions, select, part = SHAPES[shape]
    rows = max(1000, int(lab.options.rows * part / len(definitions)))
    lab.forget_source()
    lab.fill('bench.base', rows)
    tables = [Table(lab, f't{n + 1}', columns, select, rows)
              for n, columns in enumerate(definitions)]
    lab.source.query('DROP TABLE bench.base')
    lab.source.settle()
    return tables


def by_loader(lab, case, tables, connections, method):
    """The reference: the same rows, in memory already. INSERT: rows of the loader's own."""
    lab.empty_target([table.definition for table in tables])
    meter = Meter(None, lab.target)
    seconds = cpu_s = 0
    for table in tables:
        rows = table.path if method == 'load' else table.rows
        took = lab.load(lab.target, 'file' if method == 'load' else 'insert', connections, rows,
                        f'bench.{table.name}')
        seconds, cpu_s = seconds + took[0], cpu_s + took[1]
    lab.told(case, f'loader, {connections} connections', sum(t.rows for t in tables), seconds,
             [cpu_s, *meter.read()])


def by_tool(lab, case, tables, deferred=False):
    """The tool: from "loading the target" to the phase after the copy, and the whole process.

    With indexes that are built after the copy: until `ready`, when they are there.
    """
    rows = sum(t.rows for t in tables)
    lab.empty_target()
    meter = Meter(lab.source, lab.target)
    run = lab.start_tool([f'bench.{t.name}' for t in tables],
                         extra=['copy: {defer_indexes: true}'] if deferred else []).wait()
    cpu_s = [run.cpu_s, *meter.read()]
    expect(lab, tables)
    way = 'move-tables, defer_indexes' if deferred else 'move-tables'
    seconds = run.copy_seconds('ready' if deferred else 'following')
    lab.told(case, way, rows, seconds, cpu_s, rss_mib=run.rss_mib)
    lab.report.add(case, f'{way}, whole process', rate=rows / run.seconds)


def expect(lab, tables):
    """All rows are there."""
    for table in tables:
        found = lab.target.value(f'SELECT COUNT(*) FROM bench.{table.name}')
        if found != table.rows:
            raise SystemExit(f'bench: {found} rows of {table.name} arrived, not {table.rows}')


def by_others(lab, case, tables):
    """What else was asked for."""
    names = [table.name for table in tables]
    definitions = [table.definition for table in tables]
    ways = {'mysqldump': ('mysqldump | mysql', lambda: lab.dump_and_load(names), definitions),
            'mydumper': ('mydumper, myloader', lab.mydumper, [])}
    for peer in lab.options.peers:
        way, function, made = ways[peer]
        if peer == 'mydumper' and not shutil.which('myloader'):
            raise SystemExit('bench: mydumper is not installed')
        lab.empty_target(made)
        meter = Meter(lab.source, lab.target)
        seconds = function()
        expect(lab, tables)
        lab.told(case, way, sum(t.rows for t in tables), seconds, [None, *meter.read()])
    if lab.options.peer:
        lab.empty_target()
        meter = Meter(lab.source, lab.target)
        seconds = lab.peer(names)
        expect(lab, tables)
        lab.told(case, 'peer', sum(t.rows for t in tables), seconds, [None, *meter.read()])


def measure(lab):
    """Every shape that was asked for, by LOAD DATA or by INSERT."""
    options = lab.options
    for shape in options.shapes or ['plain', 'index']:
        say(f'making {SHAPES[shape][0]}')
        tables = make(lab, shape)
        for method in options.methods:
            lab.target.query(f'SET GLOBAL local_infile={"ON" if method == "load" else "OFF"}')
            how = 'LOAD DATA LOCAL' if method == 'load' else 'INSERT'
            case = f'copy, {SHAPES[shape][0]}, {how}'
            for _ in range(options.runs):
                if method == 'load' or shape in ('plain', 'index', 'four'):
                    for connections in options.connections:
                        by_loader(lab, case, tables, connections, method)
                by_tool(lab, case, tables)
                if shape == 'indexes':
                    by_tool(lab, case, tables, deferred=True)
                by_others(lab, case, tables)
            ways = [f'loader, {n} connections' for n in options.connections]
            best = max(ways, key=lambda way: lab.report.median(case, way, 'rate') or 0)
            lab.tables.append(lab.report.table(case, 'rows/s', best))
        for table in tables:
            os.remove(table.path)
    lab.target.query('SET GLOBAL local_infile=ON')
