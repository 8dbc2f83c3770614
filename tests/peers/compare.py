"""Measures SCIM servers side by side: one after another, each alone on the machine, with the same requests from wrk, which has
one thread. Prints a table in Markdown; see `run`, which installs what this needs and builds Usher.

Before anything is measured each server must show that it does the work: what it answers wrongly is said under the table. A
figure is void where requests failed. Each server and its data are gone at the end, however that comes.
"""
import argparse
import contextlib
import datetime
import http.client
import itertools
import json
import os
import pathlib
import re
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
CONNECTIONS = (1, 8)

# How many users a run of PATCH adds to a group before it takes them out again.
TURN = 10

# A request may take long, and is waited for: seconds.
PATIENCE = 60


class Scim:
    """A client of a running server, for what is not measured."""

    def __init__(self, base, token, process):
        self.base, self.token, self.process = base, token, process
        self.url = urllib.parse.urlsplit(base)

    def send(self, method, path, body=None, timeout=PATIENCE):
        """The status and the body of the answer; no status where none came in time."""
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=timeout)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        with contextlib.closing(connection):
            try:
                connection.request(method, self.url.path + path, None if body is None else json.dumps(body), headers)
                response = connection.getresponse()
                text = response.read()
            except OSError:
                return None, None
        return response.status, json.loads(text) if text else None

    def memory(self):
        """The resident memory, in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


@contextlib.contextmanager
def started(command, environment=()):
    """The process of a server and the URL that it says it is ready on."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **dict(environment)}
    )
    try:
        url = re.search(r"http://\S+", process.stdout.readline())
        if not url:
            sys.exit(f"this did not become ready: {' '.join(map(str, command))}")
        yield process, url[0]
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def usher(options):
    key = secrets.token_urlsafe()
    # Beside the tools, since many machines have the folder for temporary files in memory.
    with tempfile.TemporaryDirectory(prefix="data-", dir=options.tools) as data:
        command = [options.usher, "serve", "--data", data, "--listen", "127.0.0.1:0"]
        with started(command, {"USHER_ADMIN_KEY": key}) as (process, origin):
            status, directory = Scim(origin, key, process).send("POST", "/admin/v1/directories", {"name": "Peers"})
            if status != 201:
                sys.exit(f"no directory could be connected: {status} {directory}")
            yield Scim(directory["scimBaseUrl"], directory["apiKey"], process)


@contextlib.contextmanager
def scimmy_routers(options):
    token = secrets.token_urlsafe()
    # What Express asks for wherever it is not being developed with.
    with started(["node", options.tools / "scimmy.mjs", token], {"NODE_ENV": "production"}) as (process, base):
        yield Scim(base, token, process)


@contextlib.contextmanager
def scim2_server(options):
    token = secrets.token_urlsafe()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [options.tools / "python/bin/scim2-server", "--port", str(port), "--bearer-token", token]
    with started(command) as (process, base):
        yield Scim(base, token, process)


SERVERS = {"Usher": usher, "scimmy-routers": scimmy_routers, "scim2-server": scim2_server}


def versions(options):
    """What is measured, with what, and on what: others who keep the machine busy make the figures worthless."""

    def first_line(*command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout.splitlines()[0]

    packages = json.loads((HERE / "package.json").read_text())["dependencies"]
    scim2 = re.search(r"^scim2-server==(.*)$", (HERE / "requirements.txt").read_text(), re.MULTILINE)[1]
    return {
        "Usher": first_line(options.usher, "--version").split()[-1],
        "scimmy-routers": f"{packages['scimmy-routers']} (scimmy {packages['scimmy']}, Express {packages['express']}, "
        f"Node.js {first_line('node', '--version').removeprefix('v')})",
        "scim2-server": f"{scim2} (Python {sys.version.split()[0]})",
        "wrk": first_line("wrk", "--version").split(" [")[0].removeprefix("wrk "),
        "machine": f"{os.cpu_count()} processors, load average before {os.getloadavg()[0]:.1f}",
    }


def patch(*operations):
    return {"schemas": [PATCH], "Operations": operations}


def faults(scim):
    """What the server answers wrongly of that which is measured."""
    wrong = []

    def expect(what, holds):
        if not holds:
            wrong.append(what)

    sent = {
        "schemas": [USER, ENTERPRISE],
        "userName": "first@example.com",
        "externalId": "first",
        "emails": [{"value": "first@example.com", "type": "work", "primary": True}],
        ENTERPRISE: {"department": "Department"},
    }
    status, user = scim.send("POST", "/Users", sent)
    if status != 201:
        return [f"POST of a user: {status}"]
    expect("POST returns the user", all(user.get(name) == sent[name] for name in sent if name != "schemas"))
    expect("POST of the same userName: 409", scim.send("POST", "/Users", sent)[0] == 409)
    expect("GET of a user", scim.send("GET", f"/Users/{user['id']}") == (200, user))
    for name, count in (("FIRST@example.com", 1), ("other@example.com", 0)):
        status, found = scim.send("GET", f"/Users?filter=userName%20eq%20%22{urllib.parse.quote(name)}%22")
        expect(f"userName eq {name}: {count}", status == 200 and found["totalResults"] == count)
    second = scim.send("POST", "/Users", {**sent, "userName": "second@example.com", "emails": []})[1]["id"]
    status, page = scim.send("GET", "/Users?count=1&startIndex=2")
    listed = [user["id"] for user in page["Resources"]] if status == 200 else None
    expect("GET of a page", listed in ([second], [user["id"]]) and page["totalResults"] == 2)
    status, group = scim.send("POST", "/Groups", {"schemas": [GROUP], "displayName": "First"})
    if status != 201:
        return [*wrong, f"POST of a group: {status}"]
    at = f"/Groups/{group['id']}"
    for member in (user["id"], second):
        scim.send("PATCH", at, patch({"op": "add", "path": "members", "value": [{"value": member}]}))
    scim.send("PATCH", at, patch({"op": "remove", "path": f'members[value eq "{second}"]'}))
    members = [member["value"] for member in scim.send("GET", at)[1].get("members", [])]
    expect("PATCH of members", members == [user["id"]])
    return wrong


def wrk(scim, connections, seconds, kind, *arguments):
    """What one run of the load generator found."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={PATIENCE}s", "-s", HERE / "scim.lua", scim.base]
    command += ["--", scim.token, kind, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output = []
        for line in process.stdout:
            output.append(line)
            if line == "LOADED\n":
                # It would sleep for the rest of its time.
                process.send_signal(signal.SIGINT)
            elif line.startswith("RESULT "):
                return json.loads(line.removeprefix("RESULT "))
        sys.exit(f"wrk failed: {''.join(output)}")
    finally:
        process.kill()
        process.wait()


def figure(values, errors=0):
    """Several runs as one: the median, and how far they are apart."""
    middle = statistics.median(values)
    return {"median": middle, "spread": (max(values) - min(values)) / 2 / middle if middle else 0, "errors": errors}


def measured(scim, options, connections, kind, arguments, value):
    """The runs of one kind of request, each with the next of `arguments`. A run into which hardly one fits is made longer."""
    runs, errors, seconds = [], 0, options.seconds
    while len(runs) < options.runs:
        # Waits until the server has done what it was doing when the run before ended.
        scim.send("GET", "/Users?count=1")
        run = wrk(scim, connections, seconds, kind, *next(arguments))
        errors += run["errors"]
        if run["requests"] < 3 and seconds < PATIENCE:
            seconds = min(4 * seconds, PATIENCE)
        elif not run["requests"]:
            return {"note": f"not answered within {seconds} s"}
        else:
            runs.append(run)
    return figure([value(run) for run in runs], errors)


def rate(run):
    return run["requests"] / run["seconds"]


class Users:
    """The users of a server: how many there are, and a file of their ids and names."""

    def __init__(self, folder):
        self.file, self.count, self.last = pathlib.Path(folder) / "users", 0, 0
        self.file.touch()

    def load(self, scim, target, cap):
        """Has as many as that, or as many as there can be within `cap` seconds. Returns the number of errors."""
        if self.count >= target:
            return 0
        first, self.last = self.last + 1, self.last + target - self.count
        run = wrk(scim, 8, cap, "load", first, self.last, self.file)
        self.count = len(self.ids())
        if not self.count:
            sys.exit(f"no user could be loaded into {scim.base}")
        # Some may have been sent without their answer having been seen.
        self.last += 100
        return run["errors"]

    def ids(self):
        return [line.split()[0] for line in self.file.read_text().splitlines()]


def build_group(scim, size, ids, cap):
    """A group of the first users: its id, or why there is none."""
    end = time.monotonic() + cap
    status, group = scim.send("POST", "/Groups", {"schemas": [GROUP], "displayName": f"Group of {size}"})
    # As many at once as fit into a request of 1 MB, which one of the servers has as its limit.
    for begin in range(0, size, 10_000):
        if status not in (200, 201, 204):
            break
        values = [{"value": id} for id in ids[begin : min(begin + 10_000, size)]]
        left = end - time.monotonic()
        if left <= 0:
            return None, f"{begin:,} members after {cap} s"
        status, _ = scim.send(
            "PATCH", f"/Groups/{group['id']}", patch({"op": "add", "path": "members", "value": values}), left
        )
        if status is None:
            return None, f"{begin:,} members after {cap} s"
    if status not in (200, 201, 204):
        return None, f"status {status} while it was built"
    return group["id"], None


def grouped(scim, options, users, size):
    """PATCH of one member of a group of that size, and GET of the whole; what stands in the way of both as `note`."""
    # Each run has users of its own: the runs that count, and those that prove to be too short. The group never gets larger than
    # `size`, since that is as large as one of the servers lets it be.
    turns = (options.runs + 3) * TURN
    first = size - turns
    if first < 0:
        return {"patch": {"note": f"groups can be measured from {turns} members on"}}
    errors = users.load(scim, size, options.cap)
    if users.count < size:
        return {"patch": {"note": f"{users.count:,} users after {options.cap} s"}}
    group, reason = build_group(scim, first, users.ids(), options.cap)
    if reason:
        return {"patch": {"note": reason}}
    arguments = ((users.file, group, begin + 1, TURN) for begin in range(first, size, TURN))
    member = measured(scim, options, 1, "patch", arguments, lambda run: run["p50"])
    status, answer = scim.send("GET", f"/Groups/{group}")
    if status != 200 or not first <= len(answer["members"]) <= size:
        return {"patch": {"note": "not all of them were members at the end"}}
    whole = measured(scim, options, 1, "group", itertools.repeat((group,)), lambda run: run["p50"])
    return {"patch": {**member, "errors": member.get("errors", 0) + errors}, "group": whole}


def creation(scim, options, keep):
    """POST of users into a server that has few."""
    # In each run from a number on that those before cannot have come to.
    arguments = ((first,) for first in itertools.count(1, 10_000_000))
    for connections in CONNECTIONS:
        keep("create", 0, connections, measured(scim, options, connections, "create", arguments, rate))


def reading(scim, options, keep, users, size):
    """What is asked of a server with that many users."""
    for kind, argument in {"get": users.file, "filter": users.file, "list": users.count}.items():
        for connections in CONNECTIONS:
            result = measured(scim, options, connections, kind, itertools.repeat((argument,)), rate)
            keep(kind, size, connections, {**result, "users": users.count})


def patching(scim, options, keep, users):
    """Members of groups, from small to large; what is larger than what took too long is not tried."""
    given_up = False
    for size in options.groups:
        results = {"patch": {"note": "not tried, after that"}} if given_up else grouped(scim, options, users, size)
        given_up = "note" in results["patch"]
        for kind, result in results.items():
            keep(kind, size, 1, result)


def measure(name, options):
    """Everything about one server: the figures by kind, size and connections, and what it does wrongly."""
    figures = {}

    def keep(kind, size, connections, result):
        figures[kind, size, connections] = result
        at = f", connections: {connections}" if connections else ""
        print(f"{datetime.datetime.now():%H:%M:%S} {name}: {title(kind, size)}{at}: {cell(result, size)}", file=sys.stderr)

    with SERVERS[name](options) as scim:
        wrong = faults(scim)
    with SERVERS[name](options) as scim:
        keep("memory", 0, None, figure([scim.memory()]))
        creation(scim, options, keep)
    with SERVERS[name](options) as scim, tempfile.TemporaryDirectory(prefix="usher-peers-") as folder:
        users = Users(folder)
        for size in options.users:
            errors = users.load(scim, size, options.cap)
            keep("memory", size, None, {**figure([scim.memory()], errors), "users": users.count})
            reading(scim, options, keep, users, size)
        patching(scim, options, keep, users)
    return {"figures": figures, "faults": wrong}


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def title(kind, size):
    return {
        "create": "`POST` a user, 1/s",
        "get": f"`GET` a user, {size:,} users, 1/s",
        "filter": f"`userName eq`, {size:,} users, 1/s",
        "list": f"`GET` a page of 100, {size:,} users, 1/s",
        "patch": f"`PATCH` one member, group of {size:,}, p50 in ms",
        "group": f"`GET` a group of {size:,} whole, p50 in ms",
        "memory": f"resident memory, {size:,} users, MiB",
    }[kind]


def cell(result, size):
    """A figure as the table shows it."""
    if result is None:
        return ""
    if "note" in result:
        return f"- ({result['note']})"
    if result["errors"]:
        return f"void ({result['errors']:,} errors)"
    spread = f" ± {result['spread']:.0%}" if result["spread"] >= 0.005 else ""
    fewer = f" (at {result['users']:,})" if result.get("users", size) < size else ""
    return number(result["median"]) + spread + fewer


def ratio(kind, ours, theirs):
    """How many times as good ours is: as many requests, or as little time or memory."""
    if not all(result and "median" in result and not result["errors"] for result in (ours, theirs)):
        return ""
    better = (ours, theirs) if kind in ("create", "get", "filter", "list") else (theirs, ours)
    return number(better[0]["median"] / better[1]["median"])


def table(results, about):
    """The figures of all servers, as Markdown."""
    names = list(results)
    peers = [name for name in names if name != "Usher" and "Usher" in results]
    heads = ["", "connections", *names, *(f"ahead of {name}" for name in peers)]
    lines = [heads, ["---"] * len(heads)]
    keys = dict.fromkeys(key for result in results.values() for key in result["figures"])
    order = ["create", "get", "filter", "list", "patch", "group", "memory"]
    for key in sorted(keys, key=lambda key: (order.index(key[0]), key[1], key[2] or 0)):
        kind, size, connections = key
        figures = {name: result["figures"].get(key) for name, result in results.items()}
        ratios = [ratio(kind, figures["Usher"], figures[peer]) for peer in peers]
        lines.append([title(kind, size), str(connections or ""), *(cell(figure, size) for figure in figures.values()), *ratios])
    text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    measured_with = ", ".join(f"{name} {about[name]}" for name in [*names, "wrk"]) + f"; {about['machine']}"
    wrong = "".join(
        f"\n{name} answers wrongly: {'; '.join(result['faults'])}.\n" for name, result in results.items() if result["faults"]
    )
    return f"{text}\n{measured_with}.\n{wrong}"


def arguments():
    def count(text):
        number = int(text)
        if number < 1:
            raise ValueError
        return number

    def sizes(text):
        return sorted(count(size) for size in text.split(",") if size)

    parser = argparse.ArgumentParser(prog="tests/peers/run", description="Measures SCIM servers side by side.")
    parser.add_argument("--only", action="append", choices=SERVERS, help="only that server; may be given more than once")
    parser.add_argument("--seconds", type=count, default=3, help="how long a run takes (3)")
    parser.add_argument("--runs", type=count, default=3, help="how many runs a figure is the median of (3)")
    parser.add_argument("--users", type=sizes, default="10000,100000", help="how many users are loaded (10000,100000)")
    parser.add_argument("--groups", type=sizes, default="1000,10000,150000", help="sizes of groups (1000,10000,150000)")
    parser.add_argument("--cap", type=count, default=300, help="how many seconds loading may take, each time (300)")
    parser.add_argument("--json", type=pathlib.Path, help="a file that the figures are written to as well")
    parser.add_argument("--usher", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--tools", type=pathlib.Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main(options):
    # Whatever ends this ends the servers too.
    for end in (signal.SIGTERM, signal.SIGINT):
        signal.signal(end, lambda *_: sys.exit("stopped"))
    about = versions(options)
    results = {name: measure(name, options) for name in SERVERS if not options.only or name in options.only}
    if options.json:
        figures = [
            {"server": name, "kind": kind, "size": size, "connections": connections, **figure}
            for name, result in results.items()
            for (kind, size, connections), figure in result["figures"].items()
        ]
        wrong = {name: result["faults"] for name, result in results.items()}
        options.json.write_text(json.dumps({"versions": about, "figures": figures, "faults": wrong}, indent=1) + "\n")
    print(table(results, about), end="")


if __name__ == "__main__":
    main(arguments())
