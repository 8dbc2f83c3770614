"""An identity provider that pushes users and a group, over and over, until the second of the files that are its arguments
is there. It makes the first when the first user is a member.

It fails on the first answer that is not the expected one. Its directory, its group and a customer of it are there for the
clients to meet: nothing that it pushes may be changed by them.
"""
import http.client
import json
import os
import pathlib
import sys
import time
import urllib.parse

ORIGIN = urllib.parse.urlsplit(os.environ["USHER_ORIGIN"])
PATCH = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
USER = ["urn:ietf:params:scim:schemas:core:2.0:User"]
GROUP = ["urn:ietf:params:scim:schemas:core:2.0:Group"]

connection = http.client.HTTPConnection(ORIGIN.hostname, ORIGIN.port, timeout=30)


def send(method, path, key, body=None, expected=200):
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    text = response.read().decode()
    if response.status != expected:
        sys.exit(f"{method} {path}: {response.status} instead of {expected}: {text}")
    return json.loads(text) if text else None


def main(begun, stop):
    directory = send("POST", "/admin/v1/directories", os.environ["USHER_ADMIN_KEY"], {"name": "Provider"}, 201)
    base, key = urllib.parse.urlsplit(directory["scimBaseUrl"]).path, directory["apiKey"]
    group = send("POST", f"{base}/Groups", key, {"schemas": GROUP, "displayName": "Pushed"}, 201)
    at = f"{base}/Groups/{group['id']}"
    count = 0
    while not stop.exists():
        count += 1
        name = f"pushed-{count}@example.com"
        user = send("POST", f"{base}/Users", key, {"schemas": USER, "userName": name, "displayName": name}, 201)
        operations = [{"op": "add", "path": "members", "value": [{"value": user["id"]}]}]
        # Who is no member any more was taken out with the user. A group of more than 100 is not sent back.
        members = count - (count - 1) // 5
        send("PATCH", at, key, {"schemas": PATCH, "Operations": operations}, 200 if members <= 100 else 204)
        begun.touch()
        operations = [{"op": "replace", "path": "active", "value": count % 2 == 0}]
        send("PATCH", f"{base}/Users/{user['id']}", key, {"schemas": PATCH, "Operations": operations})
        if count % 5 == 0:
            send("DELETE", f"{base}/Users/{user['id']}", key, expected=204)
        # The clients are to be met, not to be kept out.
        time.sleep(0.005)
    members = send("GET", at, key)["members"]
    if len(members) != count - count // 5:
        sys.exit(f"{len(members)} members after {count} pushes")
    print(f"{count} users pushed")


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
