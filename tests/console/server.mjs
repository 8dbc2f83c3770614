// A served Usher that can be stopped and started again over the same data, and what asks it for something.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { randomBytes } from 'node:crypto';

export class Server {
  // Starts one with a fresh key, on a port that the system chooses.
  static async start() {
    const server = new Server();
    await server.#start('127.0.0.1:0');
    return server;
  }

  // Starts it again where it was, with another key.
  async changeKey() {
    await this.stop();
    await this.#start(new URL(this.origin).host);
  }

  async stop() {
    if (this.process.exitCode !== null) return;
    const ended = new Promise(resolve => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    await ended;
  }

  async #start(address) {
    this.key = randomBytes(24).toString('base64url');
    const { USHER, USHER_DATA, ...environment } = process.env;
    this.process = spawn(USHER, ['serve', '--data', USHER_DATA, '--listen', address], {
      env: { ...environment, USHER_ADMIN_KEY: this.key },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // It must not outlive this program, however that ends.
    process.once('exit', () => this.process.kill());
    for await (const line of createInterface(this.process.stdout)) {
      [this.origin] = line.match(/http:\/\/[^\s/]+/) ?? [];
      if (this.origin) return;
    }
    throw new Error('the server did not become ready');
  }

  // Asks for something as an administrator of this name. Whoever does not say what is expected expects success.
  admin(method, path, body, { name = 'ann', expected } = {}) {
    const authorization = `Basic ${Buffer.from(`${name}:${this.key}`).toString('base64')}`;
    return this.#send(method, `${this.origin}/admin/v1${path}`, body, { authorization }, expected);
  }

  // Asks for something as the identity provider of a directory.
  scim(directory, method, path, body, { expected, headers } = {}) {
    const { scimBaseUrl, apiKey } = directory;
    return this.#send(method, scimBaseUrl + path, body, { authorization: `Bearer ${apiKey}`, ...headers }, expected);
  }

  async #send(method, url, body, headers, expected) {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(url, { method, headers: { ...headers, ...type }, body: JSON.stringify(body) });
    const text = await response.text();
    const isExpected = expected === undefined ? response.ok : response.status === expected;
    if (!isExpected) throw new Error(`${method} ${url}: ${response.status} instead of ${expected ?? 'success'}: ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
}
