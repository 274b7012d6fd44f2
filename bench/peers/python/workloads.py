# SPDX-License-Identifier: Apache-2.0
"""The workloads of bench/workloads.c on the X-Ray SDK for Python.

workloads.py NAME RULES

NAME is W1 to W6, RULES the file with the sampling rules of W5. Documents go to
AWS_XRAY_DAEMON_ADDRESS. Prints one JSON line with the nanoseconds of an
operation in each of seven runs.
"""
import json
import platform
import sys
import time

from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.models.trace_header import TraceHeader
from aws_xray_sdk.core.sampling.local.sampler import LocalSampler
from aws_xray_sdk.version import VERSION

RUNS = 7
WIDTH = 10000  # subsegments of W6


def one_subsegment():
    xray_recorder.begin_segment('checkout-api', sampling=0)
    xray_recorder.begin_subsegment('work')
    xray_recorder.put_annotation('customer', 'c-12345')
    xray_recorder.end_subsegment()
    xray_recorder.end_segment()


def small():
    xray_recorder.begin_segment('checkout-api', sampling=1)
    xray_recorder.begin_subsegment('work')
    xray_recorder.put_annotation('customer', 'c-12345')
    xray_recorder.put_annotation('tier', 'gold')
    xray_recorder.put_metadata('note', 'hello metadata')
    xray_recorder.end_subsegment()
    xray_recorder.end_segment()


def call_table():
    call = xray_recorder.begin_subsegment('DynamoDB', namespace='aws')
    call.set_aws({
        'operation': 'GetItem',
        'table_name': 'orders',
        'region': 'us-east-1',
        'request_id': '3AIENM5J4ELQ3SPODHKBIRVIC3VV4KQNSO5AEMVJF66Q9ASUAAJG',
    })
    call.put_http_meta('status', 200)
    xray_recorder.end_subsegment()


def call_service():
    call = xray_recorder.begin_subsegment('payments.example.com', namespace='remote')
    call.put_http_meta('method', 'GET')
    call.put_http_meta('url', 'https://payments.example.com/v1/charge')
    call.put_http_meta('status', 200)
    call.put_http_meta('content_length', 128)
    xray_recorder.end_subsegment()


def typical():
    segment = xray_recorder.begin_segment('checkout-api', sampling=1)
    segment.put_http_meta('method', 'POST')
    segment.put_http_meta('url', 'https://api.example.com/orders/1234/items')
    segment.put_http_meta('user_agent', 'Mozilla/5.0 (X11; Linux x86_64)')
    segment.put_http_meta('client_ip', '203.0.113.7')
    segment.put_http_meta('status', 200)
    segment.put_http_meta('content_length', 512)
    segment.put_annotation('customer', 'c-12345')
    segment.put_annotation('items', 42)
    segment.put_annotation('premium', True)
    for _ in range(3):
        call_table()
    for _ in range(2):
        call_service()
    xray_recorder.end_segment()


def header():
    text = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'
    return TraceHeader.from_header_str(text).to_header_str()


def decision_by(rules):
    with open(rules, encoding='utf-8') as file:
        sampler = LocalSampler(json.load(file))
    request = {'host': 'shop.example.com', 'method': 'POST', 'path': '/orders/1234/items'}
    return lambda: sampler.should_trace(request)


def wide():
    xray_recorder.begin_segment('wide', sampling=1)
    for i in range(WIDTH):
        xray_recorder.begin_subsegment('work')
        xray_recorder.put_annotation('i', i)
        xray_recorder.end_subsegment()
    xray_recorder.end_segment()


def repeat(run, repeats):
    for _ in range(repeats):
        run()


def measure(name, rules):
    # What runs, repeats in each run, operations in each repeat, segments sent in each repeat.
    workloads = {
        'W1': (one_subsegment, 20000, 1, 0),
        'W2': (small, 10000, 1, 1),
        'W3': (typical, 5000, 1, 1),
        'W4': (header, 200000, 1, 0),
        'W5': (decision_by(rules), 30000, 1, 0),
        'W6': (wide, 1, WIDTH, 1),
    }
    if name not in workloads:
        sys.exit(f'workloads: there is no workload "{name}": W1 to W6')
    run, repeats, operations, segments = workloads[name]
    warm = repeats // 4 + 1
    ns = []
    xray_recorder.configure(service='checkout-api', sampling=False, context_missing='LOG_ERROR')
    repeat(run, warm)
    for _ in range(RUNS):
        start = time.perf_counter_ns()
        repeat(run, repeats)
        ns.append((time.perf_counter_ns() - start) / (repeats * operations))
    print(json.dumps({'ns': ns, 'segments': (warm + RUNS * repeats) * segments, 'sdk': VERSION,
                      'runtime': platform.python_version()}))


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit('Usage: workloads.py NAME RULES')
    measure(*sys.argv[1:])
