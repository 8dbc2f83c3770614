// Looks at the console of a served site, and says what is wrong with it.
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from './server.mjs';
import { Site } from './site.mjs';
import { Watched } from './watched.mjs';
import { crawl, kind as kindOf, look, tabThrough, weigh } from './pages.mjs';
import * as acts from './acts.mjs';
import * as tasks from './tasks.mjs';
import * as connecting from './connecting.mjs';
import * as demonstration from './demonstration.mjs';

// What can be reached by links at least.
const KINDS = [
  '/console',
  '/console/directories',
  '/console/customers',
  '/console/organizations',
  '/console/projects',
  '/console/access',
  '/console/activity',
  '/console/settings',
];

const server = await Server.start();
const site = new Site(server);
let watched;
let failed;

// The longest that a step may take.
const LONGEST = 600_000;

async function late(millis) {
  await sleep(millis, undefined, { ref: false });
  throw new Error(`not done after ${millis / 1_000} s`);
}

async function step(name, work) {
  const began = Date.now();
  console.log(`\n=== ${name}`);
  try {
    await Promise.race([work(), late(LONGEST)]);
  } catch (error) {
    watched.fault(name, error.stack);
  }
  console.log(`=== ${name}: ${((Date.now() - began) / 1_000).toFixed(1)} s`);
}

try {
  console.log('\n=== the site');
  await site.fill();
  watched = await Watched.launch(server);
  const sync = site.sync();
  let kinds = new Map();
  let odd = [];

  await step('signing in', () => tasks.signIn(watched));
  await step('every page by links', async () => {
    const page = await watched.signedIn();
    odd = await site.hostilePages();
    kinds = await crawl(watched, page, [...(await site.pages()), ...odd]);
    for (const kind of KINDS) watched.check(kinds.has(kind), kind, 'no link leads there');
    let count = 0;
    for (const urls of kinds.values()) count += urls.length;
    console.log(`  ${count} pages of ${kinds.size} kinds`);
    await page.context().close();
  });
  await step('script from directories', () => tasks.hostile(watched, kinds));
  await step('bytes over the wire', async () => {
    const page = await watched.signedIn();
    const heaviest = await weigh(watched, page, [...kinds.values()].map(([url]) => url));
    console.log(`  ${heaviest} bytes at most`);
    await page.context().close();
  });
  await step('by keyboard', async () => {
    await tasks.byKeyboard(watched);
    const page = await watched.signedIn();
    for (const [url] of kinds.values()) await tabThrough(watched, page, url);
    await page.context().close();
  });
  await step('accessibility and width', async () => {
    const page = await watched.open();
    await look(watched, page, `${server.origin}/console`, 'sign-in');
    await watched.signIn(page);
    await page.getByRole('navigation').first().waitFor();
    for (const [kind, [url]] of kinds) await look(watched, page, url, name(kind));
    for (const url of odd.slice(0, 4)) await look(watched, page, url, `odd-${name(kindOf(url))}`);
    await page.context().close();
  });
  await step('the live parts', async () => {
    await tasks.live(watched, site);
    await tasks.asOneTypes(watched);
    await tasks.dressed(watched, site);
  });
  await step('the demonstration', () => demonstration.seen(watched));
  await step('without a script', () => tasks.withoutScript(watched, kinds));
  await step('a plan that is applied', () => tasks.applied(watched, site));
  await step('every action, by clicks and by keyboard', () => acts.all(watched, site));
  await step('two at once', () => acts.twoAtOnce(watched, site));
  await step('forged forms and framed pages', () => acts.forged(watched, site));
  await step('connecting', async () => {
    await connecting.byClicks(watched);
    await connecting.byKeyboard(watched);
    await connecting.refused(watched);
  });
  await step('set-up links', async () => {
    await connecting.bySomebodyElse(watched);
    await connecting.usedTwice(watched);
    await connecting.opensNothing(watched);
    await connecting.links(watched);
  });
  await step('what is not there', () => tasks.missing(watched));
  await step('signing out', () => tasks.signOut(watched));
  await step('the sync', async () => console.log(`  ${await sync.stop()} users pushed meanwhile`));
  await step('another key', () => tasks.keyChange(watched));
  failed = watched.faults;
} finally {
  await watched?.close();
  await server.stop();
}

if (failed.length) {
  console.log(`\n${failed.length} faults:`);
  for (const fault of failed) console.log(`  ${fault}`);
  process.exitCode = 1;
} else {
  console.log('\nnothing is wrong');
}

// The name of a picture of a kind of page.
function name(kind) {
  return kind.replace('/console', '').replace(/^\//, '').replaceAll('*', 'one').replace(/[/?&]+/g, '-') || 'overview';
}
