// Tests the storage against the contract, and the component over it: `node test.mjs FOLDER SCENARIOS`, where jco has put the
// component, and the program that plays the recorded traffic of identity providers.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { connect, serve } from "./serve.mjs";
import { MAX_KEY_BYTES, MAX_VALUE_BYTES, MemoryStorage, StorageError, Transaction } from "./storage.mjs";
import { settings, Usher } from "./usher.mjs";

const usher = await Usher.load(process.argv[2]);
const scenarios = process.argv[3];
const everything = { start: "", end: "\x80", reverse: false, skip: 0, limit: 2 ** 32 - 1, keysOnly: false };

// The cases of `host-harness/src/storage/contract.rs`, under their names there. Those about threads are left out: a call runs to
// its end before another begins.

function put(storage, changes) {
  const transaction = storage.begin("read-write");
  transaction.write(changes.map(([key, value]) => ({ key, value })));
  Transaction.commit(transaction);
}

const get = (storage, key) => storage.begin("read-only").getMany([key])[0];
const scan = (storage, range = {}) => storage.begin("read-only").scan({ ...everything, ...range });
const keys = (storage, range) => scan(storage, range).map(({ key }) => key);
const refused = (tag) => (error) => error instanceof StorageError && error.payload.tag === tag;

/** `n0` to `n9`, each with its digit as the value. */
function ten() {
  const storage = new MemoryStorage();
  put(storage, [...Array(10).keys()].map((number) => [`n${number}`, String(number)]));
  return storage;
}

test("an empty storage holds nothing", () => {
  const storage = new MemoryStorage();
  assert.equal(get(storage, "a"), undefined);
  assert.deepEqual(scan(storage), []);
});

test("answers come in the order asked", () => {
  const found = ten().begin("read-only").getMany(["n3", "x", "n1", "n2", "n1"]);
  assert.deepEqual(found, ["3", undefined, "1", "2", "1"]);
});

test("keys are ordered by their bytes", () => {
  const storage = new MemoryStorage();
  const ordered = ["\0", "\x01", "\n", " ", "-", "0", "00", "0a", "10", "2", "A", "Z", "_", "a", "a\0", "a-", "aa", "b", "~", "\x7f"];
  put(storage, ordered.toReversed().map((key) => [key, ""]));
  assert.deepEqual(keys(storage), ordered);
  assert.deepEqual(keys(storage, { reverse: true }), ordered.toReversed());
});

test("of two changes of a key the later counts", () => {
  const storage = new MemoryStorage();
  put(storage, [["a", "1"], ["b", "1"], ["a", "2"], ["b", undefined], ["c", undefined], ["c", "1"]]);
  assert.deepEqual(scan(storage), [{ key: "a", value: "2" }, { key: "c", value: "1" }]);
});

test("what was removed is gone, and removing what is not there is no error", () => {
  const storage = ten();
  put(storage, [["n0", undefined], ["n4", undefined], ["x", undefined]]);
  assert.deepEqual(keys(storage, { end: "n6" }), ["n1", "n2", "n3", "n5"]);
});

test("a range has its start and not its end, and bounds need not be keys", () => {
  const storage = ten();
  assert.deepEqual(keys(storage, { start: "n2", end: "n5" }), ["n2", "n3", "n4"]);
  assert.deepEqual(keys(storage, { start: "n2", end: "n2\0" }), ["n2"]);
  assert.deepEqual(keys(storage, { start: "n8x", end: "ö" }), ["n9"]);
});

test("an empty or inverted range is empty", () => {
  for (const [start, end] of [["n2", "n2"], ["n5", "n2"], ["", ""], ["n", ""], ["~", "n"], ["x", "y"]]) {
    assert.deepEqual(scan(ten(), { start, end }), []);
  }
});

test("reverse goes from the end, skip passes over entries, limit bounds the answer", () => {
  const storage = ten();
  assert.deepEqual(keys(storage, { reverse: true, skip: 2, limit: 3 }), ["n7", "n6", "n5"]);
  assert.deepEqual(keys(storage, { reverse: true, skip: 8, limit: 3 }), ["n1", "n0"]);
  assert.deepEqual(keys(storage, { start: "n1", end: "n9", skip: 5 }), ["n6", "n7", "n8"]);
  assert.deepEqual(keys(storage, { skip: 2 ** 32 - 1 }), []);
  assert.deepEqual(keys(storage, { limit: 0 }), []);
});

test("keys only leaves values out", () => {
  assert.deepEqual(scan(ten(), { keysOnly: true, limit: 1 }), [{ key: "n0", value: "" }]);
});

test("keys and values outside the limits are refused, and then nothing is written", () => {
  const storage = new MemoryStorage();
  put(storage, [["k".repeat(MAX_KEY_BYTES), "v".repeat(MAX_VALUE_BYTES)]]);
  const outside = [["", "v"], ["k".repeat(MAX_KEY_BYTES + 1), "v"], ["ä", undefined], ["a", "ä".repeat(MAX_VALUE_BYTES / 2 + 1)]];
  for (const [key, value] of outside) {
    const transaction = storage.begin("read-write");
    transaction.write([{ key: "b", value: "1" }]);
    assert.throws(() => transaction.write([{ key, value }]), refused("too-large"));
    assert.throws(() => Transaction.commit(transaction), refused("too-large"));
  }
  assert.equal(keys(storage).length, 1);
});

test("reading after writing is an error", () => {
  const transaction = new MemoryStorage().begin("read-write");
  transaction.write([]);
  assert.throws(() => transaction.getMany(["a"]), refused("other"));
  assert.throws(() => transaction.scan(everything), refused("other"));
});

test("a read only transaction does not write", () => {
  const transaction = new MemoryStorage().begin("read-only");
  assert.throws(() => transaction.write([{ key: "a", value: "1" }]), refused("other"));
  assert.throws(() => Transaction.commit(transaction), refused("other"));
});

test("a snapshot does not move, and what is not committed is not seen", () => {
  const storage = ten();
  const before = storage.begin("read-only");
  const writer = storage.begin("read-write");
  writer.write([{ key: "n0" }, { key: "n1", value: "changed" }]);
  assert.equal(get(storage, "n1"), "1");
  Transaction.commit(writer);
  assert.deepEqual(before.getMany(["n0", "n1"]), ["0", "1"]);
  assert.equal(before.scan(everything).length, 10);
  assert.equal(get(storage, "n1"), "changed");
});

test("two writers come out one after the other: the later meets a conflict", () => {
  const storage = ten();
  const [first, second] = [storage.begin("read-write"), storage.begin("read-write")];
  first.write([{ key: "n0", value: "first" }]);
  second.write([{ key: "n1", value: "second" }]);
  Transaction.commit(first);
  assert.throws(() => Transaction.commit(second), refused("conflict"));
  assert.equal(get(storage, "n1"), "1");
});

// What the component does over it.

/** A storage whose next commits fail. */
class Failing extends MemoryStorage {
  failures = [];

  replace(before, after) {
    if (this.failures.length > 0) throw this.failures.pop();
    super.replace(before, after);
  }
}

function connected(storage) {
  const site = usher.site(storage);
  const { path, key } = connect(site, "Entra ID");
  const headers = [["authorization", `Bearer ${key}`], ["content-type", "application/scim+json"]];
  const body = '{"userName": "grace@example.com"}';
  return { site, create: { method: "POST", origin: "https://usher.example.com", path: `${path}/Users`, headers, body } };
}

test("identity providers are served", async () => {
  const site = usher.site(new MemoryStorage());
  const { path, key } = connect(site, "Recorded");
  const { server, origin } = await serve(site);
  const command = [scenarios, "--strict", "--quiet", "--base", origin + path, "--token", key];
  const [code] = await once(spawn("python3", command, { stdio: "inherit" }), "exit");
  server.close();
  server.closeAllConnections();
  assert.equal(code, 0);
});

test("exported functions take and return values of JavaScript", () => {
  const { site, create } = connected(new MemoryStorage());
  assert.equal(site.handle(create).status, 201);
  const [customer] = site.call("site", "customers", { tag: "offset", val: 0 }, 10).values;
  assert.equal(customer.email, "grace@example.com");
  const project = site.call("site", "createProject", "ada", "HELP", "Help", "restricted");
  assert.equal(site.call("site", "accessTo", customer.id, project.id).allowed, false);
  const { changes, more } = site.call("changes", "read", 0n, { kinds: ["user.created"] }, 100);
  assert.deepEqual([changes.map(({ kind }) => kind), more], [["user.created"], false]);
  assert.equal(site.call("upkeep", "step", 100).more, false);
});

test("an error of an exported function is thrown", () => {
  const { site } = connected(new MemoryStorage());
  const again = () => site.call("directories", "connect", "ada", settings("entra id"));
  assert.throws(again, ({ payload }) => payload.tag === "refused");
});

test("after a conflict the component begins again", () => {
  const storage = new Failing();
  const { site, create } = connected(storage);
  storage.failures = Array(3).fill(new StorageError("conflict"));
  assert.equal(site.handle(create).status, 201);
  assert.equal(storage.failures.length, 0);
});

test("what the storage cannot do is answered and leaves nothing", () => {
  const storage = new Failing();
  const { site, create } = connected(storage);
  storage.failures = [new StorageError("unavailable", "no space")];
  assert.equal(site.handle(create).status, 503);
  // What is no `StorageError` ends the call; the next has an instance of its own.
  storage.failures = [new RangeError("a bug")];
  assert.throws(() => site.handle(create), /a bug/);
  assert.deepEqual(site.call("site", "customers", { tag: "offset", val: 0 }, 10).values, []);
  assert.equal(site.handle(create).status, 201);
});
