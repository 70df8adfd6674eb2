"""Medians with min–max, ratios, CSV."""
import csv
import statistics


class Report:
    """Numbers by case, way and quantity; printed as tables that a page can take over."""

    def __init__(self):
        self.cases = {}

    def add(self, case, way, **quantities):
        """One measured run."""
        ways = self.cases.setdefault(case, {}).setdefault(way, {})
        for name, value in quantities.items():
            ways.setdefault(name, []).append(value)

    def median(self, case, way, name):
        """None when it was not measured."""
        values = self.cases.get(case, {}).get(way, {}).get(name)
        return statistics.median(values) if values else None

    def _cell(self, case, way, name, scale, form):
        values = self.cases[case].get(way, {}).get(name)
        if not values:
            return ''
        middle, low, high = (form.format(v / scale) for v in
                             (statistics.median(values), min(values), max(values)))
        return middle if low == high else f'{middle} ({low}–{high})'

    def table(self, case, unit, reference):
        """A case as a Markdown table; ratios are to the way named reference."""
        rows = [['way', unit, 'ratio', 'own CPU s/M', 'source CPU s/M', 'target CPU s/M',
                 'peak RSS MiB']]
        base = self.median(case, reference, 'rate')
        for way in self.cases[case]:
            rate = self.median(case, way, 'rate')
            rows.append([way, self._cell(case, way, 'rate', 1000, '{:.1f} k'),
                         f'{rate / base:.2f}' if base and rate else '',
                         self._cell(case, way, 'cpu', 1, '{:.2f}'),
                         self._cell(case, way, 'source_cpu', 1, '{:.2f}'),
                         self._cell(case, way, 'target_cpu', 1, '{:.2f}'),
                         self._cell(case, way, 'rss_mib', 1, '{:.0f}')])
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ['| ' + ' | '.join(c.ljust(w) for c, w in zip(row, widths)) + ' |' for row in rows]
        lines.insert(1, '|' + '|'.join('-' * (w + 2) for w in widths) + '|')
        return f'{case}\n\n' + '\n'.join(lines) + '\n'

    def write_csv(self, path):
        """Every single value."""
        with open(path, 'w', newline='', encoding='utf-8') as out:
            writer = csv.writer(out)
            writer.writerow(['case', 'way', 'quantity', 'run', 'value'])
            for case, ways in self.cases.items():
                for way, quantities in ways.items():
                    for name, values in quantities.items():
                        for run, value in enumerate(values, 1):
                            writer.writerow([case, way, name, run, f'{value:.4f}'])
