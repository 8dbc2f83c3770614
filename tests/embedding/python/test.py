"""Tests the storages against the contract, and the component over them: `python test.py COMPONENT`."""
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from types import SimpleNamespace

from wasmtime import WasmtimeError

from serve import connect, served
from storages import MAX_KEY_BYTES, MAX_VALUE_BYTES, MemoryStorage, SqliteStorage, StorageError
from usher import Refusal, Usher, settings

COMPONENT = sys.argv.pop(1)
SCENARIOS = pathlib.Path(__file__).resolve().parents[2] / "idp-traffic" / "run.py"
EVERYTHING = ("", "\x80")


class Contract:
    """The cases of `host-harness/src/storage/contract.rs`, under their names there."""

    def put(self, changes):
        transaction = self.storage.begin(True)
        transaction.write(changes.items())
        transaction.commit()

    def update(self, change):
        """Reads and writes, again after each conflict."""
        for _ in range(10_000):
            try:
                transaction = self.storage.begin(True)
                transaction.write(change(transaction).items())
                return transaction.commit()
            except StorageError as error:
                if error.case != "conflict":
                    raise
        self.fail("no update got through")

    def reading(self, read):
        transaction = self.storage.begin(False)
        try:
            return read(transaction)
        finally:
            transaction.abandon()

    def get(self, key):
        return self.reading(lambda transaction: transaction.get_many([key])[0])

    def scan(self, start="", end="\x80", **how):
        return self.reading(lambda transaction: transaction.scan(start, end, **how))

    def keys(self, *bounds, **how):
        return [key for key, _ in self.scan(*bounds, **how)]

    def ten(self):
        self.put({f"n{number}": str(number) for number in range(10)})

    def refuses(self, case, action, *arguments):
        with self.assertRaises(StorageError) as raised:
            action(*arguments)
        self.assertEqual(raised.exception.case, case)

    def test_an_empty_storage_holds_nothing(self):
        self.assertIsNone(self.get("a"))
        self.assertEqual(self.scan(), [])
        self.assertEqual(self.reading(lambda transaction: transaction.get_many([])), [])

    def test_answers_come_in_the_order_asked(self):
        self.put({"a": "1", "b": "2", "c": "3"})
        found = self.reading(lambda transaction: transaction.get_many(["c", "x", "a", "b", "a"]))
        self.assertEqual(found, ["3", None, "1", "2", "1"])

    def test_keys_are_ordered_by_their_bytes(self):
        ordered = ["\0", "\x01", "\n", " ", "-", "0", "00", "0a", "10", "2", "A", "Z", "_", "a", "a\0", "a-", "aa", "b", "~", "\x7f"]
        self.put({key: "" for key in sorted(ordered, key=lambda key: key[::-1])})
        self.assertEqual(self.keys(), ordered)
        self.assertEqual(self.keys(reverse=True), ordered[::-1])

    def test_values_are_any_text(self):
        for value in ["", " ", "\0", "line\r\nline", "ÄÖÜ ß", "日本語", "🦀\U0010ffff", '{"a":"\\u0000"}']:
            self.put({"a": value})
            self.assertEqual(self.get("a"), value)
            self.assertEqual(self.scan(), [("a", value)])

    def test_of_two_changes_of_a_key_the_later_counts(self):
        transaction = self.storage.begin(True)
        transaction.write([("a", "1"), ("b", "1"), ("a", "2"), ("b", None)])
        transaction.write([("c", None), ("a", "3"), ("c", "1")])
        transaction.commit()
        self.assertEqual(self.scan(), [("a", "3"), ("c", "1")])

    def test_removing_what_is_not_there_is_no_error(self):
        self.put({"a": None})
        self.assertEqual(self.scan(), [])

    def test_what_was_removed_is_gone(self):
        self.ten()
        self.put({"n0": None, "n4": None, "n9": None})
        self.assertEqual(self.keys(), ["n1", "n2", "n3", "n5", "n6", "n7", "n8"])
        self.assertEqual(self.keys(skip=3, limit=1), ["n5"])
        self.put({"n4": "again"})
        self.assertEqual(self.get("n4"), "again")

    def test_a_range_has_its_start_and_not_its_end(self):
        self.ten()
        self.assertEqual(self.keys("n2", "n5"), ["n2", "n3", "n4"])
        self.assertEqual(self.keys("n2", "n5", reverse=True), ["n4", "n3", "n2"])
        self.assertEqual(self.keys("n2", "n2\0"), ["n2"])

    def test_an_empty_or_inverted_range_is_empty(self):
        self.ten()
        for bounds in [("n2", "n2"), ("n5", "n2"), ("", ""), ("n", ""), ("~", "n"), ("x", "y")]:
            for reverse in (False, True):
                self.assertEqual(self.scan(*bounds, reverse=reverse), [])

    def test_bounds_need_not_be_keys(self):
        self.ten()
        long = "n" * (2 * MAX_KEY_BYTES)
        self.assertEqual(self.keys("", "n1"), ["n0"])
        self.assertEqual(self.keys("n8x", "ö"), ["n9"])
        self.assertEqual(len(self.keys("n5", long)), 5)
        self.assertEqual(self.keys(f"n8{long}", "~"), ["n9"])

    def test_reverse_goes_from_the_end(self):
        self.ten()
        self.assertEqual(self.keys(reverse=True, limit=3), ["n9", "n8", "n7"])
        self.assertEqual(self.keys(reverse=True, skip=2, limit=3), ["n7", "n6", "n5"])
        self.assertEqual(self.keys(reverse=True, skip=8, limit=3), ["n1", "n0"])

    def test_skip_passes_over_entries(self):
        self.ten()
        self.assertEqual(self.keys("n1", "n9", skip=5), ["n6", "n7", "n8"])
        self.assertEqual(self.keys("n1", "n9", skip=8), [])
        self.assertEqual(self.keys("n1", "n9", skip=2**32 - 1), [])

    def test_limit_bounds_the_answer(self):
        self.ten()
        for limit, reverse in itertools.product([0, 1, 9, 10, 11], [False, True]):
            self.assertEqual(len(self.scan(limit=limit, reverse=reverse)), min(limit, 10))

    def test_keys_only_leaves_values_out(self):
        self.ten()
        self.assertEqual(self.scan(keys_only=True, limit=2), [("n0", ""), ("n1", "")])

    def test_the_longest_key_and_value_are_kept(self):
        key, value = "k" * MAX_KEY_BYTES, "v" * MAX_VALUE_BYTES
        self.put({key: value})
        self.assertTrue(self.scan() == [(key, value)])

    def test_keys_outside_the_limits_are_refused(self):
        for key, value in itertools.product(["", "k" * (MAX_KEY_BYTES + 1), "ä"], ["v", None]):
            transaction = self.storage.begin(True)
            self.refuses("too-large", transaction.write, [("a", "1"), (key, value)])
            transaction.abandon()
        self.assertEqual(self.scan(), [])

    def test_values_over_the_limit_are_refused(self):
        for value in ["v" * (MAX_VALUE_BYTES + 1), "ä" * (MAX_VALUE_BYTES // 2 + 1)]:
            transaction = self.storage.begin(True)
            self.refuses("too-large", transaction.write, [("a", value)])
            transaction.abandon()

    def test_after_a_refused_write_nothing_is_written(self):
        transaction = self.storage.begin(True)
        transaction.write([("a", "1")])
        self.refuses("too-large", transaction.write, [("b", "1"), ("", "1")])
        self.refuses("too-large", transaction.commit)
        self.put({"c": "1"})
        self.assertEqual(self.keys(), ["c"])

    def test_reading_after_writing_is_an_error(self):
        transaction = self.storage.begin(True)
        transaction.write([])
        self.refuses("other", transaction.get_many, ["a"])
        self.refuses("other", transaction.scan, *EVERYTHING)
        transaction.abandon()

    def test_a_read_only_transaction_does_not_write(self):
        transaction = self.storage.begin(False)
        self.refuses("other", transaction.write, [("a", "1")])
        self.refuses("other", transaction.commit)
        self.assertEqual(self.scan(), [])

    def test_an_abandoned_transaction_leaves_nothing(self):
        transaction = self.storage.begin(True)
        transaction.write([("a", "1")])
        transaction.abandon()
        self.assertEqual(self.scan(), [])
        self.put({"b": "1"})

    def test_a_snapshot_does_not_move(self):
        self.ten()
        before = self.storage.begin(False)
        self.put({"n0": None, "n1": "changed", "n1x": "new"})
        self.assertEqual(before.get_many(["n0", "n1", "n1x"]), ["0", "1", None])
        self.assertEqual(len(before.scan(*EVERYTHING)), 10)
        before.abandon()
        self.assertEqual(self.get("n1"), "changed")

    def test_a_reader_waits_for_no_writer(self):
        self.put({"a": "1"})
        writer = self.storage.begin(True)
        writer.write([("a", "2")])
        self.assertEqual(self.get("a"), "1")
        writer.commit()
        self.assertEqual(self.get("a"), "2")

    def test_two_writers_come_out_one_after_the_other(self):
        """The first commits; the second has waited for it to be over, or meets a conflict."""
        self.put({"a": "0"})
        first = self.storage.begin(True)
        first.get_many(["a"])
        outcome = []

        def second():
            try:
                transaction = self.storage.begin(True)
                read = int(transaction.get_many(["a"])[0])
                # Until the first has committed, where the storage did not make this one wait for that.
                committed.wait()
                transaction.write([("a", str(read + 10))])
                transaction.commit()
                outcome.append("11")
            except StorageError as error:
                outcome.append("1" if error.case == "conflict" else error)

        committed = threading.Event()
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.05)
        first.write([("a", "1")])
        first.commit()
        committed.set()
        thread.join()
        self.assertEqual([self.get("a")], outcome)

    def test_concurrent_increments_all_count(self):
        def increment(transaction):
            return {"sum": str(int(transaction.get_many(["sum"])[0] or 0) + 1)}

        def work():
            for _ in range(50):
                self.update(increment)

        in_threads([work] * 4)
        self.assertEqual(self.get("sum"), "200")

    def test_writers_do_not_skew(self):
        """Each takes from its own key only while both together hold enough."""
        self.put({"x": "20", "y": "20"})

        def taking(own):
            def take(transaction):
                held = {key: int(value) for key, value in transaction.scan("x", "z")}
                return {own: str(held[own] - 1)} if sum(held.values()) > 0 else {}

            return lambda: [self.update(take) for _ in range(30)]

        in_threads([taking("x"), taking("y")])
        self.assertEqual(sum(int(value) for _, value in self.scan("x", "z")), 0)


def in_threads(works):
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Embedding:
    """What the component does over a storage."""

    def connected(self, storage):
        site = USHER.site(storage)
        path, key = connect(site, "Entra ID")
        headers = [("authorization", f"Bearer {key}"), ("content-type", "application/scim+json")]
        create = dict(method="POST", origin="https://usher.example.com", path=f"{path}/Users", query=None, headers=headers)
        return site, {**create, "body": '{"userName": "grace@example.com"}'}

    def test_identity_providers_are_served(self):
        site = USHER.site(self.storage)
        path, key = connect(site, "Recorded")
        with served(site) as origin:
            command = [sys.executable, SCENARIOS, "--strict", "--quiet", "--base", origin + path, "--token", key]
            self.assertEqual(subprocess.run(command).returncode, 0)

    def test_exported_functions_take_and_return_values_of_python(self):
        site, create = self.connected(self.storage)
        self.assertEqual(site.handle(**create).status, 201)
        # The case `offset` of `position`: its type tells it from `after`, so the value alone does.
        [customer] = site.call("site", "customers", 0, 10).values
        self.assertEqual(customer.email, "grace@example.com")
        project = site.call("site", "create-project", "ada", "HELP", "Help", "restricted")
        self.assertFalse(site.call("site", "access-to", customer.id, project.id).allowed)
        subjects = ["actor", "directory", "user", "group", "customer", "organization", "project"]
        asked = SimpleNamespace(kinds=["user.created"], **dict.fromkeys(subjects))
        part = site.call("changes", "read", 0, asked, 100)
        self.assertEqual(([change.kind for change in part.changes], part.more), (["user.created"], False))
        self.assertFalse(site.call("upkeep", "step", 100).more)

    def test_an_error_of_an_exported_function_is_raised(self):
        site, _ = self.connected(self.storage)
        with self.assertRaises(Refusal) as raised:
            site.call("directories", "connect", "ada", settings("entra id"))
        self.assertEqual(raised.exception.case, "refused")

    def test_after_a_conflict_the_component_begins_again(self):
        storage = Failing(self.storage)
        site, create = self.connected(storage)
        storage.failures = [StorageError("conflict")] * 3
        self.assertEqual(site.handle(**create).status, 201)
        self.assertEqual(storage.failures, [])

    def test_what_the_storage_cannot_do_is_answered_and_leaves_nothing(self):
        storage = Failing(self.storage)
        site, create = self.connected(storage)
        for failure, status in [(StorageError("unavailable", "no space"), 503), (ValueError("a bug"), 500)]:
            storage.failures = [failure]
            self.assertEqual(site.handle(**create).status, status)
        self.assertEqual(site.call("site", "customers", 0, 10).values, [])
        self.assertEqual(site.handle(**create).status, 201)


class Failing:
    """A storage whose next commits fail."""

    def __init__(self, storage):
        self.storage, self.failures = storage, []

    def begin(self, read_write):
        transaction = self.storage.begin(read_write)
        if read_write and self.failures:
            transaction._refused = self.failures.pop()
        return transaction


class InMemory(Contract, Embedding, unittest.TestCase):
    def setUp(self):
        self.storage = MemoryStorage()


class InSqlite(Contract, Embedding, unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "site.db")
        self.storage = SqliteStorage(self.path)
        self.addCleanup(self.storage.close)

    def test_reopening_finds_what_was_acknowledged(self):
        self.ten()
        self.storage.close()
        self.storage = SqliteStorage(self.path)
        self.addCleanup(self.storage.close)
        self.assertEqual(len(self.scan()), 10)

    def test_who_waits_in_vain_for_a_turn_meets_a_conflict(self):
        hasty = SqliteStorage(self.path, patience=0)
        self.addCleanup(hasty.close)
        writer = self.storage.begin(True)
        self.refuses("conflict", hasty.begin, True)
        writer.abandon()
        hasty.begin(True).abandon()


class Limits(unittest.TestCase):
    def test_a_call_gets_no_more_memory_than_it_may_have(self):
        with self.assertRaises(WasmtimeError):
            Usher(COMPONENT, memory=64 * 1024).site(MemoryStorage()).call("upkeep", "step", 1)


if __name__ == "__main__":
    USHER = Usher(COMPONENT)
    unittest.main()
