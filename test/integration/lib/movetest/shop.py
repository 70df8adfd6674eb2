"""Customers, orders and items, and transactions over all three of them.

The invariant: an item has its order, an order has its customer, `orders.items`
and `orders.total` are the count and sum of its items, `customers.orders_count`
counts the orders. Every transaction also counts in its worker's own row, so a
transaction that is lost or doubled shows.
"""

import random
import threading
import time

import pymysql

TABLES = ('shop.customers', 'shop.orders', 'shop.items')

SCHEMA = (
    'CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4',
    """CREATE TABLE shop.customers (
        code VARCHAR(24) NOT NULL,
        email VARCHAR(120) NOT NULL,
        tick BIGINT NOT NULL DEFAULT 0,
        orders_count INT NOT NULL DEFAULT 0,
        rating FLOAT NULL,
        settings JSON NULL,
        seen_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
            ON UPDATE CURRENT_TIMESTAMP(6),
        PRIMARY KEY (code),
        UNIQUE KEY email (email))""",
    """CREATE TABLE shop.orders (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
        customer VARCHAR(24) NOT NULL,
        status ENUM('new', 'paid', 'sent', 'returned') NOT NULL DEFAULT 'new',
        items INT NOT NULL,
        total DECIMAL(14, 2) NOT NULL,
        note VARCHAR(200) NULL,
        placed_at DATETIME(3) NOT NULL,
        updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
            ON UPDATE CURRENT_TIMESTAMP(6),
        PRIMARY KEY (id),
        KEY customer (customer, placed_at))""",
    """CREATE TABLE shop.items (
        order_id BIGINT UNSIGNED NOT NULL,
        line SMALLINT UNSIGNED NOT NULL,
        sku VARCHAR(32) NOT NULL,
        quantity INT NOT NULL DEFAULT 1,
        price DECIMAL(10, 2) NOT NULL,
        digest BINARY(16) NULL,
        PRIMARY KEY (order_id, line),
        KEY sku (sku))""",
)

LINES = '(SELECT 1 AS line UNION ALL SELECT 2 UNION ALL SELECT 3) AS l'
SEED_STEP = 20000

# What a broken connection looks like from here.
LOST = (0, 1053, 1290, 2003, 2006, 2013, 1927, 3032)
# The transaction was rolled back, or waited too long: just try another.
RETRY = (1205, 1213, 1062)
NO_SUCH_TABLE = (1146,)


def create(server):
    """The three tables, empty."""
    server.execute(*SCHEMA)


def seed(server, orders):
    """Fills the tables with so many orders, about twice as many items, a fifth of customers."""
    connection = server.connect()
    with connection.cursor() as cursor:
        cursor.execute('SET cte_max_recursion_depth = 1000000000')
        for first in range(1, orders + 1, SEED_STEP):
            last = min(first + SEED_STEP - 1, orders)
            numbers = (f'(WITH RECURSIVE s (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s '
                       f'WHERE n < {last}) SELECT n FROM s) AS s')
            cursor.execute(
                'INSERT INTO shop.items (order_id, line, sku, quantity, price, digest) '
                "SELECT n, l.line, CONCAT('sku-', CRC32(n * 3 + l.line) % 5000), 1 + n % 9, "
                '(CRC32(n + l.line) % 100000) / 100, '
                'IF(n % 11 = 0, NULL, UNHEX(LEFT(SHA2(n * 3 + l.line, 256), 32))) '
                f'FROM {numbers} JOIN {LINES} ON l.line <= 1 + n % 3')
            cursor.execute(
                'INSERT INTO shop.orders (id, customer, status, items, total, note, placed_at) '
                f"SELECT n, CONCAT('c-', LPAD(CRC32(n) % {max(orders // 5, 1)}, 8, '0')), "
                '1 + CRC32(n + 1) % 4, 1 + n % 3, (SELECT SUM(quantity * price) FROM shop.items '
                "WHERE order_id = n), IF(n % 3 = 0, NULL, CONCAT('order ', n, ' ', "
                'REPEAT(CHAR(97 + n % 26), n % 60))), '
                "TIMESTAMP'2025-01-01 00:00:00' + INTERVAL n SECOND "
                f'FROM {numbers}')
        for first in range(0, max(orders // 5, 1), SEED_STEP):
            last = min(first + SEED_STEP, max(orders // 5, 1)) - 1
            numbers = (f'(WITH RECURSIVE s (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s '
                       f'WHERE n < {last}) SELECT n FROM s) AS s')
            cursor.execute(
                'INSERT INTO shop.customers (code, email, orders_count, rating, settings) '
                "SELECT CONCAT('c-', LPAD(n, 8, '0')), CONCAT('c', n, '@shop.example'), "
                "(SELECT COUNT(*) FROM shop.orders WHERE customer = "
                "CONCAT('c-', LPAD(n, 8, '0'))), (CRC32(n) % 500) / 97, "
                "JSON_OBJECT('lang', ELT(1 + n % 3, 'en', 'fr', 'ja'), 'limit', n % 7 * 1.5e0) "
                f'FROM {numbers}')
    connection.close()


def broken(server, names=TABLES):
    """Every sentence of the invariant that does not hold, with a count; names as in TABLES."""
    customers, orders, items = names
    checks = {
        'items without their order':
            f'SELECT COUNT(*) FROM {items} AS i LEFT JOIN {orders} AS o ON o.id = i.order_id '
            'WHERE o.id IS NULL',
        'orders without their customer':
            f'SELECT COUNT(*) FROM {orders} AS o LEFT JOIN {customers} AS c '
            'ON c.code = o.customer WHERE c.code IS NULL',
        'orders whose items or total is not that of its items':
            f'SELECT COUNT(*) FROM {orders} AS o LEFT JOIN (SELECT order_id, COUNT(*) AS n, '
            f'SUM(quantity * price) AS t FROM {items} GROUP BY order_id) AS i '
            'ON i.order_id = o.id WHERE o.items <> COALESCE(i.n, 0) '
            'OR o.total <> COALESCE(i.t, 0)',
        'customers whose orders_count is wrong':
            f'SELECT COUNT(*) FROM {customers} AS c LEFT JOIN (SELECT customer, COUNT(*) AS n '
            f'FROM {orders} GROUP BY customer) AS o ON o.customer = c.code '
            'WHERE c.orders_count <> COALESCE(o.n, 0)',
    }
    found = []
    for text, sql in checks.items():
        count = server.value(sql)
        if count:
            found.append(f'{count} {text}')
    return found


class Worker(threading.Thread):
    """One connection that commits one random transaction after another."""

    def __init__(self, load, number, seed_value):
        super().__init__(daemon=True)
        self.load = load
        self.number = number
        self.random = random.Random(seed_value)
        self.code = f'worker-{number}'
        self.ticks = 0        # transactions known to be committed
        self.doubt = False    # the last COMMIT got no answer
        self.committed = 0
        self.last_at = None   # time.time() of the last COMMIT that was answered
        self.gone_at = None   # when the tables were first found gone
        self.error = None
        self.connection = None
        self.next_id = 10_000_000 + number * 1_000_000

    def run(self):
        """Until told to stop, or until the tables are gone."""
        try:
            pause = 1.0 / self.load.rate
            due = time.monotonic()
            while not self.load.stopping.is_set():
                if not self.step():
                    break
                due = max(due + pause, time.monotonic() - 0.2)
                self.load.stopping.wait(max(0, due - time.monotonic()))
        except Exception as error:  # pylint: disable=broad-except
            self.error = error
        finally:
            if self.connection is not None:
                try:
                    self.connection.close()
                except pymysql.err.Error:
                    pass

    def step(self):
        """One transaction; False when there is nothing more to do."""
        committing = False
        try:
            if self.connection is None:
                self.reconnect()
            with self.connection.cursor() as cursor:
                cursor.execute('BEGIN')
                self.random.choices(self.actions, self.weights)[0](self, cursor)
                cursor.execute('UPDATE shop.customers SET tick = tick + 1 WHERE code = %s',
                               (self.code,))
                committing = True
                cursor.execute('COMMIT')
            self.ticks += 1
            self.committed += 1
            self.last_at = time.time()
        except (pymysql.err.OperationalError, pymysql.err.ProgrammingError,
                pymysql.err.IntegrityError, pymysql.err.InterfaceError,
                pymysql.err.InternalError) as error:
            return self.recover(error, committing)
        return True

    def recover(self, error, committing):
        """After an error: True to go on."""
        code = error.args[0] if error.args else 0
        if code in NO_SUCH_TABLE and self.gone_at is None:
            self.gone_at = time.time()
        if code in NO_SUCH_TABLE and not self.load.survive_rename:
            return False
        if code in NO_SUCH_TABLE or code in RETRY:
            try:
                self.connection.rollback()
            except (pymysql.err.OperationalError, pymysql.err.InterfaceError) as lost:
                return self.recover(lost, False)  # the server died in between
            return not self.load.stopping.wait(0.02 if code in NO_SUCH_TABLE else 0)
        if code in LOST and self.load.survive_restart:
            self.doubt = self.doubt or committing
            try:
                if self.connection is not None:
                    self.connection.close()
            except pymysql.err.Error:
                pass
            self.connection = None
            return not self.load.stopping.wait(0.1)
        raise error

    def reconnect(self):
        """Opens, and after a COMMIT in doubt asks what became of it."""
        self.connection = self.load.server.connect(autocommit=True, read_timeout=60,
                                                   database='shop')
        with self.connection.cursor() as cursor:
            cursor.execute('SET innodb_lock_wait_timeout = 5, lock_wait_timeout = 60')
            if not self.doubt:
                return
            cursor.execute('SELECT tick FROM shop.customers WHERE code = %s', (self.code,))
            tick = cursor.fetchone()[0]
            if tick not in (self.ticks, self.ticks + 1):
                raise AssertionError(f'{self.code} committed {self.ticks}, the source has {tick}')
            self.ticks, self.doubt = tick, False

    # --- the transactions ----------------------------------------------------
    # No raw bytes in their text: the server cannot show such statements in its process list.

    def some_order(self, cursor):
        """A random order, locked; (id, customer) or None."""
        number = self.random.randint(1, max(self.load.orders, 1))
        cursor.execute('SELECT id, customer FROM shop.orders WHERE id >= %s ORDER BY id LIMIT 1 '
                       'FOR UPDATE', (number,))
        return cursor.fetchone()

    def some_customer(self):
        """The code of a seeded customer."""
        return f'c-{self.random.randrange(max(self.load.orders // 5, 1)):08d}'

    def totals(self, cursor, order):
        """Makes the order agree with its items."""
        cursor.execute('UPDATE shop.orders SET items = (SELECT COUNT(*) FROM shop.items WHERE '
                       'order_id = %s), total = (SELECT COALESCE(SUM(quantity * price), 0) FROM '
                       'shop.items WHERE order_id = %s) WHERE id = %s', (order, order, order))

    def new_order(self, cursor):
        """An order with its items."""
        customer = self.some_customer()
        cursor.execute('UPDATE shop.customers SET orders_count = orders_count + 1 '
                       'WHERE code = %s', (customer,))
        if cursor.rowcount != 1:
            return
        lines = [(n + 1, f'sku-{self.random.randrange(5000)}', self.random.randint(1, 9),
                  self.random.randrange(100000) / 100, self.random.randbytes(16).hex())
                 for n in range(self.random.randint(1, 5))]
        cursor.execute('INSERT INTO shop.orders (customer, items, total, note, placed_at) '
                       'VALUES (%s, 0, 0, %s, NOW(3))', (customer, 'new é ✓ ' * 3))
        order = cursor.lastrowid
        cursor.executemany('INSERT INTO shop.items (order_id, line, sku, quantity, price, digest)'
                           ' VALUES (%s, %s, %s, %s, %s, UNHEX(%s))',
                           [(order, *line) for line in lines])
        self.totals(cursor, order)

    def delete_order(self, cursor):
        """An order goes, with its items."""
        found = self.some_order(cursor)
        if found:
            cursor.execute('DELETE FROM shop.items WHERE order_id = %s', (found[0],))
            cursor.execute('DELETE FROM shop.orders WHERE id = %s', (found[0],))
            cursor.execute('UPDATE shop.customers SET orders_count = orders_count - 1 '
                           'WHERE code = %s', (found[1],))

    def change_items(self, cursor):
        """Quantities, one item more or less."""
        found = self.some_order(cursor)
        if found:
            cursor.execute('UPDATE shop.items SET quantity = 1 + (quantity + 3) %% 9, '
                           'digest = UNHEX(%s) WHERE order_id = %s',
                           (self.random.randbytes(16).hex(), found[0]))
            if self.random.random() < 0.5:
                cursor.execute('DELETE FROM shop.items WHERE order_id = %s '
                               'ORDER BY line DESC LIMIT 1', (found[0],))
            self.totals(cursor, found[0])

    def move_order(self, cursor):
        """The order gets another key, far away or back among the seeded ones."""
        found = self.some_order(cursor)
        if found:
            self.next_id += 1
            new = self.next_id
            if self.random.random() < 0.5:
                new = self.random.randint(1, self.load.orders)
            cursor.execute('UPDATE shop.orders SET id = %s WHERE id = %s', (new, found[0]))
            cursor.execute('UPDATE shop.items SET order_id = %s WHERE order_id = %s',
                           (new, found[0]))

    def swap_emails(self, cursor):
        """Two customers exchange a unique value."""
        one, two = sorted((self.some_customer(), self.some_customer()))
        cursor.execute('SELECT code, email FROM shop.customers WHERE code IN (%s, %s) '
                       'ORDER BY code FOR UPDATE', (one, two))
        rows = cursor.fetchall()
        if len(rows) == 2:
            sql = 'UPDATE shop.customers SET email = %s WHERE code = %s'
            cursor.execute(sql, (f'{self.code}@swap.example', rows[0][0]))
            cursor.execute(sql, (rows[0][1], rows[1][0]))
            cursor.execute(sql, (rows[1][1], rows[0][0]))

    def change_case(self, cursor):
        """The customer's key changes in its bytes, but not under its collation."""
        code = self.some_customer()
        cursor.execute("UPDATE shop.customers SET code = IF(BINARY code LIKE BINARY 'c%%', "
                       'UPPER(code), LOWER(code)), rating = rating * 1.0001 WHERE code = %s',
                       (code,))

    def bulk_update(self, cursor):
        """Many rows in one statement."""
        first = self.random.randint(1, self.load.orders)
        cursor.execute('UPDATE shop.orders SET note = %s, status = %s '
                       'WHERE id BETWEEN %s AND %s',
                       (f'bulk {self.random.random()}', self.random.randint(1, 4), first,
                        first + self.random.randint(10, 200)))

    def half_undone(self, cursor):
        """A savepoint that is rolled back inside a transaction that commits."""
        cursor.execute('SAVEPOINT half')
        self.delete_order(cursor)
        cursor.execute('ROLLBACK TO SAVEPOINT half')
        self.change_items(cursor)

    actions = (new_order, delete_order, change_items, move_order, swap_emails, change_case,
               bulk_update, half_undone)
    weights = (30, 12, 20, 12, 8, 8, 2, 8)


class Load:
    """Several workers. `rate` is transactions a second of each."""

    def __init__(self, server, orders, workers=3, rate=40, seed_value=None,
                 survive_rename=False, survive_restart=False):
        self.server = server
        self.orders = orders
        self.rate = rate
        self.survive_rename = survive_rename
        self.survive_restart = survive_restart
        self.stopping = threading.Event()
        self.seed_value = seed_value if seed_value is not None else random.randrange(1 << 32)
        for n in range(workers):
            server.execute('INSERT INTO shop.customers (code, email, tick) VALUES '
                           f"('worker-{n}', 'worker-{n}@shop.example', 0)")
        self.workers = [Worker(self, n, self.seed_value * 1000 + n) for n in range(workers)]

    def start(self):
        """Begins to write."""
        for worker in self.workers:
            worker.start()
        return self

    def stop(self):
        """Ends after the transactions in progress; raises what a worker died of."""
        self.stopping.set()
        self.join()

    def join(self, timeout_s=90):
        """Waits until every worker has ended, by itself or stopped."""
        deadline = time.monotonic() + timeout_s
        for worker in self.workers:
            worker.join(max(0.1, deadline - time.monotonic()))
            if worker.is_alive():
                raise AssertionError(f'{worker.code} still writes')
        for worker in self.workers:
            if worker.error is not None:
                raise AssertionError(f'{worker.code}: {worker.error!r}') from worker.error

    @property
    def committed(self):
        """Transactions so far."""
        return sum(worker.committed for worker in self.workers)

    @property
    def last_write_at(self):
        """When the last COMMIT was answered."""
        return max((w.last_at for w in self.workers if w.last_at), default=None)

    def lost(self, server, table='shop.customers'):
        """Workers whose counter in the table is not what they committed."""
        found = []
        for worker in self.workers:
            tick = server.value(f'SELECT tick FROM {table} WHERE code = %s', (worker.code,))
            allowed = (worker.ticks, worker.ticks + 1) if worker.doubt else (worker.ticks,)
            if tick not in allowed:
                found.append(f'{worker.code} committed {worker.ticks}, {server.role} has {tick}')
        return found
