"""Two runners of one move, told apart on the servers and at the receiver.

Each runs as a MySQL user of its own, with the documented grants, and sends a header
of its own with every hook. So the servers' own records (binlog, general log) and the
receiver's say who did what after the other one had taken the move over.
"""

import hashlib
import os
import re
import subprocess

import pymysql

from . import receiver
from .tool import Move, merged, wait_until

# What a runner that lost the move may still send: it looks, and lets go.
HARMLESS = re.compile(r'\s*(/\*!\d+ )?(SELECT|SHOW|SET|START TRANSACTION|COMMIT|ROLLBACK|XA RECOVER|'
                      r'DO (GET_LOCK|RELEASE_LOCK)|KILL|WITH)\b', re.IGNORECASE)

# Where the owner of a move says that it lives and how far it is.
OWN_ROW = re.compile(r'UPDATE `move_tables`\.`move` SET `updated_at` = NOW\(6\), `build` = '
                     r'(?!.*`phase`)', re.DOTALL)


def lock_names(move):
    """(on the source, on the target): the locks that the runner of a move holds."""
    digest = hashlib.sha1(move.encode()).hexdigest()
    return ([f'move-tables:rename:{digest}'],
            [f'move-tables:move_tables:{move}'])


def work_lock_names(move):
    """On the target: the locks of the connections that change tables."""
    return [f'move-tables-ddl:move_tables:{move}', 'move-tables:move_tables:/schema',
            *(f'move-tables-index-{place}:move_tables:{move}' for place in range(4))]


def create_user(server, name):
    """A user with exactly the grants of `mover`, and its own name as password."""
    server.execute(f"CREATE USER '{name}'@'%' IDENTIFIED BY '{name}'")
    for (grant,) in server.query("SHOW GRANTS FOR 'mover'@'%'", None):
        server.query(grant.replace('`mover`@`%`', f'`{name}`@`%`'))


def end_sessions(server, numbers):
    """Kills sessions; returns when the server has let them go."""
    for number in numbers:
        try:
            server.execute(f'KILL {number}')
        except Exception as error:  # pylint: disable=broad-except
            if getattr(error, 'args', (0,))[0] != 1094:  # gone by itself
                raise
    wait_until(lambda: not set(numbers) & {number for number, _ in server.sessions(None)},
               f'{server.role} to end the sessions {numbers}')


def lock_sessions(server, names):
    """Who holds the locks now."""
    held = [server.value('SELECT IS_USED_LOCK(%s)', (name,)) for name in names]
    return {number for number in held if number is not None}


class Rival:
    """One of the two: its user, its file, its mark in hooks."""

    def __init__(self, case, label, hook, changes=None, tables=None):
        self.label = label
        self.user = f't_{label}'
        self.case = case
        for server in (case.source, case.target):
            create_user(server, self.user)
        folder = case.folder / label
        folder.mkdir()
        base = {
            'source': {'user': self.user, 'password': self.user},
            'target': {'user': self.user, 'password': self.user},
            'checkpoint': {'interval_ms': 50},
        }
        if hook is not None:
            base['hooks'] = [{'url': hook.url, 'secret': hook.secret, 'timeout_ms': 5000,
                              'headers': {'X-Runner': label}}]
        from . import shop  # pylint: disable=import-outside-toplevel
        self.move = Move(folder, case.cluster, tables or shop.TABLES,
                         merged(base, changes or {}))
        case.moves.append(self.move)

    def sessions(self, server):
        """The ids of its connections."""
        return {number for number, _ in server.sessions(self.user)}

    def lose_lock_sessions(self):
        """Ends the sessions that hold its locks; how many."""
        count = 0
        for server, names in zip((self.case.source, self.case.target),
                                 lock_names(self.move.name)):
            numbers = lock_sessions(server, names) & self.sessions(server)
            end_sessions(server, numbers)
            count += len(numbers)
        return count

    def lose_locks(self):
        """What the servers do by themselves after a minute of silence, at once.

        Ends the sessions that hold its locks on both sides, and those of the target with an
        open transaction. All its other connections stay as they are.
        """
        self.lose_lock_sessions()
        server = self.case.target
        at_work = lock_sessions(server, work_lock_names(self.move.name))
        end_sessions(server, at_work & self.sessions(server))

        def open_transactions():
            return {row[0] for row in server.query(
                'SELECT trx_mysql_thread_id FROM information_schema.innodb_trx')} & \
                self.sessions(server)

        def ended():
            try:
                end_sessions(server, open_transactions())
                return not open_transactions()
            except pymysql.err.MySQLError as error:
                if error.args[0] != 3854:
                    raise
                return False  # the view cannot show a statement with raw bytes: ask again
        wait_until(ended, f'no transaction of {self.user} to be open')

    def owns(self, runner):
        """Whether the lease names this runner."""
        try:
            owner = self.case.target.value('SELECT owner FROM move_tables.lease WHERE move = %s',
                                           (self.move.name,))
        except pymysql.err.MySQLError as error:
            if error.args[0] in (1049, 1146):
                return False  # no checkpoint yet
            raise
        return owner is not None and owner.endswith(f':{runner.process.pid}')


class Records:
    """What the servers and the receiver recorded since the take-over."""

    def __init__(self, case, hook):
        self.case = case
        self.hook = hook
        self.servers = (case.source, case.target)
        self.binlog = {}
        self.requests = 0
        for server in self.servers:
            server.execute('SET GLOBAL general_log = OFF', "SET GLOBAL log_output = 'TABLE'",
                           'TRUNCATE mysql.general_log', 'SET GLOBAL general_log = ON')

    def taken_over(self):
        """From here on the first runner may do nothing."""
        for server in self.servers:
            self.binlog[server.role] = server.query('SHOW BINARY LOGS')[-1][:2]
            server.execute("SELECT 'taken over'")
        self.requests = len(self.hook.requests()) if self.hook else 0

    def stop(self):
        """Ends the logging."""
        for server in self.servers:
            server.execute('SET GLOBAL general_log = OFF')

    def _statements(self, server, user):
        """(ids of all its sessions, what it sent after the take-over)."""
        rows = server.query(
            'SELECT user_host, thread_id, command_type, '
            'CONVERT(LEFT(argument, 300) USING utf8mb4) FROM mysql.general_log')
        sessions, sent, after = set(), [], False
        for user_host, number, kind, text in rows:
            if text == "SELECT 'taken over'":
                after = True
            if f'[{user}]' not in user_host:
                continue
            sessions.add(number)
            if after and kind not in ('Connect', 'Quit'):
                sent.append((number, kind, text))
        return sessions, sent

    def _binlog_sessions(self, server):
        """Sessions that wrote to the server's binlog after the take-over."""
        name, position = self.binlog[server.role]
        done = subprocess.run(
            ['mysqlbinlog', '--no-defaults', '--read-from-remote-server',
             f'--host={server.host}', f'--port={server.port}', f'--user={server.user}',
             '--get-server-public-key', f'--start-position={position}', '--to-last-log',
             '--base64-output=DECODE-ROWS', name],
            env=dict(os.environ, MYSQL_PWD=server.password), capture_output=True, check=True)
        return {int(number) for number in re.findall(rb'\bthread_id=(\d+)', done.stdout)}

    def check(self, stale, still_owner=False):
        """Everything that the stale rival did after the take-over, as a list of sentences.

        Who is still_owner, as the other one found nothing to do, may say so in its own row.
        """
        wrong = []
        for server in self.servers:
            sessions, sent = self._statements(server, stale.user)
            if not sessions:
                wrong.append(f'{server.role} has no record of {stale.user} at all')
            own = [one for one in sent if still_owner and OWN_ROW.match(one[2] or '')]
            sent = [one for one in sent if one not in own]
            wrote = sessions & self._binlog_sessions(server) - {number for number, _, _ in own}
            if wrote:
                wrong.append(f'sessions {sorted(wrote)} of {stale.user} are in the binlog of '
                             f'{server.role}')
            for number, kind, text in sent:
                killed = re.match(r'KILL (\d+)', text or '')
                if kind == 'Query' and (not HARMLESS.match(text) or
                                        (killed and int(killed.group(1)) not in sessions)):
                    wrong.append(f'{stale.user} sent to {server.role} (session {number}): {text}')
        for request in self.hook.requests()[self.requests:] if self.hook else ():
            if receiver.header(request, 'X-Runner') == stale.label:
                wrong.append(f'the receiver got {request.event} from {stale.label}')
        return wrong
