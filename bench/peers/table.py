# SPDX-License-Identifier: Apache-2.0
"""Whether all do the same work, and the table that says what it cost them."""
import re

BEGIN, END = '<!-- bench/peers/run -->', '<!-- /bench/peers/run -->'

WORKLOADS = {
    'W1': 'an unsampled segment, subsegment, annotation',
    'W2': 'a segment, 1 subsegment, 2 annotations, metadata; sent',
    'W3': 'a segment, 5 subsegments with `http` and `aws`; sent',
    'W4': 'parse and format a trace header',
    'W5': 'decision by 25 local rules, the last matches',
    'W6': 'each of 10,000 subsegments of a segment; sent',
}

TABLE_CALL = {
    'name': 'DynamoDB', 'namespace': 'aws', 'http': {'response': {'status': 200}},
    'aws': {'operation': 'GetItem', 'table_name': 'orders', 'region': 'us-east-1',
            'request_id': '3AIENM5J4ELQ3SPODHKBIRVIC3VV4KQNSO5AEMVJF66Q9ASUAAJG'}}
SERVICE_CALL = {
    'name': 'payments.example.com', 'namespace': 'remote',
    'http': {'request': {'method': 'GET', 'url': 'https://payments.example.com/v1/charge'},
             'response': {'status': 200, 'content_length': 128}}}
# What the first document of a workload has at least.
CONTENT = {
    'W2': {'name': 'checkout-api', 'subsegments': [
        {'name': 'work', 'annotations': {'customer': 'c-12345', 'tier': 'gold'},
         'metadata': {'default': {'note': 'hello metadata'}}}]},
    'W3': {'name': 'checkout-api',
           'annotations': {'customer': 'c-12345', 'items': 42, 'premium': True},
           'http': {'request': {'method': 'POST', 'url': 'https://api.example.com/orders/1234/items',
                                'user_agent': 'Mozilla/5.0 (X11; Linux x86_64)',
                                'client_ip': '203.0.113.7'},
                    'response': {'status': 200, 'content_length': 512}},
           'subsegments': [TABLE_CALL] * 3 + [SERVICE_CALL] * 2},
}


def lacks(found, wanted, where='the document'):
    """The first thing that is not in a document; None when all of it is."""
    if isinstance(wanted, dict):
        if not isinstance(found, dict):
            return f'{where} is no object'
        return next((text for key in wanted
                     if (text := lacks(found.get(key), wanted[key], f'{where}.{key}'))), None)
    if isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            return f'{where} does not have {len(wanted)} elements'
        return next((text for i, value in enumerate(wanted)
                     if (text := lacks(found[i], value, f'{where}[{i}]'))), None)
    return None if found == wanted else f'{where} is {found!r} and not {wanted!r}'


def wrong(workload, counts):
    """What is wrong with what arrived; None when it is what was asked for."""
    if counts['malformed']:
        return f'{counts["malformed"]} documents are malformed'
    if workload in ('W1', 'W4', 'W5'):
        return 'documents were sent where none should be' if counts['documents'] else None
    if workload in CONTENT:
        return lacks(counts['first'], CONTENT[workload])
    return None


def number(value):
    if value < 99.5:
        return f'{value:.1f}'
    digits = max(0, len(str(int(value))) - 3)  # three that mean something
    return f'{round(value, -digits):,.0f}'


def cell(result, reference):
    if result is None:
        return '–'
    text = number(result['ns'])
    if reference and result is not reference:
        text += f' (×{number(result["ns"] / reference["ns"])})'
    if result['workload'] == 'W6' and not result['documents']:
        text += ', all lost'
    elif result['workload'] == 'W6' and result['dropped']:
        lost = result['dropped'] / (result['dropped'] + result['documents'])
        text += f', {max(100 * lost, 0.1):.1f} % lost'
    return text


def arrival_cell(result):
    if result is None or 'arrived_per_second' not in result:
        return '–'
    return number(result['arrived_per_second'])


def row(*cells):
    return '| ' + ' | '.join(cells) + ' |'


def render(columns, results, machine, day):
    """columns: (key, title, why it is not installed or None) with ours first."""
    by = {(result['peer'], result['workload']): result for result in results}
    lines = [row('ns for each', *(title for _, title, _ in columns)),
             '|---|' + '---:|' * len(columns)]
    for workload, what in WORKLOADS.items():
        reference = by.get((columns[0][0], workload))
        if reference is None:
            continue
        lines.append(row(f'{workload}: {what}', *(
            'not installed' if reason else cell(by.get((key, workload)), reference)
            for key, _, reason in columns)))
    for workload in ('W2', 'W3'):
        if (columns[0][0], workload) not in by:
            continue
        lines.append(row(f'W7: {workload} documents a second that arrive', *(
            'not installed' if reason else arrival_cell(by.get((key, workload)))
            for key, _, reason in columns)))
    lines += ['', f'Measured on {day} by `bench/peers/run`, all in one run on one core, the receiver on another: '
              f'{machine["cpu"]}, {machine["cores"]} cores, {machine["kernel"]}, {machine["compiler"]}'
              + ''.join(f', {runtime}' for runtime in runtimes(results)) + '.']
    lines += [f'{title} is not installed: {reason}.' for _, title, reason in columns if reason]
    return '\n'.join(lines)


def runtimes(results):
    names = {'go': 'Go', 'node': 'Node.js', 'python': 'Python'}
    found = {}
    for result in results:
        if result['peer'] in names:
            found[result['peer']] = f'{names[result["peer"]]} {result["runtime"].lstrip("gov")}'
    return found.values()


def replace_in(page, table, begin=BEGIN, end=END):
    """Puts a table between the markers of a page."""
    text = page.read_text(encoding='utf-8')
    new, n = re.subn(f'{re.escape(begin)}.*?{re.escape(end)}',
                     lambda _: f'{begin}\n{table}\n{end}', text, flags=re.S)
    if n != 1:
        raise ValueError(f'{page.name} does not have {begin} … {end} exactly once')
    page.write_text(new, encoding='utf-8')
