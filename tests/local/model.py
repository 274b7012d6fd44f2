# SPDX-License-Identifier: Apache-2.0
"""What the service's own model, as botocore brings it, says about replies."""
import os
import re
import sys

# Where there is the project's own Python environment, the model is that of its botocore.
VENV = os.environ.get('XRAYTRACE_VENV')
if VENV and os.path.realpath(sys.prefix) != os.path.realpath(VENV):
    python = os.path.join(VENV, 'bin', 'python')
    os.execv(python, [python, *sys.argv])

try:
    import botocore.session
except ImportError:
    if VENV:
        raise
    botocore = None

KINDS = {'string': str, 'boolean': bool, 'integer': int, 'long': int, 'list': list,
         'structure': dict, 'map': dict, 'double': (int, float), 'float': (int, float),
         'timestamp': (int, float)}

# The service itself breaks its rules here: the rule Default comes last.
EXCEPTIONS = {('Priority', 10000)}


def members_misfit(value, shape, path):
    for name, member in value.items():
        if name in shape.members:
            yield from misfits(member, shape.members[name], f'{path}.{name}')
        else:
            yield f'{path}: {name} is unknown'
    for name in shape.required_members:
        if name not in value:
            yield f'{path}: {name} is missing'


def text_misfits(value, shape, path):
    if shape.enum and value not in shape.enum:
        yield f'{path}: {value!r} is none of {shape.enum}'
    pattern = shape.metadata.get('pattern')
    if pattern and not re.search(pattern, value):
        yield f'{path}: {value!r} does not match {pattern}'


def size_misfits(value, shape, path):
    """Lengths of texts and lists, and ranges of numbers."""
    size = value if isinstance(value, (int, float)) else len(value)
    if (shape.name, size) in EXCEPTIONS:
        return
    if size < shape.metadata.get('min', size):
        yield f'{path}: {size} is less than {shape.metadata["min"]}'
    if size > shape.metadata.get('max', size):
        yield f'{path}: {size} is more than {shape.metadata["max"]}'
    if shape.type_name == 'integer' and not -2 ** 31 <= value < 2 ** 31:
        yield f'{path}: {value} has more than 32 bits'


def misfits(value, shape, path=''):
    """Where a value of a JSON reply is not as the shape wants it."""
    kind = KINDS[shape.type_name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        yield f'{path}: {value!r} is no {shape.type_name}'
        return
    if kind is not bool:
        yield from size_misfits(value, shape, path)
    if shape.type_name == 'structure':
        yield from members_misfit(value, shape, path)
    elif shape.type_name == 'list':
        for item in value:
            yield from misfits(item, shape.member, f'{path}[]')
    elif shape.type_name == 'map':
        for name, item in value.items():
            yield from misfits(name, shape.key, f'{path}[{name}]')
            yield from misfits(item, shape.value, f'{path}[{name}]')
    elif shape.type_name == 'string':
        yield from text_misfits(value, shape, path)


def service_model():
    return botocore.session.get_session().get_service_model('xray')
