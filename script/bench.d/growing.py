"""Growth: many rows, many tables, many columns; and the resident memory over a run."""
from lab import COLUMNS, Meter, say


def copy_all(lab, case, way, names, rows):
    """One copy, with its memory over time."""
    lab.empty_target()
    meter = Meter(lab.source, lab.target)
    run = lab.start_tool(names)
    run.wait()
    half = run.seconds / 2
    early = max((m for at, m in run.resident if at <= half), default=0)
    late = max((m for at, m in run.resident if at > half), default=0)
    lab.told(case, way, rows, run.seconds, [run.cpu_s, *meter.read()], rss_mib=run.rss_mib,
             early_mib=early, late_mib=late)
    lab.report.series[f'{case}: {way}'] = run.resident


def by_rows(lab):
    """One table, ten times as many rows each time."""
    case = 'growth in rows, whole process'
    for rows in lab.options.growth:
        lab.forget_source()
        say(f'filling the source with {rows} rows')
        lab.fill('bench.t', rows, True)
        lab.source.settle()
        copy_all(lab, case, f'{rows} rows', ['bench.t'], rows)
    return case


def by_tables(lab):
    """Tables of one row each."""
    case = 'growth in tables of one row, whole process'
    for count in lab.options.many:
        lab.forget_source()
        say(f'making {count} tables')
        with lab.quickly(lab.source):
            lab.source.query('CREATE DATABASE bench')
            for n in range(count):
                lab.source.query(f'CREATE TABLE bench.m{n} ({COLUMNS})')
                lab.source.query(f"INSERT INTO bench.m{n} VALUES (1, {n}, 'c', 'pad')")
        copy_all(lab, case, f'{count} tables', [f'bench.m{n}' for n in range(count)], count)
    return case


def by_columns(lab):
    """A table of many columns; the rate is that of values."""
    case = 'growth in columns, values of 10,000 rows, whole process'
    for count in (10, 100, 1000):
        lab.forget_source()
        with lab.quickly(lab.source):
            lab.fill('bench.base', 10000)
            names = ', '.join(f'n{i} INT' for i in range(count - 1))
            lab.source.query(f'CREATE TABLE bench.w (id BIGINT PRIMARY KEY, {names})')
            lab.source.query('INSERT INTO bench.w SELECT id, '
                             + ', '.join(f'k + {i}' for i in range(count - 1))
                             + ' FROM bench.base')
        copy_all(lab, case, f'{count} columns', ['bench.w'], 10000 * count)
    return case


def measure(lab):
    """All three."""
    parts = {'rows': by_rows, 'tables': by_tables, 'columns': by_columns}
    for part in lab.options.growing or list(parts):
        case = parts[part](lab)
        first = next(iter(lab.report.cases[case]))
        lab.tables.append(lab.report.table(case, 'per second', first, [
            ('early_mib', 'RSS first half MiB'), ('late_mib', 'second half MiB')]))
