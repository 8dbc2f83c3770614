// What is done with the console, task by task.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOSTILE } from './site.mjs';
import { sound } from './pages.mjs';
import { path } from './watched.mjs';

const cookieOf = async page => (await page.context().cookies()).find(({ httpOnly }) => httpOnly);
const isSignedOut = page => page.getByRole('button', { name: /sign in/i }).isVisible();

// Signing in: with a wrong key, with the right one, and what the browser keeps of it.
export async function signIn(watched) {
  const page = await watched.open({}, what => /40[13]/.test(what));
  const asked = `${watched.server.origin}/console/customers?query=grace`;
  await page.goto(asked);
  assert.ok(await isSignedOut(page), 'whoever has not signed in sees pages');
  await watched.signIn(page, 'a wrong key');
  assert.ok(await page.getByRole('alert').isVisible(), 'a wrong key is not told of');
  assert.equal(await cookieOf(page), undefined, 'a wrong key gets a cookie');
  await page.goto(asked);
  await page.getByLabel(/key/i).fill(watched.server.key);
  // By keyboard alone.
  await page.keyboard.press('Enter');
  await page.getByRole('navigation').first().waitFor();
  assert.equal(path(page.url()), path(asked), 'signing in leads elsewhere than to what was asked for');
  const cookie = await cookieOf(page);
  assert.equal(cookie.sameSite, 'Strict');
  assert.equal(cookie.httpOnly, true);
  const hours = (cookie.expires * 1_000 - Date.now()) / 3_600_000;
  assert.ok(hours > 11.9 && hours <= 12, `the cookie ends in ${hours} hours`);
  assert.ok(!cookie.value.includes(watched.server.key), 'the key is in the cookie');
  // Not from the page, which would ask for a password.
  const response = await page.context().request.get(`${watched.server.origin}/admin/v1/customers`);
  assert.equal(response.status(), 401, 'the cookie opens the admin API');
  await page.context().close();
}

// Signing out, and going back from there.
export async function signOut(watched) {
  const page = await watched.signedIn({}, what => /40[13]/.test(what));
  await page.goto(`${watched.server.origin}/console/customers`);
  await page.getByRole('button', { name: /sign out/i }).click();
  await page.getByRole('button', { name: /sign in/i }).waitFor();
  assert.equal(await cookieOf(page), undefined, 'the cookie outlives signing out');
  await page.goBack();
  await page.getByRole('button', { name: /sign in/i }).waitFor();
  await page.context().close();
}

// Another key ends every session, also on a page that is open.
export async function keyChange(watched) {
  const page = await watched.signedIn({}, what => /40[13]|ERR_|console: Failed|EventSource/.test(what));
  await page.goto(`${watched.server.origin}/console`);
  const cookie = await cookieOf(page);
  await watched.server.changeKey();
  await page.getByRole('button', { name: /sign in/i }).waitFor({ timeout: 15_000 }).catch(() => {
    watched.fault('/console', 'an open page does not notice that its session is over');
  });
  await page.goto(`${watched.server.origin}/console/customers`);
  assert.ok(await isSignedOut(page), 'a session outlives its key');
  await page.context().addCookies([cookie]);
  await page.goto(`${watched.server.origin}/console/customers`);
  assert.ok(await isSignedOut(page), 'a cookie outlives its key');
  await watched.signIn(page);
  await page.getByRole('navigation').first().waitFor();
  await page.context().close();
}

// The overview tells of a change without being loaded again.
export async function live(watched, site) {
  const page = await watched.signedIn();
  await page.goto(`${watched.server.origin}/console`);
  await page.evaluate(() => (window.same = true));
  const before = await page.locator('main').innerText();
  await site.server.admin('PATCH', '/settings', { retentionDays: 21 }, { name: 'Quite Somebody' });
  await page.getByText('Quite Somebody').first().waitFor({ timeout: 10_000 });
  assert.notEqual(await page.locator('main').innerText(), before);
  assert.equal(await page.evaluate(() => window.same), true, 'the page was loaded again');
  await sound(watched, page);
  await page.context().close();
}

// A list is narrowed down as one types, and the address of the page goes along.
export async function asOneTypes(watched) {
  const page = await watched.signedIn();
  await page.goto(`${watched.server.origin}/console/customers`);
  await page.evaluate(() => (window.same = true));
  await page.getByRole('searchbox').pressSequentially('nov dal', { delay: 30 });
  await page.waitForURL(/query=nov\+dal/);
  await page.getByRole('link', { name: 'Dalia Abebe-Novak' }).waitFor();
  assert.equal(await page.locator('tbody tr').count(), 1);
  assert.equal(await page.evaluate(() => window.same), true, 'the page was loaded again');
  await page.context().close();
}

// Texts are copied, and times told in the viewer's zone, with the exact one to be seen.
export async function dressed(watched, site) {
  const page = await watched.signedIn({ timezoneId: 'Asia/Tokyo', locale: 'en-GB', permissions: ['clipboard-read', 'clipboard-write'] });
  await page.goto(`${watched.server.origin}/console/customers/${site.customers[0].id}`);
  await page.getByRole('button', { name: 'Copy' }).first().click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), site.customers[0].email);
  const time = page.locator('time[data-shown=at]').first();
  const made = new Date(site.customers[0].createdAt);
  const told = made.toLocaleTimeString('en-GB', { timeZone: 'Asia/Tokyo', hour: '2-digit', minute: '2-digit' });
  assert.ok((await time.innerText()).includes(told), `${await time.innerText()} instead of ${told}`);
  assert.match(await time.getAttribute('title'), /GMT\+9|JST|Japan/);
  await page.context().close();
}

// A plan that is applied elsewhere is followed on an open page to its end.
export async function applied(watched, site) {
  const page = await watched.signedIn();
  await page.goto(`${watched.server.origin}/console/directories/${site.staged.id}/plan`);
  await page.evaluate(() => (window.same = true));
  await page.getByText('Staged').first().waitFor();
  await site.server.admin('POST', `/directories/${site.staged.id}/apply`, {});
  await page.getByText('Nothing is planned').waitFor({ timeout: 30_000 });
  // What it pushed is all of its first sync, which may not be taken for over yet.
  await page.getByText(/^(First sync|In sync)$/).first().waitFor();
  assert.equal(await page.evaluate(() => window.same), true, 'the page was loaded again');
  await page.context().close();
}

// What works with a script works without one, but for what is live.
export async function withoutScript(watched, kinds) {
  const page = await watched.signedIn({ javaScriptEnabled: false });
  for (const [kind, [url]] of kinds) {
    const response = await page.goto(url);
    watched.check(response.status() === 200, kind, `${response.status()} without a script`);
    watched.check(await page.locator('main h1').isVisible(), kind, 'no heading without a script');
  }
  await page.goto(`${watched.server.origin}/console/customers`);
  const search = page.getByRole('searchbox').first();
  await search.fill('dalia novak');
  await search.press('Enter');
  await page.getByRole('link', { name: 'Dalia Abebe-Novak' }).click();
  assert.match(await page.locator('h1').innerText(), /Dalia Abebe-Novak/);
  await page.goto(`${watched.server.origin}/console/customers`);
  const first = await page.locator('main').innerText();
  await page.getByRole('link', { name: /next/i }).click();
  assert.notEqual(await page.locator('main').innerText(), first, 'there is no next page without a script');
  await page.context().close();
}

// A page is reached and left by keyboard alone.
export async function byKeyboard(watched) {
  const page = await watched.signedIn();
  await page.goto(`${watched.server.origin}/console`);
  for (let stops = 0; stops < 20; stops += 1) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate(() => document.activeElement.textContent.trim())) === 'Customers') break;
  }
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/console\/customers$/);
  await page.context().close();
}

// What directories send is text wherever it shows, even in a browser that is told to run everything.
export async function hostile(watched, kinds) {
  const page = await watched.signedIn({ bypassCSP: true });
  const seen = new Set();
  for (const urls of kinds.values()) {
    for (const url of urls) {
      await page.goto(url);
      // For what waits for the focus or for an error.
      await page.keyboard.press('Tab');
      await sleep(20);
      await sound(watched, page);
      const text = await page.locator('main').innerText();
      for (const sent of HOSTILE) if (text.includes(sent)) seen.add(sent);
    }
  }
  for (const sent of HOSTILE) watched.check(seen.has(sent), '/console', `nobody has seen ${sent}`);
  await page.context().close();
}

// What is not there, inside of the frame and outside.
export async function missing(watched) {
  const page = await watched.signedIn({}, what => /404|400/.test(what));
  for (const url of ['/nothing', '/customers/nobody', '/organizations/4711', '/projects/4711', '/directories/none', '/customers?cursor=%00']) {
    const response = await page.goto(`${watched.server.origin}/console${url}`);
    watched.check([400, 404].includes(response.status()), url, `${response.status()} instead of 404 or 400`);
    watched.check(await page.getByRole('navigation').first().isVisible(), url, 'no way on');
  }
  await page.context().close();
}
