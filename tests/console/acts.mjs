// What is done with the console: the main task of each page, with the mouse and with the keyboard alone.
import assert from 'node:assert/strict';
import { Keyboard, Mouse } from './hands.mjs';
import { HOSTILE } from './site.mjs';
import { sound } from './pages.mjs';

// A task at work: a page, hands to use it with, and a word that tells the names of this run from those of the other.
class Work {
  constructor(watched, site, page, hand, word) {
    Object.assign(this, { watched, site, page, hand, word });
  }

  open(path) {
    return this.page.goto(`${this.watched.server.origin}/console${path}`);
  }

  // A link of the page itself, not of the navigation beside it.
  link(name) {
    return this.hand.press(this.page.locator('main').getByRole('link', { name, exact: true }));
  }

  // The link of a row of a list, which others in the row may be called like.
  row(name) {
    return this.hand.press(this.page.getByRole('rowheader').getByRole('link', { name, exact: true }));
  }

  button(name) {
    return this.hand.press(this.page.getByRole('button', { name, exact: true }));
  }

  fill(label, text) {
    return this.hand.fill(this.page.locator('main').getByLabel(label, { exact: true }), text);
  }

  tick(label) {
    return this.hand.tick(this.page.getByLabel(label, { exact: true }));
  }

  // What the page says was done.
  async told(text) {
    await this.page.getByRole('status').getByText(text).waitFor();
    assert.ok(!this.page.url().includes('done='), 'what was done is told again when the page is loaded again');
    await sound(this.watched, this.page);
  }

  // Something of this run in the admin API.
  admin(method, path, body) {
    return this.site.server.admin(method, path, body);
  }
}

const TASKS = {
  async 'a customer'(work) {
    const name = `Nora ${work.word} ${HOSTILE[1]}`;
    await work.open('/customers');
    await work.link('New customer');
    await work.fill('Name', name);
    await work.fill('Address', `nora.${work.word}@elsewhere.example`);
    await work.button('Make the customer');
    await work.told('The customer is made.');
    await work.link('Edit');
    await work.tick('Deactivated');
    await work.button('Save');
    await work.told('The customer is saved.');
    await work.page.getByText('Deactivated').first().waitFor();
    await work.link('Delete …');
    await work.button('Delete the customer');
    await work.told('The customer is deleted.');
    await work.button('Restore');
    await work.told('The customer is restored.');
    await work.link('Delete …');
    await work.link('erase it for good');
    await work.button('Erase for good');
    await work.told('The customer is erased for good.');
    assert.equal(await work.page.getByText(name).count(), 0);
  },

  async 'an organization'(work) {
    await work.open('/organizations');
    await work.link('New organization');
    await work.fill('Name', `Crew ${work.word}`);
    await work.button('Make the organization');
    await work.told('The organization is made.');
    await work.link('Add members');
    await work.fill('Name or address', 'visitor');
    await work.button('Search');
    await work.button('Add Vera Visitor');
    await work.told('The customer is a member.');
    await work.link(`Crew ${work.word}`);
    await work.button('Remove Vera Visitor');
    await work.told('The customer is no longer a member.');
    await work.link('Rename');
    await work.fill('Name', `Staff ${work.word}`);
    await work.button('Save');
    await work.told('The organization is renamed.');
    await work.link('Delete …');
    await work.button('Delete the organization');
    await work.told('The organization is deleted.');
    await work.button('Restore');
    await work.told('The organization is restored.');
  },

  async 'a project'(work) {
    await work.open('/projects');
    await work.link('New project');
    await work.fill('Name', `Desk ${work.word}`);
    await work.fill('Key', `D${work.word}`);
    await work.button('Make the project');
    await work.told('The project is made.');
    await work.hand.press(work.page.locator('main .tabs').getByRole('link', { name: 'Organizations' }));
    await work.link('Add organizations');
    await work.fill('Name', 'Friends');
    await work.button('Search');
    await work.button('Add Friends of the Harbour');
    await work.told('The project is open to it.');
    await work.link('Organizations');
    await work.button('Remove Friends of the Harbour');
    await work.told('The project is closed to it.');
    await work.link('Edit');
    await work.tick('Open');
    await work.button('Save');
    await work.told('The project is saved.');
    await work.link('Delete …');
    await work.button('Delete the project');
    await work.told('The project is deleted.');
  },

  async 'the settings of a directory'(work) {
    const directory = await work.site.connect(`Settings ${work.word}`);
    await work.open(`/directories/${directory.id}/settings`);
    await work.fill('Email domains', `${work.word.toLowerCase()}.example`);
    await work.tick('Leave the group apart');
    await work.fill('Deletions and deactivations an hour', 'ten');
    await work.button('Save settings');
    await work.page.getByRole('alert').getByText('needs a whole number').waitFor();
    assert.equal(await work.page.getByLabel('Email domains').inputValue(), `${work.word.toLowerCase()}.example`);
    await work.fill('Deletions and deactivations an hour', '10');
    await work.hand.choose(work.page.getByLabel('Unit of “Grace of adoptions”'), 'days');
    await work.button('Save settings');
    await work.told('The settings are saved.');
    const { deletionLimit, adoptionGraceSeconds, conflictPolicy } = await work.admin('GET', `/directories/${directory.id}`);
    assert.deepEqual([deletionLimit, adoptionGraceSeconds, conflictPolicy], [10, 86_400, 'skip']);
  },

  async 'keys'(work) {
    const directory = await work.site.connect(`Keys ${work.word}`);
    const { values: [old] } = await work.admin('GET', `/directories/${directory.id}/keys`);
    await work.open(`/directories/${directory.id}/keys`);
    await work.button('Issue a key');
    const issued = await work.page.getByRole('status').locator('code').first().innerText();
    await work.site.user({ ...directory, apiKey: issued }, { displayName: 'Ada', email: `ada.${work.word}@keys.example` });
    await work.link(`Revoke ${old.id}`);
    await work.button('Revoke the key');
    await work.told('The key is revoked.');
    assert.ok(!(await work.page.content()).includes(issued), 'a key is shown again');
    await work.site.user(directory, { displayName: 'Bob', email: `bob.${work.word}@keys.example` }, { expected: 401 });
  },

  async 'conflicts'(work) {
    const directory = await work.site.connect(`Conflicts ${work.word}`, { conflictPolicy: 'skip' });
    for (const what of ['Adopt', 'Rename', 'Leave']) {
      const { id } = await work.admin('POST', '/organizations', { name: `${what} ${work.word}` });
      await work.admin('PUT', `/organizations/${id}/members/${work.site.customers[0].id}`);
      await work.site.group(directory, `${what} ${work.word}`);
    }
    await work.open(`/directories/${directory.id}/conflicts`);
    await work.row(`Adopt ${work.word}`);
    await work.page.getByText('Who goes: 1').waitFor();
    await work.button('Adopt it');
    await work.told('The group has the organization.');
    await work.row(`Rename ${work.word}`);
    await work.fill('New name of the organization', `Adopt ${work.word}`);
    await work.button('Rename it');
    await work.page.getByRole('alert').getByText('Another organization has this name.').waitFor();
    await work.fill('New name of the organization', `Local ${work.word}`);
    await work.button('Rename it');
    await work.told('The organization is renamed');
    await work.row(`Leave ${work.word}`);
    await work.button('Leave apart');
    await work.told('The group is left apart.');
    await work.row(`Leave ${work.word}`);
    await work.button('Adopt it');
    await work.told('The group has the organization.');
  },

  async 'held deletions'(work) {
    const directory = await work.site.connect(`Held ${work.word}`, { deletionLimit: 0 });
    const { id } = await work.site.user(directory, { displayName: 'Hel D', email: `held.${work.word}@held.example` });
    await work.site.server.scim(directory, 'DELETE', `/Users/${id}`, undefined, { expected: 503 });
    await work.open(`/directories/${directory.id}/held`);
    await work.link('Let them through …');
    await work.page.getByText(`held.${work.word}@held.example`).waitFor();
    await work.button('Let them through');
    await work.told('go through for an hour');
    await work.site.server.scim(directory, 'DELETE', `/Users/${id}`);
  },

  async 'captured bodies'(work) {
    const directory = await work.site.connect(`Bodies ${work.word}`);
    await work.open(`/directories/${directory.id}/requests`);
    await work.link('Capture bodies …');
    await work.fill('For how long', '2');
    await work.tick('With values');
    await work.button('Capture bodies');
    await work.told('Bodies are being captured.');
    await work.button('Stop');
    await work.told('No more bodies are captured.');
  },

  async 'projects by rule'(work) {
    const directory = await work.site.connect(`Rules ${work.word}`);
    await work.site.group(directory, `Pier ${work.word}`);
    await work.open(`/directories/${directory.id}/settings`);
    await work.fill('Rules', `Pier ${work.word}* = OPS`);
    await work.button('Save settings');
    await work.told('The settings are saved.');
    await work.link('What the saved rules would do to organizations that exist');
    await work.page.getByRole('link', { name: `Pier ${work.word}` }).waitFor();
    await work.button('Apply the rules');
    await work.told('The rules are applied.');
    await work.page.getByText('Nothing to do').waitFor();
  },

  async 'a plan'(work) {
    const directory = await work.site.connect(`Plan ${work.word}`, { deletionLimit: 0 });
    const { id } = await work.site.user(directory, { displayName: 'Go Ne', email: `gone.${work.word}@plan.example` });
    await work.open(`/directories/${directory.id}/plan`);
    await work.link('Stage the directory …');
    await work.button('Stage the directory');
    await work.told('The directory is staged');
    await work.site.server.scim(directory, 'DELETE', `/Users/${id}`);
    await work.site.user(directory, { displayName: 'New Comer', email: `new.${work.word}@plan.example` });
    await work.page.reload();
    await work.link('Apply the plan …');
    await work.button('Apply the plan');
    await work.page.getByRole('alert').waitFor();
    await work.tick('Yes, 1 customer or organization may go');
    await work.button('Apply the plan');
    await work.page.getByText('The plan was applied').waitFor({ timeout: 30_000 });
    // It is told by the site, not by the page that started it.
    await work.page.reload();
    await work.page.getByText('The plan was applied').waitFor();
    await work.page.getByText('2 of 2').waitFor();
  },

  async 'links'(work) {
    const directory = await work.site.connect(`Links ${work.word}`);
    const email = `lin.${work.word}@links.example`.toLowerCase();
    const { id } = await work.site.user(directory, { displayName: `Lin ${work.word}`, email });
    const group = await work.site.group(directory, `Links Crew ${work.word}`, [id]);
    await work.open(`/customers?query=${email}`);
    await work.link(`Lin ${work.word}`);
    await work.link('Unlink …');
    await work.button('Unlink the customer');
    await work.told('The customer is local now.');
    await work.link('Link …');
    await work.hand.choose(work.page.getByLabel('Directory', { exact: true }), `Links ${work.word}`);
    await work.button('Link the customer');
    await work.told('The customer is linked.');
    await work.link(`Links Crew ${work.word}`);
    await work.link('Unlink …');
    await work.button('Unlink the organization');
    await work.told('The organization is local now.');
    await work.link('Rename');
    await work.fill('Name', `Links Old ${work.word}`);
    await work.button('Save');
    await work.told('The organization is renamed.');
    await work.open(`/directories/${directory.id}/groups/${group.id}`);
    await work.button('Compare');
    await work.page.getByText('The group has no organization.').waitFor();
    await work.button('Repair');
    await work.told('are put right');
    await work.button('Compare');
    await work.page.getByText('The group and its organization match.').waitFor();
  },

  async 'disconnecting'(work) {
    const directory = await work.site.connect(`Gone ${work.word}`);
    await work.site.user(directory, { displayName: 'Re Moved', email: `removed.${work.word}@gone.example` });
    await work.open(`/directories/${directory.id}/settings`);
    await work.link('Disconnect …');
    await work.page.getByText('1 customer and 0 organizations').waitFor();
    await work.tick('Remove it');
    await work.button('Disconnect');
    await work.told('what it managed is removed');
  },

  async 'the settings of the site'(work) {
    await work.open('/settings');
    await work.fill('Retention time, in days', '28');
    await work.button('Save settings');
    await work.told('The settings are saved.');
    assert.equal((await work.admin('GET', '/settings')).retentionDays, 28);
    await work.fill('Retention time, in days', '21');
    await work.button('Save settings');
    await work.told('The settings are saved.');
  },
};

// Every task, with each kind of hands.
export async function all(watched, site) {
  for (const [name, task] of Object.entries(TASKS)) {
    for (const [Hand, word] of [[Mouse, 'MA'], [Keyboard, 'KB']]) {
      // What is refused is told on a page with that status.
      const page = await watched.signedIn({}, what => /\b(400|409)\b/.test(what));
      const hand = new Hand(page);
      await task(new Work(watched, site, page, hand, word)).catch(error => watched.fault(`${name}, ${hand.name}`, error.stack));
      await page.context().close();
    }
  }
}

// Two administrators with the same form open: the second is told, and can send it once more.
export async function twoAtOnce(watched, site) {
  const tolerates = what => /\b(404|409)\b/.test(what);
  const [first, second] = [await watched.signedIn({}, tolerates), await watched.signedIn({}, tolerates)];
  const { id } = await site.server.admin('POST', '/organizations', { name: 'Two at once' });
  const url = `${watched.server.origin}/console/organizations/${id}`;
  for (const page of [first, second]) await page.goto(`${url}/edit`);
  for (const [page, name] of [[first, 'Of the first'], [second, 'Of the second']]) {
    await page.getByLabel('Name').fill(name);
    await page.getByRole('button', { name: 'Save' }).click();
  }
  await first.getByRole('status').getByText('renamed').waitFor();
  await second.getByRole('alert').getByText('Somebody else has changed this').waitFor();
  assert.equal(await second.getByLabel('Name').inputValue(), 'Of the second');
  await sound(watched, second);
  await second.getByRole('button', { name: 'Save' }).click();
  await second.getByRole('status').getByText('renamed').waitFor();
  // What the one takes away, the other cannot take away again.
  for (const page of [first, second]) await page.goto(`${url}/delete`);
  for (const page of [first, second]) await page.getByRole('button', { name: 'Delete the organization' }).click();
  await first.getByRole('status').getByText('deleted').waitFor();
  await second.getByRole('heading', { name: 'Not found' }).waitFor();
  await second.getByRole('link', { name: 'Back' }).click();
  await second.getByText('Deleted.').waitFor();
  for (const page of [first, second]) await page.context().close();
}

// A page of another site can neither send a form of the console nor show one in a frame.
export async function forged(watched, site) {
  const page = await watched.signedIn({}, what => /\b403\b|ERR_BLOCKED_BY_RESPONSE|frame|asks for|X-Frame/i.test(what));
  const { id } = await site.server.admin('POST', '/organizations', { name: 'Forged' });
  const url = `${watched.server.origin}/console/organizations/${id}`;
  const elsewhere = `http://localhost:${new URL(watched.server.origin).port}`;
  await page.route('**/elsewhere', route => route.fulfill({
    contentType: 'text/html',
    body: `<form method="post" action="${url}/delete"><input name="token" value="x"><button>Win</button></form><iframe src="${url}/delete"></iframe>`,
  }));
  await page.goto(`${elsewhere}/elsewhere`);
  const framed = page.frames().find(frame => frame !== page.mainFrame());
  assert.equal(await framed.getByRole('button', { name: 'Delete the organization' }).count(), 0, 'a page can be framed');
  const [response] = await Promise.all([page.waitForResponse(`${url}/delete`), page.getByRole('button', { name: 'Win' }).click()]);
  assert.equal(response.status(), 403);
  assert.equal((await site.server.admin('GET', `/organizations/${id}`)).name, 'Forged');
  await page.context().close();
}
