// Connecting an identity provider, and having somebody without an account do it with a set-up link.
import assert from 'node:assert/strict';
import { look } from './pages.mjs';

// What an identity provider does first: it looks for somebody who is not there.
async function knock(base, key, expected = 200) {
  const filter = encodeURIComponent('userName eq "nobody-at-all"');
  const response = await fetch(`${base}/Users?filter=${filter}`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal(response.status, expected, `${response.status} for the first request`);
}

// The text beside a name in a list of facts.
const fact = (page, name) => page.locator('.facts > div').filter({ hasText: name }).locator('code').first().innerText();

// The page turns green by itself.
async function turnsGreen(page) {
  await page.getByText('Connected.', { exact: true }).waitFor({ timeout: 20_000 });
}

async function isWaiting(page) {
  assert.ok(await page.getByText('Waiting for the first request').isVisible(), 'the page does not wait');
}

// Connects a directory on the page that is open, by clicks.
async function connect(watched, page, name, { who = /^I do/, mode = /^Is planned/ } = {}) {
  await page.goto(`${watched.server.origin}/console/connect`);
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Identity provider', { exact: true }).selectOption('okta');
  // What is clicked is the box around each.
  await page.getByRole('radio', { name: mode }).check({ force: true });
  await page.getByRole('radio', { name: who }).check({ force: true });
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByRole('status').first().waitFor();
}

export async function byClicks(watched) {
  const page = await watched.signedIn({ permissions: ['clipboard-read', 'clipboard-write'] });
  await page.goto(`${watched.server.origin}/console/directories`);
  await page.getByRole('link', { name: 'Connect an identity provider' }).click();
  assert.match(page.url(), /\/console\/connect$/);
  await connect(watched, page, 'Connected by clicks');
  const key = await fact(page, 'Key');
  const base = await fact(page, 'SCIM base URL');
  await page.getByRole('button', { name: 'Copy' }).first().click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  await isWaiting(page);
  assert.ok(await page.getByText('“Push Groups”').first().isVisible(), 'the instructions for the chosen one are not open');
  await page.evaluate(() => (window.same = true));
  await knock(base, key);
  await turnsGreen(page);
  assert.equal(await page.evaluate(() => window.same), true, 'the page was loaded again');
  assert.equal(await fact(page, 'Key'), key, 'the key is gone before it can be copied');
  // Loaded again, it is the page without the key, and no other directory is made.
  await page.reload();
  await page.getByText('Connected.', { exact: true }).waitFor();
  assert.ok(!(await page.content()).includes(key), 'the key is shown once more');
  await page.context().close();
}

export async function byKeyboard(watched) {
  const page = await watched.signedIn();
  await page.goto(`${watched.server.origin}/console/connect`);
  await page.getByLabel('Name', { exact: true }).focus();
  await page.keyboard.type('Connected by keyboard');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Key');
  // A choice is one stop, within which the arrows choose.
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.type('example.com');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('status').first().waitFor();
  assert.match(page.url(), /\/set-up\?provider=keycloak$/);
  assert.ok(await page.getByText('Live: what it pushes reaches the site at once').isVisible(), 'the arrow has not chosen');
  await page.context().close();
}

// What does not fit stands above the form, with all that was entered still there.
export async function refused(watched) {
  const page = await watched.signedIn({}, what => /400|409/.test(what));
  await page.goto(`${watched.server.origin}/console/connect`);
  await page.getByLabel('Name', { exact: true }).fill('Connected by clicks');
  await page.getByLabel('Email domains').fill('example.com\nexample.org');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByRole('alert').waitFor();
  assert.equal(await page.getByLabel('Email domains').inputValue(), 'example.com\nexample.org');
  await page.getByLabel('Email domains').fill('some@body');
  await page.getByLabel('Name', { exact: true }).fill('Yet another');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  await page.getByRole('alert').filter({ hasText: 'domain' }).waitFor();
  await page.context().close();
}

// A directory with a set-up link: its address.
async function invited(watched, page, name) {
  await connect(watched, page, name, { who: /^Somebody/ });
  assert.equal(await page.locator('.facts > div').filter({ hasText: /^Key/ }).locator('button').count(), 0, 'a key is shown beside a link');
  return fact(page, 'Set-up link');
}

export async function bySomebodyElse(watched) {
  const admin = await watched.signedIn();
  const url = await invited(watched, admin, 'Set up by somebody else');
  const page = await watched.open();
  await page.goto(url);
  assert.match(await page.locator('h1').innerText(), /Connect Set up by somebody else/);
  assert.equal(await page.getByRole('navigation').count(), 0, 'whoever has a link sees the console');
  // For the pictures, and what must hold of any page.
  await look(watched, page, url, 'public-set-up');
  await page.getByRole('button', { name: 'Issue the key' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('It is shown only now').waitFor();
  const key = await fact(page, 'Key');
  const base = await fact(page, 'SCIM base URL');
  await isWaiting(page);
  await page.evaluate(() => (window.same = true));
  await knock(base, key);
  await turnsGreen(page);
  assert.equal(await page.evaluate(() => window.same), true, 'the page was loaded again');
  assert.equal(await fact(page, 'Key'), key, 'the key is gone before it can be copied');
  await turnsGreen(admin);
  assert.ok(!(await admin.content()).includes(key), 'an administrator sees the key');
  await admin.goto(`${watched.server.origin}/console/activity`);
  await admin.getByText('used the set-up link of').first().waitFor();
  // Without a script as well.
  const plain = await watched.open({ javaScriptEnabled: false });
  await plain.goto(url);
  await plain.getByText('Connected.', { exact: true }).waitFor();
  await look(watched, page, url, 'public-set-up-used');
  for (const open of [admin, page, plain]) await open.context().close();
}

// Two have the page open, and both press the button.
export async function usedTwice(watched) {
  const admin = await watched.signedIn();
  const url = await invited(watched, admin, 'Set up twice');
  const pages = [await watched.open(), await watched.open({}, what => /409/.test(what))];
  for (const page of pages) await page.goto(url);
  for (const page of pages) await page.getByRole('button', { name: 'Issue the key' }).click();
  await pages[0].getByText('It is shown only now').waitFor();
  await pages[1].getByText('The key of this link was issued').waitFor();
  const key = await fact(pages[0], 'Key');
  assert.ok(!(await pages[1].content()).includes(key), 'two have the key');
  await knock(await fact(pages[0], 'SCIM base URL'), key);
  for (const page of [admin, ...pages]) await page.context().close();
}

// Guessed, cut short, and taken back.
export async function opensNothing(watched) {
  const admin = await watched.signedIn();
  const url = await invited(watched, admin, 'Set up by nobody');
  const page = await watched.open({}, what => /404/.test(what));
  for (const wrong of [`${watched.server.origin}/console/set-up/guessed`, url.split('?')[0].slice(0, -1)]) {
    await page.goto(wrong);
    await page.getByRole('heading', { name: 'This link opens nothing' }).waitFor();
  }
  await look(watched, page, `${watched.server.origin}/console/set-up/guessed`, 'public-set-up-nothing');
  await page.goto(url);
  await admin.getByRole('button', { name: 'Take back' }).click();
  await admin.getByText('The set-up link is taken back.').waitFor();
  await page.getByRole('button', { name: 'Issue the key' }).click();
  await page.getByRole('heading', { name: 'This link opens nothing' }).waitFor();
  for (const open of [admin, page]) await open.context().close();
}

// A link for a directory that is there already.
export async function links(watched) {
  const page = await watched.signedIn({}, what => /400/.test(what));
  await page.goto(`${watched.server.origin}/console/directories`);
  await page.getByRole('link', { name: 'Connected by clicks' }).click();
  await page.getByRole('link', { name: 'Set-up', exact: true }).click();
  await page.getByLabel('Days that it is good for').fill('31');
  await page.getByRole('button', { name: 'Make a set-up link' }).click();
  await page.getByRole('alert').filter({ hasText: '1 to 30 days' }).waitFor();
  await page.getByLabel('Days that it is good for').fill('2');
  await page.getByRole('button', { name: 'Make a set-up link' }).click();
  await fact(page, 'Set-up link');
  await page.getByText('Not used yet').waitFor();
  await look(watched, page, page.url(), 'directories-one-set-up-link');
  await page.context().close();
}
