# SPDX-License-Identifier: Apache-2.0
"""A network in which every name of AWS leads here: network.py ROOT [--unknown]

To be run by unshare --net: ports 53 and 443 are free there, and nothing leads out. Starts bootstrap
in the root directory, gives it one invocation, and prints as JSON what it asked of whom. With
--unknown the authority of the server's certificate is not in the CA bundle.
"""
import fcntl
import http.server
import json
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading

import root

REGION = 'eu-west-1'
EVENT = {'requestContext': {'requestId': 'r', 'authorizer': {'userId': 'u', 'principalId': 'u'}},
         'headers': {}, 'httpMethod': 'GET', 'path': '/files'}
seen = {'hosts': [], 'targets': [], 'response': '', 'errors': ''}
answered = threading.Event()


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack('16sh22x', b'lo', 1 | 0x40)  # IFF_UP | IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, request)  # SIOCSIFFLAGS


def resolve(server):
    """Every name of AWS has the address 127.0.0.1, and no other."""
    while True:
        query, client = server.recvfrom(512)
        end = query.index(0, 12) + 1
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, kind = '.'.join(labels), struct.unpack('!H', query[end:end + 2])[0]
        known = name.endswith('.amazonaws.com')
        answers = known and kind == 1
        head = query[:2] + struct.pack('!HHHHH', 0x8180 if known else 0x8183, 1, answers, 0, 0)
        record = b'\xc0\x0c' + struct.pack('!HHIH', 1, 1, 60, 4) + socket.inet_aton('127.0.0.1')
        server.sendto(head + query[12:end + 4] + (record if answers else b''), client)


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in (*headers, ('Content-Length', str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class DynamoDB(Quiet):
    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        seen['hosts'].append(self.headers['Host'])
        seen['targets'].append(self.headers['X-Amz-Target'])
        self.answer(200, b'{}', [('Content-Type', 'application/x-amz-json-1.0')])


class RuntimeApi(Quiet):
    given = False

    def do_GET(self):
        if RuntimeApi.given:
            threading.Event().wait()
        RuntimeApi.given = True
        self.answer(200, json.dumps(EVENT).encode(), [
            ('Lambda-Runtime-Aws-Request-Id', '11111111-2222-3333-4444-555555555555'),
            ('Lambda-Runtime-Deadline-Ms', '99999999999999'),
            ('Lambda-Runtime-Invoked-Function-Arn', f'arn:aws:lambda:{REGION}:1:function:ListFiles')])

    def do_POST(self):
        seen['response'] += self.rfile.read(int(self.headers['Content-Length'])).decode()
        self.answer(202, b'')
        answered.set()


def make_certificate(folder):
    key, certificate = folder / 'key.pem', folder / 'certificate.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
                    '-nodes', '-keyout', key, '-out', certificate, '-days', '2', '-subj',
                    '/CN=authority of a test', '-addext',
                    f'subjectAltName=DNS:*.{REGION}.amazonaws.com'], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return key, certificate


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main():
    where = root.Root.__new__(root.Root)
    where.path = pathlib.Path(sys.argv[1])
    raise_loopback()
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(('127.0.0.1', 53))
    threading.Thread(target=resolve, args=(names,), daemon=True).start()
    (where.path / 'etc/resolv.conf').write_text('nameserver 127.0.0.1\n')
    bundle = where.path / root.CA_BUNDLE
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = make_certificate(pathlib.Path(folder))
        bundle.write_bytes(certificate.read_bytes())
        if '--unknown' in sys.argv[2:]:
            key, certificate = make_certificate(pathlib.Path(folder))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    cloud = http.server.ThreadingHTTPServer(('127.0.0.1', 443), DynamoDB)
    cloud.socket = context.wrap_socket(cloud.socket, server_side=True)
    serve(cloud)
    api = serve(http.server.ThreadingHTTPServer(('127.0.0.1', 0), RuntimeApi))
    variables = {**root.VARIABLES, '_HANDLER': 'ListFiles', 'FILES_TABLE': 'Files',
                 'USER_FILES_TABLE': 'UserFiles', 'AWS_REGION': REGION,
                 'AWS_ACCESS_KEY_ID': 'AKIAEXAMPLE', 'AWS_SECRET_ACCESS_KEY': 'example',
                 'AWS_LAMBDA_RUNTIME_API': f'127.0.0.1:{api.server_port}'}
    errors = tempfile.TemporaryFile()
    child = subprocess.Popen(['/var/task/bootstrap'], env=variables, preexec_fn=where.enter,
                             stdout=errors, stderr=errors)
    answered.wait(60)
    child.kill()
    child.wait()
    errors.seek(0)
    seen['errors'] = errors.read().decode()
    print(json.dumps(seen), flush=True)
    os._exit(0)


main()
