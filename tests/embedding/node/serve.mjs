// Serves the SCIM surface of a site over HTTP, with what Node.js has.
//
//     node serve.mjs FOLDER      where jco has put the component; prints the base URL and the API key
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { MAX_VALUE_BYTES, MemoryStorage } from "./storage.mjs";
import { settings, Usher } from "./usher.mjs";

// The component takes requests of up to 16 MiB; there is no sense in reading more.
const MAX_BODY_BYTES = MAX_VALUE_BYTES;

/** Why a request does not reach the component. */
class Refusal extends Error {
  constructor(status) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** Serves a site on a port of its own: the server, and its origin. */
export function serve(site) {
  const server = createServer(async (incoming, outgoing) => {
    try {
      const { status, headers, body } = site.handle(await scimRequest(incoming));
      outgoing.writeHead(status, headers.flat());
      outgoing.end(body);
    } catch (error) {
      // What else is thrown is a call that failed, without a trace in the storage. Its text is not for the client.
      if (!(error instanceof Refusal)) console.error(error);
      // What is left of the body is not read, so that the connection cannot be used again.
      outgoing.writeHead(error.status ?? 500, { connection: "close" }).end();
    }
  });
  return new Promise((ready) => {
    server.listen(0, "127.0.0.1", () => ready({ server, origin: `http://127.0.0.1:${server.address().port}` }));
  });
}

/** Connects an identity provider: the path of its SCIM base URL, and its API key. */
export function connect(site, name) {
  const { directory, key } = site.call("directories", "connect", "serve.mjs", settings(name));
  return { path: directory.scimPath, key: key.apiKey };
}

/** What of an HTTP request the component gets. Whether a key is good, a path exists or a body makes sense is its to say. */
async function scimRequest(incoming) {
  const { method, url, headers } = incoming;
  const mark = url.indexOf("?");
  return {
    method: method === "HEAD" ? "GET" : method,
    origin: `http://${headers.host}`,
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? undefined : url.slice(mark + 1),
    headers: Object.entries(headers).filter(([, value]) => typeof value === "string"),
    body: await text(incoming),
  };
}

async function text(incoming) {
  const chunks = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new Refusal(413);
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    // What is encoded may be no text. The component says why it is not taken.
    if (incoming.headers["content-encoding"]) return undefined;
    throw new Refusal(400);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const site = (await Usher.load(process.argv[2])).site(new MemoryStorage());
  const { path, key } = connect(site, "Served from Node.js");
  const { origin } = await serve(site);
  console.log(`${origin}${path}\n${key}`);
}
