// Runs the component in Node.js, with a storage of JavaScript's. The component has been made into modules by
//
//     jco transpile usher.wasm --instantiation sync --no-wasi-shim --out-dir FOLDER
//
// `--instantiation sync` makes a function of it that can be called again for each fresh instance; `--no-wasi-shim` leaves the
// clock and the random numbers to the imports below, so that jco's WASI, with its files and sockets, is no part of the program.
//
//     const usher = await Usher.load("FOLDER");
//     const site = usher.site(new MemoryStorage());
//     const connected = site.call("directories", "connect", "ada", settings("Entra ID"));
//
// What the functions take and return is in the `.d.ts` files that jco writes: names in camel case, an enum as its name, a
// variant as `{ tag, val }`, an option as the value or undefined, a `u64` as a bigint. An error is thrown, in `payload`.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Transaction } from "./storage.mjs";

// What jco makes wraps some twenty functions in this for calls that may be suspended, which none here is, and falls back to the
// function itself where the engine lacks it, as that of Node.js 20 does. Failing so, again in every instance, costs 40 ms, most
// of them for the text of the error.
WebAssembly.promising ??= (exported) => exported;

/** The settings of a directory: the usual ones, but for what is given. */
export function settings(name, others = {}) {
  return {
    name,
    emailChange: "refuse",
    email: "optional",
    unknownMembers: "refuse",
    conflictPolicy: "sync",
    adoptionGraceSeconds: 3600,
    deletionLimit: undefined,
    mode: "live",
    domains: [],
    outsideDomains: "unlinked",
    projectRules: [],
    membershipResources: false,
    silentAfter: 3,
    ...others,
  };
}

/** The component, compiled once. */
export class Usher {
  #folder;
  #instantiate;
  #modules = new Map();

  /** Loads what jco has made in `folder`. */
  static async load(folder) {
    const usher = new Usher();
    usher.#folder = folder;
    usher.#instantiate = (await import(pathToFileURL(resolve(folder, "usher.js")))).instantiate;
    return usher;
  }

  /** The component over one storage, which holds one site. */
  site(storage) {
    return new Site(this, storage);
  }

  /** A fresh instance with these imports. */
  instance(imports) {
    return this.#instantiate((name) => this.#module(name), imports);
  }

  #module(name) {
    if (!this.#modules.has(name)) {
      this.#modules.set(name, new WebAssembly.Module(readFileSync(join(this.#folder, name))));
    }
    return this.#modules.get(name);
  }
}

/** A site: the component's functions over one storage. A call runs to its end before anything else does. */
export class Site {
  #usher;
  #imports;

  constructor(usher, storage) {
    this.#usher = usher;
    // All that the component reaches. Whatever else it wanted to import, it could not be instantiated.
    this.#imports = {
      "usher:provisioning/storage": { Transaction, begin: (access) => storage.begin(access) },
      "wasi:clocks/wall-clock": { now },
      "wasi:random/random": { getRandomU64: () => randomBytes(8).readBigUInt64LE() },
    };
  }

  /** Answers a SCIM request. */
  handle(request) {
    return this.call("scim", "handle", request);
  }

  /** Calls an exported function, in an instance of its own: nothing that one call leaves in memory reaches another. */
  call(exported, name, ...args) {
    return this.#usher.instance(this.#imports)[exported][name](...args);
  }
}

function now() {
  // The contract has no time before 1970.
  const milliseconds = Math.max(0, Date.now());
  return { seconds: BigInt(Math.floor(milliseconds / 1000)), nanoseconds: (milliseconds % 1000) * 1_000_000 };
}
