"""Medians with min–max, ratios, CSV, and a picture."""
import csv
import statistics
from xml.sax.saxutils import escape

BAR, LINE, WIDTH = 22, 160, 640


def rate_text(rate):
    """Thousands, but for what is slower than that."""
    return f'{rate / 1000:.1f} k' if rate >= 1000 else f'{rate:.0f}'


class Report:
    """Numbers by case, way and quantity; printed as tables that a page can take over."""

    def __init__(self):
        self.cases = {}
        self.series = {}  # title: [(seconds, MiB)]

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
        middle, low, high = (form(v) if callable(form) else form.format(v / scale) for v in
                             (statistics.median(values), min(values), max(values)))
        return middle if low == high else f'{middle} ({low}–{high})'

    def table(self, case, unit, reference, more=()):
        """A case as a Markdown table; ratios are to the way named reference. `more`: quantities and
        headings beyond the usual."""
        rows = [['way', unit, 'ratio', 'own CPU s/M', 'source CPU s/M', 'target CPU s/M',
                 'peak RSS MiB', *(heading for _, heading in more)]]
        base = self.median(case, reference, 'rate')
        for way in self.cases[case]:
            rate = self.median(case, way, 'rate')
            rows.append([way, self._cell(case, way, 'rate', 1, rate_text),
                         f'{rate / base:.2f}' if base and rate else '',
                         self._cell(case, way, 'cpu', 1, '{:.2f}'),
                         self._cell(case, way, 'source_cpu', 1, '{:.2f}'),
                         self._cell(case, way, 'target_cpu', 1, '{:.2f}'),
                         self._cell(case, way, 'rss_mib', 1, '{:.0f}'),
                         *(self._cell(case, way, name, 1, '{:.0f}') for name, _ in more)])
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

    # --- the picture ------------------------------------------------------------------------

    def _bars(self, case, top):
        """One bar a way, as long as its median rate."""
        rates = {way: self.median(case, way, 'rate') for way in self.cases[case]}
        rates = {way: rate for way, rate in rates.items() if rate}
        parts = [f'<text x="10" y="{top + 14}" font-weight="bold">{escape(case)}</text>']
        for n, (way, rate) in enumerate(rates.items(), 1):
            y = top + n * BAR
            length = rate / max(rates.values()) * WIDTH / 2
            parts.append(f'<text x="10" y="{y + 14}">{escape(way)}</text>'
                         f'<rect x="240" y="{y + 2}" width="{length:.0f}" height="{BAR - 6}" '
                         f'fill="#4878a8"/><text x="{246 + length:.0f}" y="{y + 14}">'
                         f'{rate_text(rate)}/s</text>')
        return parts, top + (len(rates) + 1) * BAR + 10 if rates else top

    @staticmethod
    def _curve(title, points, top):
        """Memory over time."""
        longest = max(at for at, _ in points) or 1
        highest = max(value for _, value in points) or 1
        path = ' '.join(f'{10 + at / longest * WIDTH:.1f},{top + LINE - value / highest * 120:.1f}'
                        for at, value in points)
        return [f'<text x="10" y="{top + 14}" font-weight="bold">{escape(title)}: resident memory, '
                f'0–{highest:.0f} MiB over {longest:.0f} s</text>'
                f'<polyline points="{path}" fill="none" stroke="#4878a8" stroke-width="1.5"/>']

    def write_plot(self, path):
        """An SVG of all cases."""
        parts, top = [], 10
        for case in self.cases:
            bars, below = self._bars(case, top)
            if below > top:
                parts, top = parts + bars, below
        for title, points in self.series.items():
            if points:
                parts, top = parts + self._curve(title, points, top), top + LINE + 20
        with open(path, 'w', encoding='utf-8') as out:
            out.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + 40}" '
                      f'height="{top}" font-family="sans-serif" font-size="12">\n'
                      + '\n'.join(parts) + '\n</svg>\n')
