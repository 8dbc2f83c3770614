// What an administrator's script does with the ServiceDeskClient of jira.js.
import assert from 'node:assert/strict';
import { ServiceDeskClient } from 'jira.js';

const { USHER_ORIGIN: host, USHER_ADMIN_KEY: key } = process.env;
const client = new ServiceDeskClient({ host, authentication: { basic: { email: 'ann@example.com', apiToken: key } } });

// Projects are made on Usher's own surface: the reference product has no call for it on this one.
async function createProject(body) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const response = await fetch(`${host}/admin/v1/projects`, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(response.status, 201);
  return response.json();
}

// All values of a list, in pages of two.
async function readAll(call) {
  const values = [];
  for (let start = 0; ; start += 2) {
    const page = await call({ start, limit: 2 });
    assert.equal(page.size, page.values.length);
    assert.equal('next' in page._links, !page.isLastPage);
    values.push(...page.values);
    if (page.isLastPage) return values;
  }
}

const refused = (status, promise) => assert.rejects(promise, error => (error.status ?? error.response?.status) === status);
const ids = users => users.map(user => user.accountId).sort();

await createProject({ key: 'JS', name: 'JavaScript' });
const customers = [];
for (let number = 0; number < 5; number += 1) {
  const named = { displayName: `Customer ${number}`, email: `js-${number}@example.com` };
  customers.push(await client.customer.createCustomer(named));
}
const accountIds = ids(customers);
assert.ok(customers.every(customer => customer.active && customer.emailAddress.startsWith('js-')));
await refused(400, client.customer.createCustomer({ displayName: 'Customer 0', email: 'JS-0@example.com' }));

const { organization: organizations, serviceDesk } = client;
const acme = await organizations.createOrganization({ name: 'Acme of JavaScript' });
const other = await organizations.createOrganization({ name: 'Another of JavaScript' });
assert.equal(acme.scimManaged, false);
assert.equal(new Date(acme.created.iso8601).getTime(), Math.floor(acme.created.epochMillis / 1_000) * 1_000);
const organizationId = Number(acme.id);
assert.deepEqual(await organizations.getOrganization({ organizationId }), acme);
await organizations.addUsersToOrganization({ organizationId, accountIds });
const members = page => organizations.getUsersInOrganization({ organizationId, ...page });
assert.deepEqual(ids(await readAll(members)), accountIds);
await organizations.removeUsersFromOrganization({ organizationId, accountIds: accountIds.slice(0, 1) });
assert.deepEqual(ids((await members()).values), accountIds.slice(1));

const desk = (await readAll(page => serviceDesk.getServiceDesks(page))).find(found => found.projectKey === 'JS');
const serviceDeskId = desk.id;
assert.deepEqual(await serviceDesk.getServiceDeskById({ serviceDeskId: 'js' }), desk);
for (const id of [acme.id, other.id]) {
  await organizations.addOrganization({ serviceDeskId, organizationId: Number(id) });
}
const associated = page => organizations.getServiceDeskOrganizations({ serviceDeskId, ...page });
assert.deepEqual((await readAll(associated)).map(found => found.id), [acme.id, other.id]);
await organizations.removeOrganization({ serviceDeskId, organizationId: Number(other.id) });
assert.equal((await associated()).values.length, 1);

await serviceDesk.addCustomers({ serviceDeskId, accountIds });
const deskCustomers = page => serviceDesk.getCustomers({ serviceDeskId, ...page });
assert.deepEqual(ids(await readAll(deskCustomers)), accountIds);
assert.deepEqual((await deskCustomers({ query: 'JS-3' })).values.map(user => user.displayName), ['Customer 3']);
await serviceDesk.removeCustomers({ serviceDeskId, accountIds });
assert.deepEqual((await deskCustomers()).values, []);

const all = await readAll(page => organizations.getOrganizations(page));
const pushed = all.filter(found => found.scimManaged);
assert.deepEqual(pushed.map(found => found.name), ['Pushed']);
await refused(403, organizations.deleteOrganization({ organizationId: Number(pushed[0].id) }));
await refused(403, organizations.addUsersToOrganization({ organizationId: Number(pushed[0].id), accountIds }));

await organizations.deleteOrganization({ organizationId: Number(other.id) });
await refused(404, organizations.getOrganization({ organizationId: Number(other.id) }));
console.log(`${customers.length} customers, ${all.length} organizations, one service desk`);
