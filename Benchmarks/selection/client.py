"""Clients of the REST API: one connection, many in order, and arrivals at a rate."""

import json
import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from serving import BOUND, Failure


class Connection:
    """One that is kept alive. http.client would take several times as long for a request."""

    def __init__(self, address):
        parts = urlsplit(address)
        self._host = parts.netloc
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=BOUND)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""

    def close(self):
        self._socket.close()

    def post(self, path, body):
        """The status and the answer's bytes; the body is bytes, or is made JSON."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
        self._socket.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        while (end := self._unread.find(b"\r\n\r\n")) < 0:
            self._read()
        lines = self._unread[:end].decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        total = end + 4 + int(headers["content-length"])
        while len(self._unread) < total:
            self._read()
        answer, self._unread = self._unread[end + 4 : total], self._unread[total:]
        return int(lines[0].split()[1]), answer

    def _read(self):
        received = self._socket.recv(1 << 16)
        if not received:
            raise Failure("the frontend has closed a connection")
        self._unread += received

    def predict(self, application, value, uid=None):
        """One answer; the input is a list of numbers, or JSON text of one."""
        value = value if isinstance(value, str) else json.dumps(value)
        user = "" if uid is None else f',"uid":{json.dumps(uid)}'
        return self._expect(f"/{application}/predict", f'{{"input":{value}{user}}}'.encode())

    def tell(self, application, query_id, label):
        """The right answer to a query; returns when what was learned is durable."""
        answer = self._expect(f"/{application}/update", {"query_id": query_id, "label": label})
        if answer.get("status") != "counted":
            raise Failure(f"feedback for query {query_id} of {application} was answered with {answer}")

    def update(self, application, updates):
        """A batch of feedback, all of which must count."""
        answer = self._expect(f"/{application}/update", {"updates": updates})
        failed = [update for update in answer["updates"] if update["status"] != "counted"]
        if failed or len(answer["updates"]) != len(updates):
            raise Failure(f"{len(failed)} of {len(updates)} updates did not count, the first: {failed[:1]}")

    def _expect(self, path, body):
        status, answer = self.post(path, body)
        if status != 200:
            raise Failure(f"POST {path}: {status} {answer.decode(errors='replace')}")
        return json.loads(answer)


class InOrder:
    """Does something for one index after the other, a few at a time: `window` connections, each of which takes the
    next index when it is done with its last. With a window of w, the feedback of all but at most w - 1 of the queries
    before has counted when a query is asked."""

    def __init__(self, address, window):
        self._connections = [Connection(address) for _ in range(window)]

    def run(self, indices, step):
        """Calls `step(connection, index)` for all, and returns when all are done."""
        left, lock, errors = iter(indices), threading.Lock(), []

        def work(connection):
            try:
                while not errors:
                    with lock:
                        index = next(left, None)
                    if index is None:
                        return
                    step(connection, index)
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(connection,), daemon=True) for connection in self._connections]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def close(self):
        for connection in self._connections:
            connection.close()


def at_rate(address, rate, seconds, seed, step, connections=64):
    """Poisson arrivals, whatever becomes of the requests (an open loop): `step(connection, number)` for each. Latencies
    in seconds, from when a request was due; with them what `step` gave."""
    arrivals, due, drawn = [], 0.0, random.Random(seed)
    while (due := due + drawn.expovariate(rate)) < seconds:
        arrivals.append(due)
    free, results = [Connection(address) for _ in range(connections)], [None] * len(arrivals)
    begin = time.monotonic() + 0.05

    def ask(number):
        connection = free.pop()
        given = step(connection, number)
        results[number] = (time.monotonic() - begin - arrivals[number], given)
        free.append(connection)

    with ThreadPoolExecutor(connections) as pool:
        asked = []
        for number, due in enumerate(arrivals):
            time.sleep(max(0.0, begin + due - time.monotonic()))  # until the query is due, whatever becomes of the last
            asked.append(pool.submit(ask, number))
        for future in asked:
            future.result()
    for connection in free:
        connection.close()
    return results


def quantile(values, share):
    """The value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
