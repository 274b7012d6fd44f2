#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The X-Ray SDK for Python works with xraytrace-local as it is: two services, their traces and
annotations, a fault, and central sampling."""
import unittest

import official

from collector import Collector


class Python(official.Seen, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.collector = Collector('--port', '0')
        cls.addClassCleanup(cls.collector.stop)
        cls.conversation = official.Conversation(
            cls.collector, official.python_command(), f'127.0.0.1:{cls.collector.port}',
            cls.addClassCleanup)

    def test_the_graph_has_the_database(self):
        (_, service), = [found for found in self.graph().items()
                         if found[0][1] == 'Database::SQL']
        self.assertEqual(service['SummaryStatistics']['TotalCount'],
                         len(self.found('service("back")')))


if __name__ == '__main__':
    official.main(official.python_command)
