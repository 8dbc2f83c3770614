// Every page of the console that links lead to, and what must hold on each of them.
import { readFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { NARROW, WIDE, ZOOMED, path } from './watched.mjs';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// The most that may come over the wire for a page, with all that it loads.
const MAX_BYTES = 100 * 1_024;

// The most of a page that there are pictures of, in pixels.
const MAX_HEIGHT = 2_400;

// How many pages of one kind are looked at: those of a list differ in little.
const OF_A_KIND = 6;

// What kind of page a URL names: its path without ids, and the names in its query.
export function kind(url) {
  const { pathname, searchParams } = new URL(url);
  const steps = pathname.split('/').map(step => (/\d|^[a-z]{20}$/.test(step) ? '*' : step));
  const asked = [...new Set(searchParams.keys())].sort();
  return steps.join('/') + (asked.length ? `?${asked.join('&')}` : '');
}

// Follows links from the page at hand and from these others. What kinds of pages there are, each with the first few of them.
export async function crawl(watched, page, others) {
  const kinds = new Map();
  const waiting = [page.url(), ...others];
  const known = new Set(waiting);
  while (waiting.length) {
    const url = waiting.shift();
    const found = kinds.get(kind(url)) ?? [];
    kinds.set(kind(url), found);
    if (!others.includes(url) && found.length >= OF_A_KIND) continue;
    found.push(url);
    const response = await page.goto(url);
    watched.check(response.status() === 200, path(url), `${response.status()}`);
    watched.check(response.headers()['content-security-policy']?.startsWith("default-src 'none'"), path(url), 'no policy');
    await sound(watched, page);
    const links = await page.$$eval('a[href]', links => links.map(link => link.href.split('#')[0]));
    for (const link of links) {
      if (!new URL(link).pathname.startsWith('/console') || known.has(link)) continue;
      known.add(link);
      waiting.push(link);
    }
  }
  return kinds;
}

// What must hold of any page: nothing in it comes from data but text, and it has what finds one's way in it.
export async function sound(watched, page) {
  const wrong = await page.evaluate(() => {
    const wrong = [];
    if (window.ran) wrong.push('script from data has run');
    const strange = document.querySelectorAll('script:not([src]), iframe, object, embed, base, style, [style], [srcdoc], body img');
    for (const element of strange) wrong.push(`markup from data: ${element.outerHTML.slice(0, 120)}`);
    for (const element of document.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        if (name.startsWith('on')) wrong.push(`a handler: ${element.outerHTML.slice(0, 120)}`);
        if (/^\s*javascript:/i.test(value) && ['href', 'src', 'action', 'formaction'].includes(name)) wrong.push(`a link: ${value}`);
      }
    }
    for (const selector of ['title', 'h1', 'main', 'nav']) {
      const count = document.querySelectorAll(selector === 'title' ? 'head > title' : selector).length;
      if (count < 1 || (selector !== 'nav' && count > 1)) wrong.push(`${count} of ${selector}`);
    }
    if (!document.querySelector('nav [aria-current="page"]')) wrong.push('the current page is not marked');
    if (/\b(undefined|NaN|null|Some\(|\[object)/.test(document.querySelector('main')?.innerText ?? '')) wrong.push('the inside of the program shows');
    return wrong;
  });
  for (const what of wrong) watched.fault(path(page.url()), what);
}

// Looks at a page in both schemes, wide, zoomed and narrow, and takes its pictures.
export async function look(watched, page, url, name) {
  await page.goto(url);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const [size, viewport] of Object.entries({ wide: WIDE, zoomed: ZOOMED, narrow: NARROW })) {
      await page.setViewportSize(viewport);
      // As it comes on such a screen.
      if (size === 'narrow') await page.reload();
      const where = `${path(url)}, ${colorScheme}, ${size}`;
      const overflow = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        if (scrollWidth <= clientWidth) return undefined;
        const wide = [...document.querySelectorAll('main *, header *, nav *, footer *')];
        const widest = wide.find(element => element.getBoundingClientRect().right > clientWidth + 1);
        return `${scrollWidth} px: ${widest?.outerHTML.slice(0, 120)}`;
      });
      if (overflow && size !== 'wide') watched.fault(where, `scrolls sideways, ${overflow}`);
      if (size === 'zoomed') continue;
      for (const what of await axe(page)) watched.fault(where, what);
      const picture = { light: { wide: 'light', narrow: 'narrow' }, dark: { wide: 'dark' } }[colorScheme][size];
      if (picture) await take(page, `${name}.${picture}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(WIDE);
}

async function axe(page) {
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
  if (!passes.concat(violations).some(({ id }) => id === 'color-contrast')) return ['axe: nothing was said of contrast'];
  return violations.map(({ id, help, nodes }) => `axe: ${id}, ${help}, ${nodes.length} times: ${nodes[0].html.slice(0, 160)}`);
}

async function take(page, name) {
  const folder = process.env.USHER_SCREENSHOTS;
  await mkdir(folder, { recursive: true });
  // Of a list on a narrow screen, more than this is more of the same.
  const height = Math.min(MAX_HEIGHT, await page.evaluate(() => document.documentElement.scrollHeight));
  const { width } = page.viewportSize();
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true, clip: { x: 0, y: 0, width, height } });
}

// A page's bytes over the wire, with all that it loads, for somebody who comes for the first time.
export async function weigh(watched, page, urls) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  session.on('Network.dataReceived', event => (bytes += event.encodedDataLength));
  session.on('Network.responseReceived', event => (bytes += Math.max(0, event.response.encodedDataLength)));
  let heaviest = 0;
  for (const url of urls) {
    bytes = 0;
    await page.goto(url, { waitUntil: 'load' });
    heaviest = Math.max(heaviest, bytes);
    watched.check(bytes > 0 && bytes <= MAX_BYTES, path(url), `${bytes} bytes over the wire`);
  }
  return heaviest;
}

// Goes through a page by Tab: the skip link comes first and works, and whatever has the focus shows it, in the order of the page.
export async function tabThrough(watched, page, url) {
  await page.goto(url);
  const focused = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      const { width, height, top, bottom } = element.getBoundingClientRect();
      const previous = window.previous;
      window.previous = element;
      return {
        text: element.outerHTML.slice(0, 100),
        isBody: element === document.body,
        isMarked: (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none',
        isVisible: width > 0 && height > 0 && bottom > 0 && top < innerHeight,
        // A field for a day has several stops in it.
        isAfter: !previous || previous === element || Boolean(previous.compareDocumentPosition(element) & (Node.DOCUMENT_POSITION_FOLLOWING | Node.DOCUMENT_POSITION_CONTAINED_BY)),
        isSkipLink: element.matches('a[href^="#"]'),
      };
    });
  let count = 0;
  for (; count < 60; count += 1) {
    await page.keyboard.press('Tab');
    const found = await focused();
    // Behind the last stop it begins anew.
    if (found.isBody || (count > 0 && found.isSkipLink)) break;
    if (count === 0) watched.check(found.isSkipLink, path(url), `the first stop is no skip link: ${found.text}`);
    watched.check(found.isMarked, path(url), `the focus does not show on ${found.text}`);
    watched.check(found.isVisible, path(url), `the focus is out of sight on ${found.text}`);
    watched.check(found.isAfter, path(url), `the focus jumps back to ${found.text}`);
  }
  watched.check(count > 5, path(url), `${count} stops by Tab`);
  await page.goto(url);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  const isInside = await page.evaluate(() => {
    const main = document.querySelector('main');
    // A page with nothing to act on in it has the focus leave it.
    return main.contains(document.activeElement) || Boolean(main.compareDocumentPosition(document.activeElement) & Node.DOCUMENT_POSITION_FOLLOWING) || document.activeElement === document.body;
  });
  watched.check(isInside, path(url), 'the skip link does not lead past the navigation');
}
