"""Runs the component in Python, with a storage of Python's.

    usher = Usher("target/component/usher.wasm")
    site = usher.site(MemoryStorage())
    connected = site.call("directories", "connect", "ada", settings("Entra ID"))

What the functions take and return is what `wit/` says: a record is an object with its fields as attributes, under their
names there, dashes included (any object will do, such as a `SimpleNamespace`; `vars(record)["scim-path"]` reads one); an enum
is its name; an option the value or None.
"""
import itertools
import secrets
import threading
import time
from types import SimpleNamespace

from wasmtime import Config, Engine, Store
from wasmtime.component import Component, Linker, ResourceHost, ResourceType, Variant

from storages import StorageError

PACKAGE = "usher:provisioning/{}@0.2.0"
# Tells the host's resource types apart; there is just this one.
TRANSACTION = 1
# How often a running call is looked at: its time limit is kept to within one of these.
TICK_SECONDS = 0.05


class Refusal(Exception):
    """An exported function answered with its error: the name of the case, and its text."""

    def __init__(self, case, text):
        super().__init__(f"{case}: {text}")
        self.case, self.text = case, text


def settings(name, **others):
    """The settings of a directory: the usual ones, but for what is given under its name in `wit/directories.wit`."""
    return SimpleNamespace(**{
        "name": name,
        "email-change": "refuse",
        "email": "optional",
        "unknown-members": "refuse",
        "conflict-policy": "sync",
        "adoption-grace-seconds": 3600,
        "deletion-limit": None,
        "mode": "live",
        "domains": [],
        "outside-domains": "unlinked",
        "project-rules": [],
        "membership-resources": False,
        "silent-after": 3,
        **others,
    })


class Usher:
    """The component, compiled once. Threads may share it."""

    def __init__(self, path, seconds=10, memory=256 * 1024 * 1024):
        """`seconds` and `memory`, in bytes, are what one call may use. It fails with a `WasmtimeError` where it wants more."""
        config = Config()
        config.epoch_interruption = True
        self.engine = Engine(config)
        self.component = Component.from_file(self.engine, path)
        self._ticks = max(1, round(seconds / TICK_SECONDS))
        self._memory = memory
        self._functions = {}
        threading.Thread(target=self._tick, daemon=True).start()

    def site(self, storage):
        """The component over one storage, which holds one site."""
        return Site(self, storage)

    def store(self):
        """What one instance lives in, with its limits."""
        store = Store(self.engine)
        store.set_limits(memory_size=self._memory)
        store.set_epoch_deadline(self._ticks)
        return store

    def function(self, interface, name):
        """Where an exported function is found in any instance."""
        key = (interface, name)
        if key not in self._functions:
            exported = self.component.get_export_index(PACKAGE.format(interface))
            self._functions[key] = self.component.get_export_index(name, exported)
        return self._functions[key]

    def _tick(self):
        while True:
            time.sleep(TICK_SECONDS)
            self.engine.increment_epoch()


class Site:
    """A site: the component's functions over one storage. Threads may share it, as far as they may share the storage."""

    def __init__(self, usher, storage):
        self._usher, self._storage = usher, storage
        # The open transactions of the call that runs on this thread. A call never leaves its thread.
        self._open = threading.local()
        self._linker = Linker(usher.engine)
        self._define_imports()

    def handle(self, **request):
        """Answers a SCIM request; its fields are those of `scim.request`."""
        return self.call("scim", "handle", SimpleNamespace(**request))

    def call(self, interface, name, *arguments):
        """Calls an exported function, in an instance of its own: nothing that one call leaves in memory reaches another."""
        self._open.transactions, self._open.numbers = {}, itertools.count(1)
        try:
            store = self._usher.store()
            instance = self._linker.instantiate(store, self._usher.component)
            function = instance.get_func(store, self._usher.function(interface, name))
            answer = function(store, *arguments)
        finally:
            # A call that fails does not drop what it holds.
            for transaction in self._open.transactions.values():
                transaction.abandon()
        if isinstance(answer, Variant):
            raise Refusal(answer.tag, answer.payload)
        return answer

    def _define_imports(self):
        """All that the component reaches. Whatever else it wanted to import, it could not be instantiated."""
        with self._linker.root() as root:
            with root.add_instance(PACKAGE.format("storage")) as storage:
                drop = lambda _store, number: self._open.transactions.pop(number).abandon()
                storage.add_resource("transaction", ResourceType.host(TRANSACTION), drop)
                storage.add_func("begin", answering(self._begin))
                storage.add_func("[method]transaction.get-many", answering(self._get_many))
                storage.add_func("[method]transaction.scan", answering(self._scan))
                storage.add_func("[method]transaction.write", answering(self._write))
                storage.add_func("[static]transaction.commit", answering(self._commit))
            with root.add_instance("wasi:clocks/wall-clock@0.2.0") as clock:
                clock.add_func("now", now)
            with root.add_instance("wasi:random/random@0.2.0") as random:
                random.add_func("get-random-u64", lambda _store: secrets.randbits(64))

    def _begin(self, _store, access):
        number = next(self._open.numbers)
        self._open.transactions[number] = self._storage.begin(access == "read-write")
        return ResourceHost.own(number, TRANSACTION)

    def _get_many(self, store, handle, keys):
        return self._transaction(store, handle).get_many(keys)

    def _scan(self, store, handle, asked):
        fields = vars(asked)
        entries = self._transaction(store, handle).scan(
            asked.start, asked.end, asked.reverse, asked.skip, asked.limit, fields["keys-only"]
        )
        return [SimpleNamespace(key=key, value=value) for key, value in entries]

    def _write(self, store, handle, changes):
        self._transaction(store, handle).write([(change.key, change.value) for change in changes])

    def _commit(self, store, handle):
        # The component gave it away: it will not be dropped, and is this host's to end.
        self._open.transactions.pop(handle.to_host(store).rep).commit()

    def _transaction(self, store, handle):
        return self._open.transactions[handle.to_host(store).rep]


def answering(function):
    """Returns an error of the storage as the value that the contract has for it, where Python raises it.

    What is no `StorageError` is one all the same: the call must be able to end in order.
    """

    def answer(*arguments):
        try:
            return function(*arguments)
        except StorageError as error:
            return Variant(error.case, error.text)
        except Exception as error:
            return Variant("other", repr(error))

    return answer


def now(_store):
    # The contract has no time before 1970.
    nanoseconds = max(0, time.time_ns())
    return SimpleNamespace(seconds=nanoseconds // 10**9, nanoseconds=nanoseconds % 10**9)
