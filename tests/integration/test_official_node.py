#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The X-Ray SDK for Node.js works with xraytrace-local as it is: two services, their traces and
annotations, a fault, and central sampling."""
import unittest

import official

from collector import Collector


class Node(official.Seen, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.collector = Collector('--port', '0')
        cls.addClassCleanup(cls.collector.stop)
        cls.conversation = official.Conversation(
            cls.collector, official.node_command(), f'127.0.0.1:{cls.collector.port}',
            cls.addClassCleanup)


if __name__ == '__main__':
    official.main(official.node_command)
