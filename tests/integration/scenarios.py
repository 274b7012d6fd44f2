#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of the demo rest on, and what they say."""
import json
import urllib.parse

import support
from support import pipeline


class Permissions(support.EngineTest):
    """Who may invoke what is what IAM says at that moment."""

    options = ('--retry-ms', '0,0')

    def allow(self, actions):
        """Replaces the policy of FileCoordinator's role, as an administrator does."""
        policy = {'Version': '2012-10-17',
                  'Statement': [{'Effect': 'Allow', 'Action': actions, 'Resource': '*'}]}
        body = urllib.parse.urlencode({
            'Action': 'PutRolePolicy', 'Version': '2010-05-08', 'RoleName': 'FileCoordinator',
            'PolicyName': 'inline', 'PolicyDocument': json.dumps(policy)}).encode()
        at = self.engine.at
        headers = pipeline.sign('POST', at['moto'] + '/',
                                {'Content-Type': 'application/x-www-form-urlencoded'}, body, at,
                                'iam', 'us-east-1')
        self.assert_answer(pipeline.request('POST', at['moto'] + '/', headers, body), 200)

    def coordinate(self):
        """What FileCoordinator answers when it has something to start."""
        reply = self.invoke('FileCoordinator', b'{"fileIds":["u-0123456789abcdef"]}')
        self.assertEqual(reply.status, 200, reply.body)
        return reply.body.decode()

    def test_a_role_without_the_action_is_refused_by_name(self):
        self.allow(['dynamodb:Scan'])
        self.addCleanup(self.allow, ['dynamodb:Scan', 'lambda:InvokeFunction'])
        self.assertIn('assumed-role/FileCoordinator/FileCoordinator is not authorized to perform: '
                      'lambda:InvokeFunction on resource: '
                      'arn:aws:lambda:us-west-2:123456789012:function:StartFileUpload',
                      self.coordinate())

    def test_a_role_with_the_action_is_let_through(self):
        self.allow(['lambda:Invoke*'])
        self.assertIn('"started":1', self.coordinate())

    def test_a_key_that_nobody_holds_is_refused(self):
        at, self.engine.at = self.engine.at, {**self.engine.at, 'accessKeyId': 'AKIANOBODY'}
        try:
            reply = self.invoke('ListFiles', b'{}')
        finally:
            self.engine.at = at
        self.assert_answer(reply, 403, 'security token')


if __name__ == '__main__':
    support.main()
