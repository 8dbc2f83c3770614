"""What an administrator's script does with the class ServiceDesk of atlassian-python-api."""
import json
import os
import urllib.request

from atlassian import ServiceDesk
from requests import HTTPError

ORIGIN, KEY = os.environ["USHER_ORIGIN"], os.environ["USHER_ADMIN_KEY"]
desk = ServiceDesk(url=ORIGIN, username="ann", password=KEY)


def create_project(key, name):
    """Projects are made on Usher's own surface: the reference product has no call for it on this one."""
    request = urllib.request.Request(
        f"{ORIGIN}/admin/v1/projects",
        json.dumps({"key": key, "name": name}).encode(),
        {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def read_all(call):
    """All values of a list, in pages of two."""
    values, start = [], 0
    while True:
        page = call(start=start, limit=2)
        assert page["size"] == len(page["values"]) and page["start"] == start and page["limit"] == 2, page
        values += page["values"]
        if page["isLastPage"]:
            return values
        start += 2


def refused(status, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except HTTPError as error:
        assert error.response.status_code == status, error.response.text
        return
    raise AssertionError(f"{call.__name__} was not refused")


def ids(users):
    return sorted(user["accountId"] for user in users)


create_project("PY", "Python")
customers = [desk.create_customer(f"Customer {number}", f"py-{number}@example.com") for number in range(5)]
accounts = ids(customers)
assert all(customer["active"] and customer["emailAddress"].startswith("py-") for customer in customers)
refused(400, desk.create_customer, "Customer 0", "PY-0@example.com")

acme, other = desk.create_organization("Acme of Python"), desk.create_organization("Another of Python")
assert not acme["scimManaged"] and acme["created"]["epochMillis"] > 0, acme
assert desk.get_organization(acme["id"]) == acme
refused(404, desk.get_organization, 999_999)
desk.add_users_to_organization(acme["id"], users_list=accounts[:2], account_list=accounts[2:])
assert ids(read_all(lambda **page: desk.get_users_in_organization(acme["id"], **page))) == accounts
desk.remove_users_from_organization(acme["id"], account_list=accounts[:1])
assert ids(desk.get_users_in_organization(acme["id"])["values"]) == accounts[1:]

[service_desk] = [found for found in desk.get_service_desks(limit=1) if found["projectKey"] == "PY"]
assert desk.get_service_desk_by_id(service_desk["id"]) == service_desk
assert desk.get_service_desk_by_id("PY") == service_desk
for organization in (acme, other):
    desk.add_organization(service_desk["id"], int(organization["id"]))
associated = read_all(lambda **page: desk.get_organisations(service_desk["id"], **page))
assert [found["id"] for found in associated] == [acme["id"], other["id"]], associated
desk.remove_organization(service_desk["id"], int(other["id"]))
assert len(desk.get_organisations(service_desk["id"])["values"]) == 1

desk.add_customers(service_desk["id"], list_of_usernames=accounts[:1], list_of_accountids=accounts[1:])
assert ids(read_all(lambda **page: desk.get_customers(service_desk["id"], **page))) == accounts
found = desk.get_customers(service_desk["id"], query="PY-3")["values"]
assert [user["displayName"] for user in found] == ["Customer 3"], found
desk.remove_customers(service_desk["id"], list_of_accountids=accounts)
assert desk.get_customers(service_desk["id"])["values"] == []

organizations = read_all(lambda **page: desk.get_organisations(**page))
[pushed] = [found for found in organizations if found["scimManaged"]]
assert pushed["name"] == "Pushed", pushed
refused(403, desk.delete_organization, pushed["id"])
refused(403, desk.add_users_to_organization, pushed["id"], account_list=accounts)
assert desk.get_users_in_organization(pushed["id"])["values"], "the identity provider's users are members"

desk.delete_organization(other["id"])
refused(404, desk.get_organization, other["id"])
print(f"{len(customers)} customers, {len(organizations)} organizations, one service desk")
