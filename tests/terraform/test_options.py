#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The four options of tracing, as Terraform plans them by the AWS provider's schema."""
import unittest

import support
from options import ALL, PUT, Options


class TestOptions(Options, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.terraform = support.Terraform()
        cls.addClassCleanup(cls.terraform.close)

    def test_only_active_functions_may_put_traces(self):
        for plan, _, _, active, _ in self.each_row():
            for name in ALL:
                may = [action for action in plan.actions(name) if action.startswith('xray:')]
                self.assertEqual(may, PUT if name in active else [], name)

    def test_policies_differ_in_the_right_to_put_traces_alone(self):
        base = self.plan('full', True)
        for plan, _, _, _, _ in self.each_row():
            for name in ALL:
                self.assertEqual([one for one in plan.statements(name) if one['Action'] != PUT[::-1]],
                                 [one for one in base.statements(name) if one['Action'] != PUT[::-1]])


if __name__ == '__main__':
    support.require_schema_provider()
    support.main()
