# SPDX-License-Identifier: Apache-2.0
"""Traces for the tests of the waterfall, the map and the comparison."""
import time

from harness import segment, subsegment, trace_id


def entity(number, name, start, end, children=(), **members):
    """A subsegment to be embedded; end None: in progress."""
    done = {'in_progress': True} if end is None else {'end_time': end}
    return {'id': '%016x' % number, 'name': name, 'start_time': start, **done, **members,
            **({'subsegments': list(children)} if children else {})}


def shop(number=1, slow=1.0, start=None, **members):
    """(trace id, documents): a shop that calls a table, a service of its own and a database;
    the service fails. Times in it grow with slow."""
    at = (time.time() - 30 if start is None else start).__add__
    trace = trace_id(number, int(at(0)))

    def times(begin, end):
        return at(begin * slow), at(end * slow)

    exceptions = [
        {'id': '%016x' % 901, 'type': 'TimeoutError', 'message': 'auth took "too" long',
         'cause': '%016x' % 902,
         'stack': [{'path': 'src/auth.c', 'line': 42, 'label': 'ask_auth'},
                   {'path': 'src/main.c', 'line': 7, 'label': 'main'}]},
        {'id': '%016x' % 902, 'type': 'SocketError', 'message': 'reset by peer', 'remote': True}]
    table = entity(2, 'DynamoDB', *times(.05, .15), namespace='aws',
                   aws={'operation': 'GetItem', 'table_name': 'Orders', 'request_id': 'R1'})
    auth = entity(3, 'auth.internal', *times(.2, .6), namespace='remote', traced=True, fault=True,
                  http={'request': {'method': 'POST', 'url': 'https://auth.internal/token'},
                        'response': {'status': 504}},
                  cause={'working_directory': '/srv', 'exceptions': exceptions})
    database = entity(4, 'orders@db', *times(.65, .8), namespace='remote',
                      sql={'sanitized_query': 'SELECT total FROM orders WHERE id = ?',
                           'database_type': 'PostgreSQL', 'user': 'shop'})
    render = entity(5, 'render', *times(.82, .95), [entity(6, 'template', *times(.84, .9))],
                    metadata={'default': {'template': 'order.html'}})
    begin, end = times(0, 1)
    root = segment(trace, 1, 'shop', begin, end - begin, fault=True, user='bo',
                   origin='AWS::EC2::Instance',
                   annotations={'customer': 'c-42', 'tier': 3, 'beta': True},
                   http={'request': {'method': 'GET', 'url': 'https://shop.example/orders/42'},
                         'response': {'status': 500}},
                   subsegments=[table, auth, database, render], **members)
    begin, end = times(.25, .55)
    service = segment(trace, 7, 'auth', begin, end - begin, parent_id=auth['id'], fault=True,
                      origin='AWS::ECS::Container',
                      subsegments=[entity(8, 'verify', *times(.26, .5))])
    return trace, [root, service]


def batch(number=1, chunks=100, items=99):
    """(trace id, documents): one with ten thousand subsegments, sent in a hundred parts."""
    start = time.time() - 200
    trace = trace_id(number, int(start))
    documents = [segment(trace, 1, 'batch', start, 100)]
    for chunk in range(chunks):
        begin = start + chunk
        children = [entity(1000 + chunk * 1000 + item, f'item {item}', begin + item * .0098,
                           begin + item * .0098 + .005) for item in range(items)]
        documents.append(subsegment(trace, 10 + chunk, 1, f'chunk {chunk}', start=begin,
                                    duration=.98, subsegments=children))
    return trace, documents
