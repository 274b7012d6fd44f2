# SPDX-License-Identifier: Apache-2.0
"""A run of the pipeline with a fault in it, and what an operator finds in the traces.

A scenario provokes its fault and then knows nothing of it any more: the answer
is what the X-Ray API says. Without the fault (--no-fault) there is no answer.
"""

import json
import time

import pipeline
from display import bar, table
from session import Session
from xray_queries import Queries

ANSWERED, NO_ANSWER = 0, 3
TRACE_TIMEOUT = 30


class Answer:
    """What the traces say: a sentence, lines below it, and the same as values."""

    def __init__(self, found, text, lines=(), **facts):
        self.found = found
        self.text = text
        self.lines = list(lines)
        self.facts = facts


class Scenario(Session):
    name = ''
    title = ''
    question = ''

    def __init__(self, options, display=None):
        super().__init__(options, display)
        self.has_fault = not options.no_fault
        self.queries = None

    # What each scenario is.

    def engine_options(self):
        """The fault, as far as the engine makes it."""
        return ()

    def provoke(self):
        """What users do, with the fault in the way."""
        raise NotImplementedError

    def is_complete(self):
        """Whether all documents of what happened have come."""
        raise NotImplementedError

    def ask(self):
        """The answer, from the queries alone."""
        raise NotImplementedError

    # What all of them do.

    def run(self):
        self.start(('--schedule-seconds', '0', *self.engine_options()))
        self.queries = Queries(self.collector, self.engine.at['region'])
        self.queries.began = time.time() - 1
        self.provoke()
        if not pipeline.wait_until(self.is_complete, TRACE_TIMEOUT, 0.1):
            raise pipeline.Failure(f'the traces are not complete after {TRACE_TIMEOUT} seconds')
        answer = self.ask()
        self.show(answer)
        if self.options.json:
            self.print_json(answer)
        return ANSWERED if answer.found else NO_ANSWER

    def webhook_trace(self):
        return self.collector.trace(self.traces['WebhookFeedly'])

    def is_settled(self, function):
        """Whether the webhook's trace is whole, as far as the end of a function."""
        trace = self.webhook_trace()
        ends = [node for node in trace.find(function, 'AWS::Lambda') if 'end_time' in node]
        return bool(ends) and not trace.unfinished() and not trace.orphans()

    def show(self, answer):
        self.display.step('Question')
        self.display.prose(self.question)
        self.display.step('Query')
        self.display.note('export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x  # any will do')
        for command in self.queries.commands:
            self.display.note('\n' + command)
        self.display.step('Answer')
        self.display.prose(answer.text)
        if answer.lines:
            self.display.note('\n'.join(['', *answer.lines]))
        if not answer.found:
            self.display.step('The traces do not show the answer.')

    def print_json(self, answer):
        print(json.dumps({
            'scenario': self.name,
            'fault': self.has_fault,
            'question': self.question,
            'queries': self.queries.commands,
            'found': answer.found,
            'answer': answer.text,
            'facts': answer.facts,
        }, indent=2, ensure_ascii=False), flush=True)


def share_lines(stages, total, to_text):
    """A line for each stage: its time, its share, a bar."""
    most = max(spent for _, spent in stages)
    rows = [('stage', 'time', 'share')]
    rows += [(name, to_text(spent), f'{spent / total:.0%}') for name, spent in stages]
    lines = table(rows)
    bars = [''] + [bar(spent, most, 30) for _, spent in stages]
    return [f'{line}  {blocks}'.rstrip() for line, blocks in zip(lines, bars)]
