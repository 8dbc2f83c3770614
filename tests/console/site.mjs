// The site that is looked at: a live directory in which there is something of everything that an administrator decides, one
// that is staged, one whose key is revoked, and one that sends what no page may take for its own.
import { setTimeout as sleep } from 'node:timers/promises';

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

const GIVEN = ['Amara', 'Björn', 'Chidi', 'Dalia', 'Elif', 'Farid', 'Grace', 'Hana', 'Ingrid', 'Jamal', 'Keiko', 'Lucía'];
const FAMILY = ['Abebe', 'Becker', 'Chen', 'Demir', 'Fernández', 'García', 'Hansen', 'Ito', 'Kovács', 'Moreau', 'Nguyen', 'Yılmaz'];

// What would run, or break out of where it stands, if a page took it for markup. Each sets `window.ran`.
export const HOSTILE = [
  '<script>window.ran=1</script>',
  '"><img src=x onerror=window.ran=1>',
  "' autofocus onfocus=window.ran=1 x='",
  '</title></script><svg/onload=window.ran=1>',
  'javascript:window.ran=1',
  '--><iframe srcdoc="<script>top.ran=1</script>">',
];
// Allowed in the names of persons, not in those of groups.
const TURNED = '\u202Egro.elpmaxe\u202C and \u2067\u05D0\u05D1\u05D2';
const LONG = `${'Wide'.repeat(30)} ${'and long '.repeat(8)}`.trim().slice(0, 200);

const patch = (...operations) => ({ schemas: [PATCH], Operations: operations });
const members = ids => ids.map(value => ({ value }));

function* people(domain) {
  for (const family of FAMILY) {
    for (const given of GIVEN) {
      const login = `${given}.${family}`.normalize('NFD').replace(/[^\w.]/g, '').toLowerCase();
      yield { email: `${login}@${domain}`, displayName: `${given} ${family}` };
    }
  }
}

export class Site {
  constructor(server) {
    this.server = server;
  }

  async fill() {
    await this.#local();
    await this.#live();
    await this.#staged();
    await this.#hostile();
    await this.#keyless();
    await this.#after();
  }

  connect(name, settings = {}) {
    return this.server.admin('POST', '/directories', { name, ...settings });
  }

  user(directory, { email, displayName, ...more }, options) {
    const emails = email === undefined ? [] : [{ value: email, primary: true, type: 'work' }];
    const body = { schemas: [USER], userName: email ?? displayName, displayName, emails, active: true, ...more };
    return this.server.scim(directory, 'POST', '/Users', body, options);
  }

  group(directory, displayName, ids = [], options) {
    const body = { schemas: [GROUP], displayName, members: members(ids) };
    return this.server.scim(directory, 'POST', '/Groups', body, options);
  }

  change(directory, path, ...operations) {
    return this.server.scim(directory, 'PATCH', path, patch(...operations));
  }

  // What was there before any directory.
  async #local() {
    const { server } = this;
    const project = (key, name, audience) => server.admin('POST', '/projects', { key, name, audience });
    this.projects = [
      await project('HELP', 'Help Desk', 'open'),
      await project('OPS', 'Harbour Operations', 'restricted'),
      await project('PAY', 'Payroll Questions', 'restricted'),
      await project('LAB', `Laboratory ${HOSTILE[0]}`, 'restricted'),
    ];
    const customer = (email, displayName) => server.admin('POST', '/customers', { email, displayName });
    this.customers = [
      await customer('visitor@elsewhere.example', 'Vera Visitor'),
      await customer('amara.abebe@harbour.example', 'Amara (before Entra ID)'),
      await customer('bjorn.abebe@meadow.example', 'Björn (before Okta)'),
      await customer('old.timer@meadow.example', 'Olga Timer'),
      await customer('left@elsewhere.example', 'Leo Left'),
    ];
    const organization = async (name, ...ids) => {
      const made = await server.admin('POST', '/organizations', { name });
      for (const id of ids) await server.admin('PUT', `/organizations/${made.id}/members/${id}`);
      return made;
    };
    const [visitor, amara, bjorn, old, left] = this.customers.map(({ id }) => id);
    this.organizations = [
      await organization('Friends of the Harbour', visitor, amara),
      await organization('Harbour Night Shift', visitor, amara),
      await organization('Meadow Gardeners', bjorn, old),
      await organization(LONG, visitor),
      await organization(`Local ${HOSTILE[1]}`, visitor),
    ];
    const open = (project, kind, id) => server.admin('PUT', `/projects/${project.id}/${kind}/${id}`);
    const [, ops, pay, lab] = this.projects;
    await open(ops, 'organizations', this.organizations[0].id);
    await open(ops, 'organizations', this.organizations[1].id);
    await open(pay, 'organizations', this.organizations[2].id);
    await open(lab, 'organizations', this.organizations[4].id);
    await open(pay, 'customers', visitor);
    await server.admin('PATCH', `/customers/${left}`, { active: false }, { name: HOSTILE[1] });
    await server.admin('PATCH', '/settings', { retentionDays: 30 });
  }

  // Live, with conflicts, held deletions, unlinked and deactivated users, and requests that were refused.
  async #live() {
    const { server } = this;
    const [, ops, pay] = this.projects;
    const rules = [{ pattern: 'Harbour Op*', projects: [ops.id] }, { pattern: 'Harbour Pay*', projects: [pay.id] }];
    const live = await this.connect('Entra ID', {
      conflictPolicy: 'skip', deletionLimit: 3, domains: ['harbour.example'], projectRules: rules, unknownMembers: 'skip',
    });
    this.live = live;
    await server.admin('POST', `/directories/${live.id}/capture`, { seconds: 3_600, values: true });
    const ids = [];
    for (const person of people('harbour.example')) ids.push((await this.user(live, person)).id);
    this.liveUsers = ids;
    this.crew = await this.group(live, 'Harbour All Employees', ids);
    await this.group(live, 'Harbour Operations', ids.slice(0, 40));
    await this.group(live, 'Harbour Payroll', ids.slice(30, 60));
    for (let number = 1; number <= 30; number += 1) {
      await this.group(live, `Harbour Team ${number}`, ids.slice(number * 3, number * 3 + 12));
    }
    // Conflicts: left apart, and refused for a name that a managed organization has.
    await this.group(live, 'Harbour Night Shift', ids.slice(0, 9));
    await this.group(live, 'Friends of the Harbour', ids.slice(5, 9));
    await this.group(live, 'harbour night shift', [], { expected: 409 });
    // Unlinked: without an address, and with one of another domain.
    await this.user(live, { displayName: 'Reception Desk' });
    await this.user(live, { displayName: 'Contractor', email: 'contractor@agency.example' });
    await this.change(live, `/Users/${ids[3]}`, { op: 'replace', path: 'displayName', value: 'Dalia Abebe-Novak' });
    await this.change(live, `/Users/${ids[4]}`, { op: 'replace', path: 'active', value: false });
    await this.change(live, `/Users/${ids[5]}`, { op: 'replace', path: 'active', value: false });
    await server.scim(live, 'DELETE', `/Users/${ids[6]}`);
    for (const id of ids.slice(7, 12)) await server.scim(live, 'DELETE', `/Users/${id}`, undefined, { expected: 503 });
    await this.user(live, { displayName: 'Twice', email: 'chidi.abebe@harbour.example' }, { expected: 409 });
    await server.scim({ ...live, apiKey: 'wrong.key' }, 'GET', '/Users', undefined, { expected: 401 });
  }

  // Staged, with a plan of every kind: make, link, adopt, come and go.
  async #staged() {
    const staged = await this.connect('Okta', { conflictPolicy: 'sync', mode: 'staged', domains: ['meadow.example'] });
    this.staged = staged;
    const ids = [];
    for (const person of people('meadow.example')) {
      if (ids.length === 90) break;
      ids.push((await this.user(staged, person)).id);
    }
    await this.group(staged, 'Meadow Gardeners', ids.slice(4, 30));
    await this.group(staged, 'Meadow Everyone', ids);
    await this.group(staged, 'Meadow Office', ids.slice(0, 12));
  }

  // Sends script wherever something can be sent.
  async #hostile() {
    const { server } = this;
    const [script, image, handler, svg, url, frame] = HOSTILE;
    const hostile = await this.connect(`Bad ${script}`, { conflictPolicy: 'reject' });
    this.hostile = hostile;
    await server.admin('POST', `/directories/${hostile.id}/capture`, { seconds: 3_600, values: true });
    const ids = [];
    for (const [number, text] of HOSTILE.entries()) {
      const quoted = `"${number} ${text.replace(/[<>"\\\s]/g, '')}"@bad.example`;
      const headers = { 'x-request-id': text };
      const email = `${text.replace(/[<>\s]/g, '')}${number}@bad.example`;
      const named = { displayName: text, email, userName: text, title: text, locale: text, timezone: text, externalId: text };
      ids.push((await this.user(hostile, named, { headers })).id);
      await this.user(hostile, { displayName: `${text} quoted`, email: quoted, userName: `${text} quoted` });
      await this.group(hostile, `Group ${text}`, ids, { headers });
    }
    await this.user(hostile, { displayName: TURNED, email: 'turned@bad.example' });
    await this.user(hostile, { displayName: LONG.repeat(4), email: `${'l'.repeat(240)}@bad.example` });
    await this.user(hostile, { displayName: svg, userName: `${image} without an address` });
    await this.group(hostile, LONG.replace('Wide', 'Very'), ids);
    await this.group(hostile, `Local ${image}`, ids, { expected: 409 });
    await this.group(hostile, `Stranger ${script}`, [handler], { expected: 400 });
    await this.user(hostile, { displayName: script, email: 'again@bad.example', userName: script }, { expected: 409 });
    await this.change(hostile, `/Users/${ids[0]}`, { op: 'replace', path: 'nickName', value: frame });
    const wrong = patch({ op: url, path: image, value: script });
    await server.scim(hostile, 'PATCH', `/Users/${ids[0]}`, wrong, { expected: 400 });
    await server.scim(hostile, 'POST', '/Users', { schemas: [script], userName: `${image} refused`, active: handler }, { expected: 400 });
  }

  // Its key is revoked, so that nothing can come.
  async #keyless() {
    const keyless = await this.connect('Old LDAP bridge');
    this.keyless = keyless;
    await this.user(keyless, { displayName: 'Kay Less', email: 'kay@ldap.example' });
    const { values: [key] } = await this.server.admin('GET', `/directories/${keyless.id}/keys`);
    await this.server.admin('DELETE', `/directories/${keyless.id}/keys/${key.id}`);
  }

  // What administrators did since.
  async #after() {
    const { server } = this;
    const by = { name: `Mallory ${HOSTILE[0]}` };
    const [, second] = this.liveUsers;
    const { values: [customer] } = await server.admin('GET', '/customers?query=bjorn.abebe@harbour.example');
    await server.admin('POST', `/customers/${customer.id}/unlink`, undefined, by);
    this.unlinked = { customer: customer.id, user: second };
    await server.admin('DELETE', `/customers/${this.customers[3].id}`, undefined, by);
    await server.admin('POST', `/directories/${this.live.id}/keys`, { overlapSeconds: 3_600 }).then(issued => {
      this.live.apiKey = issued.apiKey;
    });
    // Who loses what is worked out when nothing has been pushed for a moment.
    for (let tries = 0; tries < 100; tries += 1) {
      const { access } = await server.admin('GET', `/directories/${this.staged.id}/plan`);
      if (access?.current) return;
      await sleep(200);
    }
    throw new Error('the access that the plan changes was not worked out');
  }

  // Pages to begin with, of which the first of a kind is the one that pictures are taken of.
  async pages() {
    const { server } = this;
    const find = async query => (await server.admin('GET', `/${query}`)).values[0].id;
    const dalia = await find('customers?query=dalia.abebe@harbour.example');
    const elif = await find('customers?query=elif.abebe@harbour.example');
    const payroll = await find('organizations?query=harbour+payroll');
    const paths = [
      `/directories/${this.live.id}`,
      `/directories/${this.live.id}/settings`,
      `/directories/${this.live.id}/requests?subject=${this.liveUsers[3]}`,
      `/customers/${dalia}`,
      `/customers/${elif}`,
      `/customers/${this.customers[0].id}`,
      `/customers/${this.unlinked.customer}`,
      `/customers/${dalia}/history`,
      `/organizations/${payroll}`,
      `/organizations/${payroll}/history`,
      `/projects/${this.projects[1].id}`,
      `/access?customer=${dalia}&project=${this.projects[1].id}`,
      `/access?customer=${elif}&project=${this.projects[0].id}`,
      `/access?customer=abebe&project=${this.projects[0].id}`,
      '/activity?actor=admin:ann&from=2020-01-01&kind=projects&to=2099-01-01',
      '/customers?query=abebe',
    ];
    return paths.map(path => this.#at(path));
  }

  // Pages that must not be left out either, because somebody sent script to them: those of the hostile directory and of what it
  // made. The first four are those to take pictures of.
  async hostilePages() {
    const of = kind => this.server.admin('GET', `/${kind}?directory=${this.hostile.id}&limit=20`);
    const [customers, organizations] = [(await of('customers')).values, (await of('organizations')).values];
    const paths = [
      `/directories/${this.hostile.id}`,
      `/directories/${this.hostile.id}/requests`,
      `/customers/${customers.find(({ displayName }) => displayName.startsWith('Wide')).id}`,
      `/organizations/${organizations.find(({ name }) => name.startsWith('Very')).id}`,
      ...customers.map(({ id }) => `/customers/${id}`),
      ...organizations.map(({ id }) => `/organizations/${id}`),
      `/organizations/${this.organizations[4].id}`,
      `/projects/${this.projects[3].id}`,
      `/directories/${this.staged.id}`,
      `/directories/${this.keyless.id}`,
      `/activity?directory=${this.hostile.id}`,
    ];
    return paths.map(path => this.#at(path));
  }

  #at(path) {
    return `${this.server.origin}/console${path}`;
  }

  // Pushes users and a group of theirs over and over, until `stop` is called, which throws what went wrong.
  sync() {
    let isWanted = true;
    const push = async () => {
      const group = await this.group(this.live, 'Harbour Arrivals');
      const pushed = [];
      for (let number = 1; isWanted; number += 1) {
        const { id } = await this.user(this.live, { displayName: `Arrival ${number}`, email: `arrival-${number}@harbour.example` });
        pushed.push(id);
        await this.change(this.live, `/Groups/${group.id}`, { op: 'add', path: 'members', value: members([id]) });
        await this.change(this.live, `/Users/${id}`, { op: 'replace', path: 'title', value: `Guest ${number}` });
        // The pages are to be looked at, not to be kept out.
        await sleep(2_000);
      }
      const { members: found } = await this.server.scim(this.live, 'GET', `/Groups/${group.id}`);
      if (found.length !== pushed.length) throw new Error(`${found.length} members after ${pushed.length} pushes`);
      return pushed.length;
    };
    const pushing = push();
    pushing.catch(() => {});
    return {
      stop: () => {
        isWanted = false;
        return pushing;
      },
    };
  }
}
