# SPDX-License-Identifier: Apache-2.0
"""A server between the functions and one of AWS's that keeps books, takes its time, and fails when told to."""
import http.client
import http.server
import socket
import threading
import time

ERROR = ('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
         '<Message>{message}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>')


class Between(http.server.ThreadingHTTPServer):
    """Passes everything on as it is, to target, and notes (operation, arrived, answered)."""

    daemon_threads = True

    def __init__(self, delay=0):
        super().__init__(('127.0.0.1', 0), Handler)
        self.target = None  # host:port
        self.delay = delay  # seconds
        self.fault = None  # (operation, status, code, message): the answer to all of these
        self.books = []
        self.connections = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def target_for(self, _request):
        return self.target

    def answer_instead(self, _request, _body):
        """(status, content type, body), or None for what is passed on."""

    def drop(self):
        """Closes every connection that is open; how many."""
        dropped = list(self.connections)
        for connection in dropped:
            connection.shutdown(socket.SHUT_RDWR)
        return len(dropped)

    def stop(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self):
        self.server.connections.discard(self.connection)
        super().finish()

    def parse_request(self):
        self.arrived = time.time()  # the first line is here
        return super().parse_request()

    def answer(self, status, headers, length, body):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ('connection', 'transfer-encoding', 'content-length'):
                self.send_header(name, value)
        self.send_header('Content-Length', str(length))
        self.end_headers()
        self.wfile.write(body)

    def pass_on(self):
        operation = 'UploadPart' if 'partNumber=' in self.path else self.command
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        time.sleep(self.server.delay)
        fault = self.server.fault
        if fault and fault[0] == operation:
            text = ERROR.format(code=fault[2], message=fault[3]).encode()
            self.answer(fault[1], [('Content-Type', 'application/xml')], len(text), text)
            return
        own = self.server.answer_instead(self, body)
        if own:
            self.answer(own[0], [('Content-Type', own[1])], len(own[2]), own[2])
            return
        connection = http.client.HTTPConnection(self.server.target_for(self), timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ('connection', 'expect'):
                connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        text = reply.read()
        length = reply.getheader('Content-Length') if self.command == 'HEAD' else len(text)
        self.server.books.append((operation, self.arrived, time.time()))
        self.answer(reply.status, reply.getheaders(), length, text)
        connection.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

    def log_message(self, *_):
        pass
