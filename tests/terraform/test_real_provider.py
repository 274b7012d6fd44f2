#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same with the real AWS provider, where it can be had."""
import unittest

import support
from options import Options


class TestWithTheRealProvider(Options, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.terraform = support.Terraform(is_real=True)
        cls.addClassCleanup(cls.terraform.close)

    def test_the_configuration_is_valid(self):
        self.assertIn('Success!', self.terraform.run('validate'))

    def test_everything_that_can_be_left_out_can_be_planned(self):
        self.terraform.plan(apns=support.APNS, synthetic_url='https://media.example.org/small.mp4',
                            file_expiry_days=30, alarm_email='someone@example.org',
                            github={'repository': 'owner/name', 'token': 'a-token'},
                            media_hosts=['media.example.org'], architecture='arm64')


if __name__ == '__main__':
    support.require_real_provider()
    support.main()
