// A browser whose pages are watched: whatever goes wrong in one of them is a fault of the page that is looked at.
import { chromium } from 'playwright-core';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 360, height: 740 };
// A wide window at 200 %.
export const ZOOMED = { width: 640, height: 400 };

export class Watched {
  // The faults found so far, each with where it was found.
  faults = [];

  static async launch(server) {
    const watched = new Watched();
    watched.server = server;
    watched.browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGUMENTS });
    return watched;
  }

  fault(where, what) {
    this.faults.push(`${where}: ${what}`);
    console.log(`  FAULT ${where}: ${what}`);
  }

  check(isRight, where, what) {
    if (!isRight) this.fault(where, what);
  }

  close() {
    return this.browser.close();
  }

  // A page in a context of its own. `tolerates` says which faults are meant.
  async open(options = {}, tolerates = () => false) {
    const context = await this.browser.newContext({ viewport: WIDE, reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(10_000);
    const page = await context.newPage();
    const note = what => {
      if (!tolerates(what)) this.fault(path(page.url()), what);
    };
    // A violation is an event before it is a line in the console.
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        console.error(`content security policy: ${violatedDirective}, ${blockedURI}`);
      });
    });
    page.on('console', message => ['error', 'warning'].includes(message.type()) && note(`console: ${message.text()}`));
    page.on('pageerror', error => note(`script: ${error.message}`));
    page.on('dialog', dialog => {
      note(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on('request', request => {
      const url = request.url();
      if (!url.startsWith(`${this.server.origin}/`) && !url.startsWith('data:')) note(`asks for ${url}`);
    });
    page.on('response', response => {
      if (response.status() >= 400) note(`${response.status()} for ${path(response.url())}`);
    });
    return page;
  }

  // A page on which an administrator has signed in.
  async signedIn(options, tolerates) {
    const page = await this.open(options, tolerates);
    await this.signIn(page);
    await page.getByRole('navigation').first().waitFor();
    return page;
  }

  async signIn(page, key = this.server.key) {
    await page.goto(`${this.server.origin}/console`);
    await page.getByLabel(/key/i).fill(key);
    await page.getByRole('button', { name: /sign in/i }).click();
  }
}

export function path(url) {
  const { pathname, search } = new URL(url, 'http://usher');
  return decodeURIComponent(pathname) + search;
}
