// A storage to lend to the component: an ordered map in memory.
//
// `wit/storage.wit` says what a storage promises, and `host-harness/src/storage/contract.rs` has the cases that test it, of
// which test.mjs mirrors those that make sense here. A method answers with its value, or throws a `StorageError`.

export const MAX_KEY_BYTES = 2_560;
export const MAX_VALUE_BYTES = 16 * 1024 * 1024;

/** A case of the contract's `error`: `conflict`, `too-large`, `unavailable` or `other`, the last three with a text. */
export class StorageError extends Error {
  constructor(tag, text) {
    super(text ?? tag);
    // Where the code that jco makes looks for what to hand to the component.
    this.payload = { tag, val: text };
  }
}

/**
 * Keeps a site in memory, for tests and trials.
 *
 * A state is never changed, only replaced, so that a transaction's snapshot costs nothing. A commit copies the whole of it,
 * which does for a small site.
 */
export class MemoryStorage {
  #state = { values: new Map(), keys: [] };

  begin(access) {
    return new Transaction(this, access);
  }

  /** The newest state: values by their keys, and the keys in order. */
  get state() {
    return this.#state;
  }

  /** Makes `after` the newest state, unless it was made from another than the newest. */
  replace(before, after) {
    if (this.#state !== before) throw new StorageError("conflict");
    this.#state = after;
  }
}

/**
 * Waits for nobody: of two that write, the one that commits later meets a conflict, and the component begins again.
 *
 * It holds nothing that has to be let go when it is dropped; one that does has a method `[Symbol.dispose]`.
 */
export class Transaction {
  #storage;
  #state;
  #access;
  #changes = new Map();
  #wrote = false;
  #refused;

  constructor(storage, access) {
    this.#storage = storage;
    this.#state = storage.state;
    this.#access = access;
  }

  getMany(keys) {
    this.#checkRead();
    return keys.map((key) => this.#state.values.get(key));
  }

  scan({ start, end, reverse, skip, limit, keysOnly }) {
    this.#checkRead();
    const { values, keys } = this.#state;
    const chosen = keys.slice(firstNotBelow(keys, start), firstNotBelow(keys, end));
    if (reverse) chosen.reverse();
    return chosen.slice(skip, skip + limit).map((key) => ({ key, value: keysOnly ? "" : values.get(key) }));
  }

  write(changes) {
    this.#wrote = true;
    try {
      changes.forEach((change) => this.#checkChange(change));
    } catch (error) {
      // Half of what the component wanted must not be committed.
      this.#refused ??= error;
      throw error;
    }
    for (const { key, value } of changes) this.#changes.set(key, value);
  }

  static commit(transaction) {
    if (transaction.#refused) throw transaction.#refused;
    if (transaction.#changes.size > 0) transaction.#apply();
  }

  #apply() {
    const before = this.#state;
    const values = new Map(before.values);
    for (const [key, value] of this.#changes) {
      if (value === undefined) values.delete(key);
      else values.set(key, value);
    }
    const kept = before.keys.filter((key) => values.has(key));
    const added = [...this.#changes.keys()].filter((key) => values.has(key) && !before.values.has(key));
    // Cheap, since all but the end is in order already.
    const keys = [...kept, ...added].sort(byBytes);
    this.#storage.replace(before, { values, keys });
  }

  #checkRead() {
    // The component never does it. To answer from the state before the writes would be wrong, and silently so.
    if (this.#wrote) throw new StorageError("other", "a read after a write in one transaction");
  }

  #checkChange({ key, value }) {
    if (this.#access !== "read-write") throw new StorageError("other", "a write in a read-only transaction");
    if (!/^[\0-\x7f]+$/.test(key) || key.length > MAX_KEY_BYTES) {
      throw new StorageError("too-large", `a key must be 1 to ${MAX_KEY_BYTES} ASCII characters long`);
    }
    if (value !== undefined && Buffer.byteLength(value) > MAX_VALUE_BYTES) {
      throw new StorageError("too-large", `a value must be at most ${MAX_VALUE_BYTES} bytes long`);
    }
  }
}

/** JavaScript orders text by UTF-16 units. For ASCII, which every key is, that is the order of the bytes. */
function byBytes(a, b) {
  return a < b ? -1 : Number(a > b);
}

/** Where in `keys` the first is that is not below `bound`. */
function firstNotBelow(keys, bound) {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle] < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
