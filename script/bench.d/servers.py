"""Private servers for measuring: durable, with a real buffer pool, gone at the end."""
import os
import shutil
import signal
import socket
import subprocess
import time

import pymysql

DURABLE = ('--sync-binlog=1', '--innodb-flush-log-at-trx-commit=1')
OPTIONS = DURABLE + (
    '--gtid-mode=ON', '--enforce-gtid-consistency=ON', '--log-bin=binlog',
    '--binlog-row-image=FULL', '--local-infile=ON', '--secure-file-priv=', '--mysqlx=OFF',
    '--performance-schema=OFF', '--skip-name-resolve', '--bind-address=127.0.0.1',
    '--innodb-redo-log-capacity=1G', '--replica-parallel-workers=4', '--skip-replica-start=ON',
    '--relay-log=relay', '--tmpdir=/tmp')


def user_options():
    """mysqld refuses root unless it is told."""
    return ['--user=root'] if os.getuid() == 0 else []


def make_template(folder):
    """An initialised data directory, to be copied."""
    users = os.path.join(folder, 'users.sql')
    with open(users, 'w', encoding='utf-8') as out:
        out.write("CREATE USER root@'127.0.0.1' IDENTIFIED BY '';\n"
                  "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n")
    template = os.path.join(folder, 'template')
    subprocess.run(['mysqld', '--no-defaults', *user_options(), '--initialize-insecure',
                    '--disable-log-bin', '--innodb-redo-log-capacity=32M',
                    f'--init-file={users}', f'--datadir={template}'],
                   check=True, stderr=open(os.path.join(folder, 'initialize.log'), 'wb'))
    os.remove(os.path.join(template, 'auto.cnf'))
    return template


class Server:
    """One mysqld over one data directory."""

    def __init__(self, folder, name, port, pool):
        self.folder = os.path.join(folder, name)
        self.data = os.path.join(self.folder, 'data')
        self.name = name
        self.port = port
        self.pool = pool
        self.process = None
        self._kept = None
        os.makedirs(self.folder)

    def copy_from(self, data):
        """Takes over a data directory of a stopped server, but not its identity."""
        shutil.rmtree(self.data, ignore_errors=True)
        subprocess.run(['cp', '-a', data, self.data], check=True)
        identity = os.path.join(self.data, 'auto.cnf')
        if os.path.exists(identity):
            os.remove(identity)

    def start(self):
        """Starts it and waits until it answers."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(('127.0.0.1', self.port))
            except OSError:
                raise SystemExit(f'bench: port {self.port} is taken; use --port') from None
        log = os.path.join(self.folder, 'error.log')
        with open(log, 'ab') as out:
            self.process = subprocess.Popen(
                ['mysqld', '--no-defaults', *user_options(), *OPTIONS,
                 f'--datadir={self.data}', f'--port={self.port}', f'--server-id={self.port}',
                 f'--socket={self.folder}/sock', f'--pid-file={self.folder}/pid',
                 f'--innodb-buffer-pool-size={self.pool}'],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        deadline = time.monotonic() + 120
        while True:
            try:
                self.connect().close()
                return self
            except pymysql.err.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f'bench: {self.name} does not start, see {log}') from None
                time.sleep(0.05)

    def stop(self):
        """Ends it cleanly."""
        self.forget()
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def connect(self):
        """A new connection of root's."""
        return pymysql.connect(host='127.0.0.1', port=self.port, user='root', password='',
                               autocommit=True, read_timeout=900)

    def query(self, sql):
        """All rows, on a connection that is kept."""
        if self._kept is None:
            self._kept = self.connect()
        with self._kept.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def value(self, sql):
        """The first column of the first row."""
        return self.query(sql)[0][0]

    def forget(self):
        """Closes the kept connection."""
        if self._kept is not None:
            try:
                self._kept.close()
            except pymysql.err.Error:
                pass  # cut off in the middle of an answer
            self._kept = None

    def executed(self):
        """gtid_executed without line breaks."""
        return self.value('SELECT @@GLOBAL.gtid_executed').replace('\n', '')

    def cpu_s(self):
        """CPU seconds, user and system, since its start."""
        with open(f'/proc/{self.process.pid}/stat', encoding='utf-8') as stat:
            fields = stat.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def settle(self):
        """Waits until what earlier work left dirty is written, so that runs start alike."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            dirty = int(self.query("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")[0][1])
            if dirty < 500:
                return
            time.sleep(0.2)
