# SPDX-License-Identifier: Apache-2.0
"""What a trace of the pipeline must have, and what it must not have.

That follows from two variables, the same ones as in Terraform: which of the
four options of tracing is taken, and whether tracing is enabled at all.
"""

TRACING = ('full', 'selective', 'passive', 'on_demand')
TRACED_FUNCTIONS = ('WebhookFeedly', 'FileCoordinator', 'StartFileUpload')
STAGE = ('MediaDownloader/prod', 'AWS::ApiGateway::Stage')
LAMBDA, FUNCTION = 'AWS::Lambda', 'AWS::Lambda::Function'


class Tracing:
    """Who records what, as one option says."""

    def __init__(self, option='full', enabled=True, traced_functions=TRACED_FUNCTIONS):
        self.option = option
        self.enabled = enabled
        self.traced_functions = tuple(traced_functions)

    def has_stage(self):
        return self.enabled or self.option != 'on_demand'

    def is_active(self, function):
        """Whether Lambda makes segments of the function."""
        if self.option == 'selective':
            return function in self.traced_functions
        return self.option == 'full' or (self.option == 'on_demand' and self.enabled)

    def records(self, function):
        """Whether the function's own recorder has something to record."""
        return self.enabled and self.is_active(function)

    def is_silent(self):
        """Whether nobody at all records."""
        return not self.has_stage() and not any(map(self.is_active, TRACED_FUNCTIONS))

    def describe(self):
        """A sentence for people."""
        stage = 'API Gateway records' if self.has_stage() else 'API Gateway records nothing'
        if self.option == 'selective':
            functions = 'Lambda records ' + ', '.join(self.traced_functions)
        elif self.is_active('WebhookFeedly'):
            functions = 'Lambda records all functions'
        else:
            functions = 'Lambda passes the trace on and records nothing'
        if self.enabled or self.is_silent():
            return f'{stage}; {functions}.'
        return f'{stage}; {functions}; the functions themselves record nothing.'


class Expectations:
    """Looks for the pieces of one trace, and remembers what is wrong with it."""

    def __init__(self, trace, tracing):
        self.trace = trace
        self.tracing = tracing
        self.problems = []

    def one(self, what, nodes, above=None):
        """The first of the nodes that is below another one, or a note that there is none."""
        for node in nodes:
            if above is None or self.trace.is_below(node, above):
                return node
        self.problems.append(what)
        return None

    def none(self, what, nodes):
        if nodes:
            self.problems.append(f'no {what}, which is there')

    def stage(self):
        nodes = self.trace.find(*STAGE)
        what = 'API Gateway (MediaDownloader/prod)'
        return self.one(what, nodes) if self.tracing.has_stage() else self.none(what, nodes)

    def function(self, name, above, is_traced_above=True):
        """Lambda's segment of the function itself, or None.

        What calls it is above it, unless that was not recorded: then it begins anew.
        """
        if not self.tracing.is_active(name):
            for origin in (LAMBDA, FUNCTION):
                self.none(f'{name} ({origin})', self.trace.find(name, origin))
            return None
        if is_traced_above and not above:
            self.problems.append(f'{name}, since what calls it is missing')
            return None
        runs = sorted(self.trace.find(name, LAMBDA), key=self.work_below, reverse=True)
        service = self.one(f'{name} ({LAMBDA})', runs, above)
        return service and self.one(f'{name} ({FUNCTION})', self.trace.find(name, FUNCTION),
                                    service)

    def work_below(self, segment):
        """An event may come twice, and the second run finds nothing to do: this tells them apart."""
        return sum(self.trace.is_below(node, segment) for node in self.trace.nodes.values())

    def call(self, what, service, operation, above, **aws):
        """An AWS call below a function."""
        nodes = [
            node for node in self.trace.find(service, operation=operation)
            if all(node['aws'].get(key) == value for key, value in aws.items())
        ]
        return above and self.one(what, nodes, above)

    def invoke(self, function, caller_name, caller):
        """The segment of a function that another one calls."""
        above = caller
        if self.tracing.records(caller_name):
            above = self.call(f'the invoke of {function}', 'Lambda', 'Invoke', caller,
                              function_name=function)
        return self.function(function, above, self.tracing.is_active(caller_name))

    def own_work(self, function, segment, check):
        """What a function records itself, or that it records nothing."""
        if not segment:
            return
        if self.tracing.records(function):
            check(segment)
            return
        own = [node for node in self.trace.nodes.values()
               if node.get('namespace') == 'aws' or node['name'].startswith('yt-dlp')]
        self.none(f'subsegment of {function}',
                  [node for node in own if self.trace.is_below(node, segment)])


def missing_in_webhook_trace(trace, tracing=Tracing()):
    look = Expectations(trace, tracing)
    stage = look.stage()
    look.function('AuthorizerAPIToken', stage, tracing.has_stage())
    webhook = look.function('WebhookFeedly', stage, tracing.has_stage())
    look.own_work('WebhookFeedly', webhook, lambda segment: look.call(
        'DynamoDB UpdateItem in WebhookFeedly', 'DynamoDB', 'UpdateItem', segment))
    coordinator = look.invoke('FileCoordinator', 'WebhookFeedly', webhook)
    upload = look.invoke('StartFileUpload', 'FileCoordinator', coordinator)
    look.own_work('StartFileUpload', upload, lambda segment: _look_at_upload(look, segment))
    return look.problems + structure_problems(trace, tracing)


def _look_at_upload(look, upload):
    trace = look.trace
    look.one('yt-dlp metadata', trace.find('yt-dlp metadata'), upload)
    look.one('yt-dlp download', trace.find('yt-dlp download'), upload)
    look.call('DynamoDB UpdateItem in StartFileUpload', 'DynamoDB', 'UpdateItem', upload)
    look.call('S3 CreateMultipartUpload', 'S3', 'CreateMultipartUpload', upload)
    parts = [node for node in trace.find('S3', operation='UploadPart')
             if trace.is_below(node, upload)]
    if len(parts) < 3:
        look.problems.append(f'S3 UploadPart: {len(parts)} of 3 parts or more')
    look.call('S3 CompleteMultipartUpload', 'S3', 'CompleteMultipartUpload', upload)
    look.call('SNS Publish', 'SNS', 'Publish', upload)


def missing_in_call_trace(trace, function, tracing=Tracing()):
    """Of a call that only goes through the gateway to one function."""
    look = Expectations(trace, tracing)
    stage = look.stage()
    look.function('AuthorizerAPIToken', stage, tracing.has_stage())
    called = look.function(function, stage, tracing.has_stage())
    look.own_work(function, called, lambda segment: look.one(
        f'DynamoDB in {function}', trace.find('DynamoDB'), segment))
    problems = look.problems + structure_problems(trace, tracing)
    return [f'{function}: {piece}' for piece in problems]


def structure_problems(trace, tracing=Tracing()):
    problems = [f"the parent {node['parent']} of {node['name']}" for node in trace.orphans()]
    problems += [f"the end of {node['name']}" for node in trace.unfinished()]
    # A function that passes the trace on without a parent lets the next one begin anew.
    is_chain = all(map(tracing.is_active, TRACED_FUNCTIONS)) or tracing.option != 'selective'
    if is_chain and len(trace.roots()) > 1:
        problems.append('one root: there are ' + ', '.join(node['name'] for node in trace.roots()))
    return problems
