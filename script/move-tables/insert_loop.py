"""Steady writes to the seeded tables of the source primary, as an application would make them.

Every transaction touches more than one table (an order and its items, with --mixed also the
customer), so a move that is not atomic across tables leaves orphans. At the end one line of JSON
says what was acknowledged. When the tables are gone (they were moved), it ends with success.
"""

import argparse
import json
import os
import random
import signal
import sys
import time

import pymysql

NO_SUCH_TABLE = 1146
NO_SUCH_DATABASE = 1049
RETRY = {1205, 1213, 1290, 1836, 3101}  # lock wait, deadlock, read-only


class Writer:
    def __init__(self, args):
        self.args = args
        self.random = random.Random(args.seed)
        self.connection = None
        self.stop = False
        self.counts = dict.fromkeys(("transactions", "inserted", "updated", "deleted", "retried"), 0)
        self.last_commit = None
        self.longest_gap = 0.0
        self.highest = 0

    def connect(self):
        a = self.args
        self.connection = pymysql.connect(
            host=a.host, port=a.port, user=a.user, password=a.password, charset="utf8mb4",
            autocommit=False, connect_timeout=5, read_timeout=60, write_timeout=60)
        with self.connection.cursor() as c:
            c.execute(f"SELECT COALESCE(MAX(id), 0) FROM `{a.schema}`.orders")
            self.highest = int(c.fetchone()[0])
        self.connection.rollback()

    def an_order(self, cursor):
        """An order that probably exists: a random one at or below the highest."""
        cursor.execute(
            f"SELECT id FROM `{self.args.schema}`.orders WHERE id <= %s ORDER BY id DESC LIMIT 1",
            (self.random.randint(1, max(1, self.highest)),))
        row = cursor.fetchone()
        return row[0] if row else None

    def insert(self, cursor, counts):
        s, r = self.args.schema, self.random
        customer = f"c-{r.randint(0, 999):08d}"
        cursor.execute(
            f"INSERT INTO `{s}`.orders (customer, status, total, note, placed_at)"
            " VALUES (%s, %s, %s, %s, NOW(3))",
            (customer, r.choice(("new", "paid", "sent")), r.randint(1, 10**7) / 100,
             r.choice((None, "", "loop", "größer ✓ 😀", "x" * r.randint(0, 180)))))
        order = cursor.lastrowid
        lines = [(order, n, f"sku-{r.randint(0, 4999)}", r.randint(1, 9), r.randint(1, 99999) / 100,
                  r.randbytes(16)) for n in range(1, r.randint(1, 3) + 1)]
        cursor.executemany(
            f"INSERT INTO `{s}`.items (order_id, line, sku, quantity, price, digest)"
            " VALUES (%s, %s, %s, %s, %s, %s)", lines)
        counts["inserted"] += 1 + len(lines)
        self.highest = max(self.highest, order)

    def change_order(self, cursor, counts):
        s, order = self.args.schema, self.an_order(cursor)
        counts["updated"] += cursor.execute(
            f"UPDATE `{s}`.orders SET status = 1 + (status %% 4), total = total + 0.01 WHERE id = %s", (order,))
        counts["updated"] += cursor.execute(
            f"UPDATE `{s}`.items SET quantity = quantity + 1 WHERE order_id = %s", (order,))

    def delete_order(self, cursor, counts):
        s, order = self.args.schema, self.an_order(cursor)
        counts["deleted"] += cursor.execute(f"DELETE FROM `{s}`.items WHERE order_id = %s", (order,))
        counts["deleted"] += cursor.execute(f"DELETE FROM `{s}`.orders WHERE id = %s", (order,))

    def renumber_line(self, cursor, counts):
        """A primary key that changes, and mostly back later."""
        s, order = self.args.schema, self.an_order(cursor)
        counts["updated"] += cursor.execute(
            f"UPDATE `{s}`.items SET line = IF(line > 1000, line - 1000, line + 1000) WHERE order_id = %s",
            (order,))

    def swap_emails(self, cursor, counts):
        """A unique value that wanders between two rows within one transaction."""
        s = self.args.schema
        cursor.execute(f"SELECT code, email FROM `{s}`.customers WHERE code >= %s ORDER BY code LIMIT 2 FOR UPDATE",
                       (f"c-{self.random.randint(0, 999):08d}",))
        rows = cursor.fetchall()
        if len(rows) < 2:
            return
        (a, mail_a), (b, mail_b) = rows
        for code, mail in ((a, f"swap-{a}-{b}"), (b, mail_a), (a, mail_b)):
            counts["updated"] += cursor.execute(
                f"UPDATE `{s}`.customers SET email = %s, balance = balance + 1 WHERE code = %s", (mail, code))

    def customer(self, cursor, counts):
        """Comes, changes its key's case, or goes."""
        s, r = self.args.schema, self.random
        code = f"loop-{r.randint(0, 499)}"
        done = cursor.execute(f"DELETE FROM `{s}`.customers WHERE code = %s", (code,)) if r.random() < 0.5 else 0
        counts["deleted"] += done
        if not done:
            counts["inserted"] += min(1, cursor.execute(
                f"INSERT INTO `{s}`.customers (code, name, email, balance, rating, settings, created_at)"
                " VALUES (%s, %s, %s, 0, %s, %s, NOW()) ON DUPLICATE KEY UPDATE code = UPPER(code), balance = balance + 1",
                (code, "Loop", f"{code}@loop.example", r.random(),
                 json.dumps({"a": r.random(), "b": [1, 1.0, None, "ü"]}))))

    def transaction(self):
        counts = dict.fromkeys(("inserted", "updated", "deleted"), 0)
        with self.connection.cursor() as cursor:
            while sum(counts.values()) < self.args.batch:
                if self.args.mixed:
                    self.random.choices(
                        (self.insert, self.change_order, self.delete_order, self.renumber_line,
                         self.swap_emails, self.customer), (40, 25, 10, 10, 5, 10))[0](cursor, counts)
                else:
                    self.insert(cursor, counts)
        self.connection.commit()
        now = time.time()
        if self.last_commit is not None:
            self.longest_gap = max(self.longest_gap, now - self.last_commit)
        self.last_commit = now
        self.counts["transactions"] += 1
        for k, v in counts.items():
            self.counts[k] += v
        return sum(counts.values())

    def attempt(self):
        """One transaction; rows changed, 0 if it has to be tried again, None if the tables are gone."""
        try:
            if self.connection is None:
                self.connect()
            return self.transaction()
        except (pymysql.err.OperationalError, pymysql.err.InterfaceError, pymysql.err.InternalError,
                pymysql.err.ProgrammingError, pymysql.err.IntegrityError, OSError) as e:
            code = e.args[0] if e.args else None
            if code in (NO_SUCH_TABLE, NO_SUCH_DATABASE):
                if not self.args.wait:
                    return None
            elif isinstance(e, (pymysql.err.ProgrammingError, pymysql.err.IntegrityError)) and code != 1062:
                raise
            elif code == 1045:
                raise
            self.counts["retried"] += 1
            try:
                self.connection.rollback()
            except Exception:  # whatever it is, the connection is of no use
                self.connection = None
            if code not in RETRY and code != 1062:
                time.sleep(0.05)
            return 0

    def run(self):
        a = self.args
        start, rows, gone = time.monotonic(), 0, False
        while not self.stop:
            if a.seconds and time.monotonic() - start >= a.seconds:
                break
            if a.count and self.counts["transactions"] >= a.count:
                break
            done = self.attempt()
            if done is None:
                gone = True
                break
            rows += done
            if a.rate:
                # Against the clock, so that a hiccup is caught up, but no more than a second of it.
                ahead = rows / a.rate - (time.monotonic() - start)
                if ahead < -1:
                    start -= 1 + ahead
                elif ahead > 0:
                    time.sleep(min(ahead, 0.5))
        return gone


def main():
    base = int(os.environ.get("MT_PORT_BASE", "3307"))
    p = argparse.ArgumentParser(prog="insert-source-primary-loop", description=__doc__.split("\n\n")[0])
    p.add_argument("--batch", type=int, default=10, help="rows changed per transaction, at least (default 10)")
    p.add_argument("--rate", type=float, default=200, help="rows changed per second, 0: as many as it can (default 200)")
    p.add_argument("--mixed", action="store_true",
                   help="also updates, deletes, changing keys, unique values that wander between rows")
    p.add_argument("--seconds", type=float, help="stop after so long")
    p.add_argument("--count", type=int, help="stop after so many transactions")
    p.add_argument("--wait", action="store_true", help="when the tables are gone, wait for them to come back")
    p.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"), help="of the random choices")
    p.add_argument("--schema", default="shop")
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, default=base)
    p.add_argument("--user", default="root")
    p.add_argument("--password", default="opensesame")
    args = p.parse_args()

    w = Writer(args)

    def stop(*_):
        w.stop = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        gone = w.run()
    except pymysql.err.Error as e:
        print(f"insert-source-primary-loop: {e}", file=sys.stderr)
        return 1
    if gone:
        print("insert-source-primary-loop: the tables are gone: they were moved", file=sys.stderr)
    print(json.dumps({**w.counts, "last_commit": w.last_commit, "longest_gap_ms": round(w.longest_gap * 1000),
                      "seed": args.seed, "tables_gone": gone}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
