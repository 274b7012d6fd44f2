# SPDX-License-Identifier: Apache-2.0
"""A service that the X-Ray SDK for Python traces, with its defaults: the address of the daemon
comes from the environment. official_service.py NAME [PORT OF THE SERVICE BEHIND IT]
It prints its port and ends with its standard input."""
import http.server
import json
import sqlite3
import sys
import threading

import requests
from aws_xray_sdk.core import patch, xray_recorder
from aws_xray_sdk.core.models import http as names
from aws_xray_sdk.core.utils import stacktrace
from aws_xray_sdk.ext.util import calculate_sampling_decision, construct_xray_header

NAME, BEHIND = sys.argv[1], sys.argv[2:]
patch(('requests', 'sqlite3'))


def ask(path):
    return requests.get(f'http://127.0.0.1:{BEHIND[0]}{path}', timeout=60).status_code


@xray_recorder.capture('charge')
def charge(path):
    """What a service without one behind it does."""
    connection = sqlite3.connect(':memory:')
    connection.cursor().execute('SELECT 1')
    connection.close()
    if path == '/broken':
        raise LookupError('no such card')


def answer(path, segment):
    segment.put_annotation('path', path)
    segment.put_annotation('amount', 42)
    segment.put_annotation('gift', True)
    segment.put_metadata('basket', {'items': [1, 2]})
    if BEHIND:
        return ask(path)
    try:
        charge(path)
        return 200
    except LookupError as error:
        segment.add_exception(error, stacktrace.get_stacktrace(limit=5))
        return 500


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        """As the SDK's middlewares for frameworks do it."""
        header = construct_xray_header(self.headers)
        request = {'host': self.headers.get('host'), 'method': self.command, 'path': self.path,
                   'service': NAME}
        decision = calculate_sampling_decision(trace_header=header, recorder=xray_recorder,
                                               sampling_req=request)
        segment = xray_recorder.begin_segment(name=NAME, traceid=header.root,
                                              parent_id=header.parent, sampling=decision)
        segment.save_origin_trace_header(header)
        segment.put_http_meta(names.URL, f'http://{request["host"]}{self.path}')
        segment.put_http_meta(names.METHOD, self.command)
        status = answer(self.path, segment)
        segment.put_http_meta(names.STATUS, status)
        rule = segment.aws.get('xray', {}).get('sampling_rule_name') if segment.sampled else None
        body = json.dumps({'trace': segment.trace_id, 'rule': rule or ''}).encode()
        xray_recorder.end_segment()
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
