"""Storages to lend to the component: an ordered map in memory, and one in a file of SQLite.

A storage has one method, `begin(read_write)`; what it returns is a `Transaction`. `wit/storage.wit` says what both promise,
and `host-harness/src/storage/contract.rs` has the cases that test it, of which test.py mirrors those that make sense here.
"""
import bisect
import contextlib
import queue
import sqlite3
import threading

MAX_KEY_BYTES = 2_560
MAX_VALUE_BYTES = 16 * 1024 * 1024


class StorageError(Exception):
    """A case of the contract's `error`: `conflict`, `too-large`, `unavailable` or `other`, the last three with a text."""

    def __init__(self, case, text=None):
        super().__init__(text or case)
        self.case, self.text = case, text


class Transaction:
    """What is the same in every storage. The rest is for each to define: `_get`, `_scan`, `_apply`, `_end`."""

    def __init__(self, read_write):
        self._read_write = read_write
        self._changes = {}
        self._wrote = False
        self._refused = None

    def get_many(self, keys):
        """The value of each key, or None."""
        self._check_read()
        return [self._get(key) for key in keys]

    def scan(self, start, end, reverse=False, skip=0, limit=2**32 - 1, keys_only=False):
        """The entries with start <= key < end, as pairs."""
        self._check_read()
        return self._scan(start, end, reverse, skip, limit, keys_only)

    def write(self, changes):
        """Takes pairs of a key and its new value, or None to remove it. Nothing is written before `commit`."""
        self._wrote = True
        try:
            for key, value in changes:
                self._check_change(key, value)
        except StorageError as error:
            # Half of what the component wanted must not be committed.
            self._refused = self._refused or error
            raise
        self._changes.update(changes)

    def commit(self):
        """Makes everything written visible at once, and durable, or nothing of it."""
        try:
            if self._refused:
                raise self._refused
            if self._changes:
                self._apply(self._changes)
        finally:
            self._end()

    def abandon(self):
        """Ends the transaction and leaves nothing behind."""
        self._end()

    def _check_read(self):
        # The component never does it. To answer from the state before the writes would be wrong, and silently so.
        if self._wrote:
            raise StorageError("other", "a read after a write in one transaction")

    def _check_change(self, key, value):
        if not self._read_write:
            raise StorageError("other", "a write in a read-only transaction")
        if not (key.isascii() and 1 <= len(key) <= MAX_KEY_BYTES):
            raise StorageError("too-large", f"a key must be 1 to {MAX_KEY_BYTES} ASCII characters long")
        if value is not None and len(value.encode()) > MAX_VALUE_BYTES:
            raise StorageError("too-large", f"a value must be at most {MAX_VALUE_BYTES} bytes long")


class MemoryStorage:
    """Keeps a site in memory, for tests and trials.

    A state is never changed, only replaced, so that a transaction's snapshot costs nothing. A commit copies the whole of it,
    which does for a small site.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._state = ({}, [])

    def begin(self, read_write):
        return MemoryTransaction(self, read_write)

    def state(self):
        """The newest state: a dictionary, and its keys in order. Python orders text by code points, like UTF-8 its bytes."""
        return self._state

    def replace(self, old, new):
        """Makes `new` the newest state, unless it was made from another than the newest."""
        with self._lock:
            if self._state is not old:
                raise StorageError("conflict")
            self._state = new


class MemoryTransaction(Transaction):
    """Waits for nobody: of two that write, the one that commits later meets a conflict, and the component begins again."""

    def __init__(self, storage, read_write):
        super().__init__(read_write)
        self._storage, self._state = storage, storage.state()

    def _get(self, key):
        return self._state[0].get(key)

    def _scan(self, start, end, reverse, skip, limit, keys_only):
        values, keys = self._state
        indices = range(bisect.bisect_left(keys, start), bisect.bisect_left(keys, end))
        chosen = indices[::-1 if reverse else 1][skip:][:limit]
        return [(keys[index], "" if keys_only else values[keys[index]]) for index in chosen]

    def _apply(self, changes):
        old, old_keys = self._state
        values = {**old, **changes}
        removed = {key for key, value in changes.items() if value is None}
        for key in removed:
            del values[key]
        keys = [key for key in old_keys if key not in removed] + [key for key in changes if key in values and key not in old]
        # Cheap, since all but the end is in order already.
        keys.sort()
        self._storage.replace(self._state, (values, keys))

    def _end(self):
        """Nothing is held."""


class SqliteStorage:
    """Keeps a site in a file of SQLite, which processes may share.

    The write-ahead log gives readers a snapshot and lets none of them wait; writers take turns.
    """

    def __init__(self, path, patience=10):
        """`patience` is how many seconds a writer waits for its turn before it answers `conflict`."""
        self._path, self._patience = path, patience
        self._idle = queue.SimpleQueue()
        connection = self._connect()
        # Text is compared by its bytes unless another collation is named.
        connection.execute("CREATE TABLE IF NOT EXISTS map (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
        self.give_back(connection)

    def begin(self, read_write):
        connection = self._take()
        try:
            with sqlite_errors():
                connection.execute("BEGIN IMMEDIATE" if read_write else "BEGIN")
                # A snapshot is taken by the first read, and the contract wants that of the beginning.
                connection.execute("SELECT 1 FROM map LIMIT 1").fetchone()
        except StorageError:
            self.give_back(connection)
            raise
        return SqliteTransaction(self, connection, read_write)

    def close(self):
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def give_back(self, connection):
        """Keeps a connection for the next transaction."""
        if connection.in_transaction:
            connection.rollback()
        self._idle.put(connection)

    def _take(self):
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return self._connect()

    def _connect(self):
        connection = sqlite3.connect(self._path, self._patience, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        # An acknowledged commit is on disk: the default for this journal is to write it there later.
        connection.execute("PRAGMA synchronous = FULL")
        return connection


class SqliteTransaction(Transaction):
    """A transaction of SQLite on a connection of its own."""

    def __init__(self, storage, connection, read_write):
        super().__init__(read_write)
        self._storage, self._connection = storage, connection

    def _get(self, key):
        with sqlite_errors():
            found = self._connection.execute("SELECT value FROM map WHERE key = ?", (key,)).fetchone()
        return found and found[0]

    def _scan(self, start, end, reverse, skip, limit, keys_only):
        value, order = "''" if keys_only else "value", "DESC" if reverse else "ASC"
        statement = f"SELECT key, {value} FROM map WHERE key >= ? AND key < ? ORDER BY key {order} LIMIT ? OFFSET ?"
        with sqlite_errors():
            return self._connection.execute(statement, (start, end, limit, skip)).fetchall()

    def _apply(self, changes):
        removed, kept = [], []
        for key, value in changes.items():
            removed.append((key,)) if value is None else kept.append((key, value))
        with sqlite_errors():
            self._connection.executemany("DELETE FROM map WHERE key = ?", removed)
            self._connection.executemany("INSERT OR REPLACE INTO map VALUES (?, ?)", kept)
            self._connection.execute("COMMIT")

    def _end(self):
        self._storage.give_back(self._connection)


@contextlib.contextmanager
def sqlite_errors():
    """Says in the contract's words what SQLite says in its own."""
    try:
        yield
    except sqlite3.Error as error:
        # Others had the database for as long as this one was willing to wait. The lowest byte is the primary code.
        busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
        raise StorageError("conflict") if busy else StorageError("unavailable", str(error)) from error
