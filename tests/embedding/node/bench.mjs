// Measures what a call costs in Node.js, in memory, one at a time: `node bench.mjs FOLDER`.
import { connect } from "./serve.mjs";
import { MemoryStorage } from "./storage.mjs";
import { Usher } from "./usher.mjs";

const CALLS = 500;

/** The median time of a call, in microseconds. */
function p50(call) {
  const times = [];
  for (let number = 0; number < CALLS; number += 1) {
    const began = performance.now();
    call(number);
    times.push(performance.now() - began);
  }
  return Math.round(times.sort((a, b) => a - b)[CALLS / 2] * 1000);
}

const site = (await Usher.load(process.argv[2])).site(new MemoryStorage());
const { path, key } = connect(site, "bench");
const headers = [["authorization", `Bearer ${key}`], ["content-type", "application/scim+json"]];

function request(method, rest, body) {
  return site.handle({ method, origin: "http://bench", path: path + rest, headers, body });
}

function post(number) {
  const user = { userName: `user${number}`, emails: [{ value: `user${number}@example.com`, primary: true }] };
  return request("POST", "/Users", JSON.stringify(user));
}

const { id } = JSON.parse(post("").body);
const get = p50(() => request("GET", `/Users/${id}`));
console.log(`Node.js, in memory, p50 of ${CALLS} calls: GET a user ${get} µs, POST a user ${p50(post)} µs`);
