#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A function may do in the cloud what it may do at the desk, and on what it needs alone."""
import json
import re
import unittest

import support

ANYWHERE = {'xray:PutTraceSegments', 'xray:PutTelemetryRecords'}  # X-Ray knows no resources
LOG = {'logs:CreateLogStream', 'logs:PutLogEvents'}


def desk_actions():
    """{function: actions of its role} of media-local."""
    text = (support.PIPELINE / 'local' / 'functions.c').read_text()
    table = re.search(r'descriptions\[\] = \{(.*?)\n\};', text, re.DOTALL).group(1)
    return {name: set(re.findall(r'"([\w:]+)"', actions)) for name, actions
            in re.findall(r'\{ "(\w+)",\s*\d+,\s*\d+,\s*\{([^}]*)\}', table)}


class TestPermissions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.terraform = support.Terraform()
        cls.addClassCleanup(cls.terraform.close)
        cls.plan = cls.terraform.plan(apns=support.APNS)

    def resources(self, function, service):
        return {resource for statement in self.plan.statements(function)
                if statement['Action'][0].startswith(f'{service}:')
                for resource in statement['Resource']}

    def each_statement(self):
        for name in support.FUNCTIONS:
            for statement in self.plan.statements(name):
                yield name, set(statement['Action']), statement['Resource']

    def test_actions_are_those_of_the_desk(self):
        desk = desk_actions()
        self.assertEqual(sorted(desk), sorted(support.FUNCTIONS))
        for name in support.FUNCTIONS:
            self.assertEqual(set(self.plan.actions(name)) - ANYWHERE - LOG, desk[name], name)

    def test_no_action_is_a_pattern(self):
        for name, actions, _ in self.each_statement():
            self.assertEqual([action for action in actions if '*' in action], [], name)

    def test_only_traces_go_anywhere(self):
        for name, actions, resources in self.each_statement():
            if '*' in resources:
                self.assertEqual(actions, ANYWHERE, name)

    def test_objects_are_changed_and_not_the_bucket(self):
        found = {action: statement['Resource'] for statement in self.plan.statements('StartFileUpload')
                 for action in statement['Action'] if action.startswith('s3:')}
        bucket = 'arn:aws:s3:::media-staging-files-1'
        for action, resources in found.items():
            self.assertEqual(resources, [bucket if action == 's3:ListBucketMultipartUploads'
                                         else f'{bucket}/*'], action)

    def test_one_function_is_invoked_by_each_that_invokes(self):
        for name, invoked in (('WebhookFeedly', 'FileCoordinator'),
                              ('FileCoordinator', 'StartFileUpload')):
            arns = {arn.split(':')[-1] for arn in self.resources(name, 'lambda')}
            self.assertEqual(arns, {f'{invoked}-staging'})

    def test_tables_are_those_of_which_a_function_is_told(self):
        for name, values in self.plan.functions().items():
            told = {value for variable, value in values['environment'][0]['variables'].items()
                    if variable.endswith('_TABLE')}
            reached = {arn.split('/')[-1] for arn in self.resources(name, 'dynamodb')}
            self.assertEqual(reached, told, name)

    def test_a_push_goes_to_endpoints_of_the_application(self):
        application = 'arn:aws:sns:us-west-2:123456789012:app/APNS_SANDBOX/media-staging'
        endpoints = 'arn:aws:sns:us-west-2:123456789012:endpoint/APNS_SANDBOX/media-staging/*'
        self.assertEqual(self.resources('StartFileUpload', 'sns'), {application, endpoints})

    def test_each_function_writes_its_own_log(self):
        for name, values in self.plan.functions().items():
            self.assertEqual(self.resources(name, 'logs'), {
                'arn:aws:logs:us-west-2:123456789012:log-group:'
                f'/aws/lambda/{values["function_name"]}:*'})

    def test_each_role_is_taken_by_lambda_alone(self):
        for values in self.plan.keyed('aws_iam_role.function').values():
            statement, = json.loads(values['assume_role_policy'])['Statement']
            self.assertEqual(statement['Principal'], {'Service': 'lambda.amazonaws.com'})


if __name__ == '__main__':
    support.require_schema_provider()
    support.main()
