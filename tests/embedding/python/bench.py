"""Measures what a call costs in Python, in memory, one at a time: `python bench.py COMPONENT`."""
import json
import statistics
import sys
import time

from serve import connect
from storages import MemoryStorage
from usher import Usher

CALLS = 500


def p50(call):
    """The median time of a call, in microseconds."""
    times = []
    for number in range(CALLS):
        began = time.perf_counter()
        call(number)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def main(component):
    site = Usher(component).site(MemoryStorage())
    path, key = connect(site, "bench")
    headers = [("authorization", f"Bearer {key}"), ("content-type", "application/scim+json")]

    def request(method, rest, body=None):
        return site.handle(method=method, origin="http://bench", path=path + rest, query=None, headers=headers, body=body)

    def post(number):
        user = {"userName": f"user{number}", "emails": [{"value": f"user{number}@example.com", "primary": True}]}
        return request("POST", "/Users", json.dumps(user))

    user = json.loads(post("").body)["id"]
    get = p50(lambda _: request("GET", f"/Users/{user}"))
    print(f"Python, in memory, p50 of {CALLS} calls: GET a user {get:.0f} µs, POST a user {p50(post):.0f} µs")


if __name__ == "__main__":
    main(*sys.argv[1:])
