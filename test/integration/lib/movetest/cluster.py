"""The four local servers, made by script/move-tables/setup.

One cluster serves all cases of a scenario, and a scenario uses the cluster that it
finds: MT_KEEP=1 leaves it for the next. Ports start at 23307, or where script/test
says (MT_PORT_BASE), so a developer's own clusters stay untouched.
"""

import atexit
import contextlib
import fcntl
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time

import pymysql

from .entry import TOP

SCRIPTS = TOP / 'script' / 'move-tables'
ROLES = ('source-primary', 'source-replica', 'target-primary', 'target-replica')
SYSTEM_SCHEMAS = ('mysql', 'sys', 'performance_schema', 'information_schema')

# A SIGKILL of the server loses nothing that the kernel has; only a crash of the
# machine would. So the tests still test, and commits cost a tenth.
SETUP_OPTIONS = (
    '--empty',
    '--mysqld-option=--innodb-flush-log-at-trx-commit=2',
    '--mysqld-option=--sync-binlog=0',
    '--mysqld-option=--innodb-buffer-pool-size=48M',
    '--mysqld-option=--max-connections=120',
)


def quote(name):
    """One identifier in backticks."""
    return '`' + name.replace('`', '``') + '`'


def quote_table(name):
    """schema.table in backticks."""
    return '.'.join(quote(part) for part in name.split('.', 1))


class Server:
    """One server, asked as root over TCP."""

    host = '127.0.0.1'
    user = 'root'
    password = 'opensesame'

    def __init__(self, role, port):
        self.role = role
        self.port = port
        self._kept = None
        self._lock = threading.RLock()  # receivers ask from threads of their own

    def connect(self, **options):
        """A new connection, autocommit unless told otherwise."""
        settings = {'host': self.host, 'port': self.port, 'user': self.user,
                    'password': self.password, 'charset': 'utf8mb4',
                    'autocommit': True, 'connect_timeout': 10}
        settings.update(options)
        return pymysql.connect(**settings)

    def query(self, sql, args=None):
        """All rows, on a connection that is kept and opened again when lost."""
        with self._lock:
            return self._query(sql, args)

    def _query(self, sql, args):
        for last in (False, True):
            try:
                if self._kept is None:
                    self._kept = self.connect()
                with self._kept.cursor() as cursor:
                    cursor.execute(sql, args)
                    return cursor.fetchall()
            except pymysql.err.OperationalError as error:
                if last or error.args[0] not in (0, 2003, 2006, 2013):
                    raise
                self.forget()
            except pymysql.err.InterfaceError:
                if last:
                    raise
                self.forget()
            except UnicodeDecodeError:
                self.forget()  # the rest of the answer is unread
                raise
        return ()

    def value(self, sql, args=None):
        """The first column of the first row, or None."""
        rows = self.query(sql, args)
        return rows[0][0] if rows else None

    def execute(self, *statements):
        """Several statements one after another."""
        for statement in statements:
            self.query(statement)

    def forget(self):
        """Closes the kept connection."""
        if self._kept is not None:
            try:
                self._kept.close()
            except pymysql.err.Error:
                pass
            self._kept = None

    def sessions(self, user):
        """(id, state) of a user's connections; of everybody's with None.

        Not from information_schema, which fails while a statement holds raw bytes; in a character
        set of single bytes, since the server cuts statements off in the middle of a character.
        """
        connection = self.connect(charset='latin1')
        try:
            with connection.cursor() as cursor:
                cursor.execute('SHOW PROCESSLIST')
                return [(row[0], row[6]) for row in cursor.fetchall()
                        if user in (None, row[1]) and row[0] != connection.thread_id()]
        finally:
            connection.close()

    def cut(self, user):
        """Kills all connections of a user; how many."""
        count = 0
        for number, _ in self.sessions(user):
            if self._kept is not None and number == self._kept.thread_id():
                continue
            try:
                self.execute(f'KILL {number}')
                count += 1
            except pymysql.err.OperationalError:
                pass  # gone by itself
        return count

    def roll_back_prepared(self):
        """Ends every prepared XA transaction: its locks outlive its connection."""
        deadline = time.monotonic() + 10
        for number, gtrid, _, data in self.query('XA RECOVER CONVERT XID'):
            digits = data[2:]
            xid = f"X'{digits[:2 * gtrid]}',X'{digits[2 * gtrid:]}',{number}"
            while True:
                try:
                    self.execute('XA ROLLBACK ' + xid)
                    break
                except pymysql.err.MySQLError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)  # its connection is about to end

    def table_exists(self, name):
        """Whether schema.table is there."""
        schema, table = name.split('.', 1)
        return self.value('SELECT COUNT(*) FROM information_schema.tables '
                          'WHERE table_schema = %s AND table_name = %s',
                          (schema, table)) == 1

    def schemas(self):
        """Names of all schemas that are not the server's own."""
        rows = self.query('SELECT schema_name FROM information_schema.schemata')
        return [row[0] for row in rows if row[0] not in SYSTEM_SCHEMAS]


class Cluster:
    """All four servers."""

    def __init__(self, port_base):
        self.port_base = port_base
        self.servers = {role: Server(role, port_base + n) for n, role in enumerate(ROLES)}
        self.source = self.servers['source-primary']
        self.source_replica = self.servers['source-replica']
        self.target = self.servers['target-primary']
        self.target_replica = self.servers['target-replica']

    def read_from_replica(self):
        """The part of `source` that makes a move read from the source's replica."""
        return {'read_from': {'host': self.source_replica.host,
                              'port': self.source_replica.port}}

    def _script(self, name, *args):
        environment = dict(os.environ, MT_PORT_BASE=str(self.port_base), MT_WAY='process')
        environment.pop('MT_DIR', None)
        done = subprocess.run([str(SCRIPTS / name), *args], env=environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise RuntimeError(f'script/move-tables/{name} {" ".join(args)} failed:\n'
                               f'{done.stdout}')

    def folder(self):
        """Where script/move-tables knows the cluster from."""
        return pathlib.Path(f'/tmp/move-tables-{os.getuid()}-{self.port_base}')

    def exists(self):
        """Whether setup has made it."""
        return (self.folder() / 'cluster.conf').exists()

    def setup(self):
        """Makes it, without any table."""
        self._script('setup', *SETUP_OPTIONS)

    def teardown(self):
        """Removes it with all that it left."""
        self._script('teardown')

    def kill(self, server):
        """SIGKILL; returns when its port is free again."""
        self._script('kill', server.role)
        server.forget()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection((server.host, server.port), 1).close()
            except ConnectionRefusedError:
                return
            except OSError:
                pass
            time.sleep(0.02)
        raise RuntimeError(f'{server.role} still listens after SIGKILL')

    def start(self, server, *options):
        """Starts a server that is down; returns when it answers."""
        self._script('start', server.role, *options)

    def stop(self, server):
        """A clean shutdown."""
        self._script('stop', server.role)
        server.forget()

    def restart(self, server, *options):
        """SIGKILL and start."""
        self.kill(server)
        self.start(server, *options)

    def _made_data(self, options):
        """A data directory that was initialised with options, kept for the next that wants the same."""
        data = self.folder() / ('data' + ''.join(options))
        if data.exists():
            return data
        users = ["CREATE USER root@'%' IDENTIFIED BY 'opensesame'", "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION",
                 "ALTER USER root@localhost IDENTIFIED BY 'opensesame'", "CREATE USER mover@'%' IDENTIFIED BY 'mover'",
                 *{row[0]: None for primary in (self.source, self.target) for row in primary.query("SHOW GRANTS FOR mover@'%'")}]
        init = self.folder() / 'users.sql'
        init.write_text(';\n'.join(users) + ';\n', encoding='utf-8')
        subprocess.run(['mysqld', '--no-defaults', '--user=root', '--initialize-insecure', f'--init-file={init}',
                        '--disable-log-bin', '--innodb-redo-log-capacity=32M', *options, f'--datadir={data}.part'],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (pathlib.Path(f'{data}.part') / 'auto.cnf').unlink()  # or all would be one server
        return pathlib.Path(f'{data}.part').rename(data)

    @contextlib.contextmanager
    def made_with(self, server, *options):
        """A primary made anew with options that only initialising takes; the former one afterwards.

        It has root, and mover with the privileges of both sides.
        """
        data = self.folder() / server.role / 'data'
        aside = data.with_name('data.aside')
        fresh = self._made_data(options)
        self.stop(server)
        data.rename(aside)
        try:
            subprocess.run(['cp', '-a', '--reflink=auto', fresh, data], check=True)
            self.start(server, *options)
            yield server
        finally:
            self._script('kill', server.role)
            server.forget()
            shutil.rmtree(data)
            aside.rename(data)
            self.start(server)

    @staticmethod
    def promote(replica):
        """Makes a replica a primary of its own, with what it has applied."""
        replica.execute('STOP REPLICA', 'RESET REPLICA ALL', 'SET GLOBAL super_read_only = OFF',
                        'SET GLOBAL read_only = OFF')

    def pair_again(self, primary, replica):
        """Two servers whose histories parted: both empty, without a past, one following."""
        for server in (primary, replica):
            server.forget()
            try:
                server.query('DO 1')
            except pymysql.err.OperationalError:
                self.start(server)
            server.execute('STOP REPLICA', 'RESET REPLICA ALL', 'SET GLOBAL super_read_only = OFF',
                           'SET GLOBAL read_only = OFF')
            server.cut('mover')
            server.cut('root')
            server.roll_back_prepared()
            for schema in server.schemas():
                server.execute('DROP DATABASE ' + quote(schema))
            server.execute('RESET BINARY LOGS AND GTIDS')
        replica.execute(
            f"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '{primary.host}', "
            f"SOURCE_PORT = {primary.port}, SOURCE_USER = 'replica', "
            "SOURCE_PASSWORD = 'replica', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1, "
            'SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 86400, SOURCE_HEARTBEAT_PERIOD = 2',
            'START REPLICA', 'SET GLOBAL super_read_only = ON')

    def clean(self):
        """As after setup: no schema, no user of a test, settings as started."""
        for server in self.servers.values():
            try:
                server.query('DO 1')
            except pymysql.err.OperationalError:
                server.forget()
                self.start(server)
        for replica in (self.source_replica, self.target_replica):
            replica.execute('START REPLICA')  # it gives up for good when GTIDs are off
        for server in (self.source, self.target):
            server.execute('SET GLOBAL super_read_only = OFF', 'SET GLOBAL read_only = OFF')
            for user in ('mover', 'root'):  # what a failed case left would be waited for
                server.cut(user)
            server.roll_back_prepared()
            # A foreign key may lead from one schema to another.
            server.execute('SET SESSION foreign_key_checks = 0')
            for schema in server.schemas():
                server.execute('DROP DATABASE ' + quote(schema))
            server.execute('SET SESSION foreign_key_checks = 1')
            for (user,) in server.query("SELECT user FROM mysql.user WHERE user LIKE 't\\_%%'",
                                        ()):
                server.execute(f"DROP USER '{user}'@'%'")

    def wait_replicated(self, timeout_s=60):
        """Until both replicas have what their primaries have."""
        for primary, replica in ((self.source, self.source_replica),
                                 (self.target, self.target_replica)):
            executed = primary.value('SELECT @@GLOBAL.gtid_executed').replace('\n', '')
            if replica.value('SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s)',
                             (executed, timeout_s)) != 0:
                raise RuntimeError(f'{replica.role} does not follow {primary.role}')


def attach():
    """The cluster that scenarios share; made here, and removed at exit, when there is none.

    A lock keeps two test runs from using one cluster.
    """
    port_base = 23307
    if os.environ.get('MT_SCRATCH'):  # started by script/test
        port_base = int(os.environ.get('MT_PORT_BASE', port_base))
    port_base = int(os.environ.get('MT_TEST_PORT_BASE', port_base))
    cluster = Cluster(port_base)
    path = f'/tmp/move-tables-test-{os.getuid()}-{port_base}.lock'
    lock = open(path, 'w', encoding='ascii')  # held until exit
    began = time.monotonic()
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() - began > 1800:
                raise RuntimeError(f'another test run holds {path}') from None
            time.sleep(0.5)
    cluster.lock = lock
    if not cluster.exists():
        cluster.setup()
        if not os.environ.get('MT_KEEP'):
            atexit.register(cluster.teardown)
    return cluster
