// A SCIM server in memory, written with scimmy-routers as its documentation shows it: what a user of that library gets.
//
//   node scimmy.mjs TOKEN      prints its base URL when it is ready
//
// Users and groups are in a Map each. Beside them is an index of user names: creating a user looks there whether the name is
// taken, and `userName eq` is answered from it, since every identity provider asks that. Other filters look at everything.
import crypto from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const token = process.argv[2];
const users = new Map();
const groups = new Map();
const idOfName = new Map();

const taken = () => new SCIMMY.Types.Error(409, "uniqueness", "another user has this userName");

function found(resources, id) {
  const resource = resources.get(id);
  if (!resource) throw new SCIMMY.Types.Error(404, null, `Resource ${id} not found`);
  return resource;
}

// Keeps a plain copy, which is a quarter of the size of what SCIMMY hands over and faster to read.
function stored(resources, id, data) {
  const now = new Date();
  const created = resources.get(id)?.meta.created ?? now;
  const resource = { ...JSON.parse(JSON.stringify(data)), id, meta: { created, lastModified: now } };
  resources.set(id, resource);
  return resource;
}

function selected(resources, resource) {
  const all = [...resources.values()];
  return page(resource.filter ? resource.filter.match(all) : all, resource);
}

// SCIMMY sorts and cuts what it is given after it has made an answer of all of it. It knows a page that has been cut already,
// unless the page is longer than what comes before it.
function page(all, resource) {
  const { sortBy, startIndex = 1, count = 20 } = resource.constraints ?? {};
  if (sortBy || (startIndex > 1 && startIndex <= count)) return all;
  resource.constraints = { ...resource.constraints, totalResults: all.length };
  return all.slice(startIndex - 1, startIndex - 1 + count);
}

// The user name that a filter is equal to, where that is all the filter asks for.
function nameAskedFor(filter) {
  if (filter?.length !== 1 || Object.keys(filter[0]).length !== 1) return undefined;
  const [operator, value] = filter[0].userName ?? [];
  return operator === "eq" ? String(value).toLowerCase() : undefined;
}

SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser))
  .ingress(({ id = crypto.randomUUID() }, data) => {
    const before = users.get(id);
    const name = data.userName.toLowerCase();
    if ((idOfName.get(name) ?? id) !== id) throw taken();
    if (before) idOfName.delete(before.userName.toLowerCase());
    idOfName.set(name, id);
    return stored(users, id, data);
  })
  .egress((resource) => {
    if (resource.id) return found(users, resource.id);
    const name = nameAskedFor(resource.filter);
    if (name === undefined) return selected(users, resource);
    return idOfName.has(name) ? [users.get(idOfName.get(name))] : [];
  })
  .degress(({ id }) => {
    idOfName.delete(found(users, id).userName.toLowerCase());
    users.delete(id);
  });

SCIMMY.Resources.declare(SCIMMY.Resources.Group)
  .ingress(({ id = crypto.randomUUID() }, data) => stored(groups, id, data))
  .egress((resource) => (resource.id ? found(groups, resource.id) : selected(groups, resource)))
  .degress(({ id }) => {
    found(groups, id);
    groups.delete(id);
  });

const routers = new SCIMMYRouters({
  type: "bearer",
  handler: (request) => {
    if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("a bearer token is wanted");
    return "peer";
  },
});
const server = express()
  .use("/scim/v2", routers)
  .listen(0, "127.0.0.1", () => console.log(`ready on http://127.0.0.1:${server.address().port}/scim/v2`));
