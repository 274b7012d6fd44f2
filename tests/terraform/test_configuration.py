#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What Terraform would make is what the functions, and media-local, expect."""
import json
import re
import subprocess
import unittest

import support


GITHUB = {'repository': 'owner/name', 'token': 'a-token'}


def source(name):
    return (support.PIPELINE / name).read_text()


def described_functions():
    """{name: (timeout, memory)} of media-local."""
    rows = re.findall(r'\{ "(\w+)",\s+(\d+),\s+(\d+),', source('local/functions.c'))
    return {name: (int(timeout), int(memory)) for name, timeout, memory in rows}


def required_variables():
    """{function: variables without which bootstrap does not start it}."""
    table = re.search(r'functions\[\] = \{(.*?)\n\};', source('bootstrap.c'), re.DOTALL).group(1)
    return {name: set(re.findall(r'"([A-Z_]+)"', required)) for name, required
            in re.findall(r'"(\w+)",\s*\w+,\s*\{([^}]*)\}', table)}


def known_variables():
    """What the functions read of their environment."""
    files = sorted(path for part in ('functions', 'media', 'runtime', 'aws')
                   for path in (support.PIPELINE / part).rglob('*.c'))
    text = ''.join(path.read_text() for path in [support.PIPELINE / 'bootstrap.c', *files])
    return set(re.findall(r'(?:variable|getenv|read_number)\("([A-Z_]+)"', text))


def setUpModule():
    """One copy for all: a plan is made once."""
    Configured.terraform = support.Terraform()
    unittest.addModuleCleanup(Configured.terraform.close)


class Configured(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plan = cls.terraform.plan()
        cls.full = cls.terraform.plan(
            apns=support.APNS, synthetic_url='https://media.example.org/small.mp4',
            file_expiry_days=30, alarm_email='someone@example.org', media_hosts=['example.net'],
            github=GITHUB)


class TestConfiguration(Configured):
    def test_it_is_formatted(self):
        self.terraform.run('fmt', '-check', '-diff', str(support.CONFIGURATION))

    def test_it_is_valid_by_the_schema(self):
        said = json.loads(self.terraform.run('validate', '-json'))
        self.assertEqual((said['valid'], said['diagnostics']), (True, []))

    def test_what_the_provider_does_not_know_is_found(self):
        planted = self.terraform.path / 'planted.tf'
        self.addCleanup(planted.unlink)
        planted.write_text('resource "aws_sns_topic" "planted" {\n  nmae = "a"\n}\n')
        said = json.loads(self.terraform.call('validate', '-json').stdout)
        self.assertEqual([one['summary'] for one in said['diagnostics']], ['Unsupported argument'])

    def test_a_workspace_without_a_name_is_refused(self):
        self.assertIn('The workspace is "default"', self.terraform.complaint(workspace='default'))

    def test_values_that_make_no_sense_are_refused(self):
        for name, value in {
            'tracing': 'some', 'traced_functions': ['Nobody'], 'architecture': 'mips',
            'log_retention_days': 8, 'ephemeral_storage_mib': 100, 'media_hosts': ['http://a/b'],
            'sampling': {'per_second': 1, 'rate': 5}, 'synthetic_url': 'https://host/file?a=b',
        }.items():
            with self.subTest(name):
                self.assertIn(f'{name}', self.terraform.complaint(**{name: value}))

    def test_two_workspaces_share_no_name(self):
        others = self.terraform.plan(workspace='production')
        names = ('function_name', 'bucket_prefix', 'alarm_name', 'group_name', 'rule_name',
                 'dashboard_name', 'layer_name')

        def names_of(plan):
            return {(address.split('.')[0], values[name]) for address, values
                    in plan.resources.items() for name in (*names, 'name')
                    if isinstance(values.get(name), str)} - {
                        ('aws_iam_role_policy', 'calls'), ('aws_iam_role_policy', 'log'),
                        ('aws_api_gateway_authorizer', 'token')}
        self.assertGreater(len(names_of(self.plan)), 40)
        self.assertEqual(names_of(self.plan) & names_of(others), set())

    def test_names_are_no_longer_than_aws_takes(self):
        limits = {('aws_xray_group', 'group_name'): 32, ('aws_xray_sampling_rule', 'rule_name'): 32,
                  ('aws_iam_role', 'name'): 64, ('aws_lambda_function', 'function_name'): 64,
                  ('aws_s3_bucket', 'bucket_prefix'): 37, ('aws_cloudwatch_event_rule', 'name'): 64,
                  ('aws_scheduler_schedule', 'name'): 64, ('aws_sns_topic', 'name'): 256,
                  ('aws_cloudfront_origin_access_control', 'name'): 64}
        for workspace in ('staging', 'production'):
            plan = self.terraform.plan(workspace=workspace, tracing='on_demand', apns=support.APNS,
                                       synthetic_url='https://media.example.org/small.mp4')
            for (kind, name), limit in limits.items():
                names = [values[name] for values in plan.of_type(kind).values()]
                self.assertGreater(len(names), 0, kind)
                self.assertEqual([one for one in names if len(one) > limit], [], kind)

    def test_names_in_production_are_those_of_the_documents(self):
        others = self.terraform.plan(workspace='production')
        names = {key: values['function_name'] for key, values in others.functions().items()}
        self.assertEqual(names, {name: name for name in support.FUNCTIONS})

    def test_secrets_are_marked_as_such(self):
        marked = {change['address']: change['change']['after_sensitive']
                  for change in self.full.document['resource_changes']}
        application = marked['aws_sns_platform_application.phone[0]']
        self.assertIs(application['platform_credential'], True)
        uploader = marked['aws_lambda_function.function["StartFileUpload"]']
        self.assertEqual(uploader['environment'][0]['variables'], {'GITHUB_TOKEN': True})
        self.assertIs(self.full.document['planned_values']['outputs']['api_key']['sensitive'], True)


class TestFunctions(Configured):
    def test_limits_are_those_of_the_desk(self):
        self.assertEqual({name: (values['timeout'], values['memory_size'])
                          for name, values in self.plan.functions().items()},
                         described_functions())

    def test_the_custom_runtime_runs_the_handler_of_its_name(self):
        for name, values in self.plan.functions().items():
            self.assertEqual((values['runtime'], values['handler']), ('provided.al2023', name))

    def test_both_architectures_take_their_own_packages(self):
        for architecture in ('x86_64', 'arm64'):
            plan = self.terraform.plan(architecture=architecture)
            for values in plan.functions().values():
                self.assertEqual(values['architectures'], [architecture])
                self.assertTrue(values['filename'].endswith(f'/media-pipeline-{architecture}.zip'))
            self.assertEqual(plan.resources['aws_s3_object.layer']['key'],
                             f'media-layer-{architecture}.zip')

    def test_only_the_downloader_has_the_layer_and_much_room(self):
        for name, values in self.plan.functions().items():
            is_downloader = name == 'StartFileUpload'
            # A layer's ARN is not known before it is made; none at all is.
            self.assertEqual(values.get('layers') != [], is_downloader, name)
            self.assertEqual(values['ephemeral_storage'][0]['size'] > 512, is_downloader, name)

    def test_every_function_is_given_what_it_cannot_do_without(self):
        required = required_variables()
        self.assertEqual(sorted(required), sorted(support.FUNCTIONS))
        unknown = {change['address']: change['change']['after_unknown']
                   for change in self.plan.document['resource_changes']}
        for name, values in self.plan.functions().items():
            later = unknown[f'aws_lambda_function.function["{name}"]']['environment'][0]
            given = set(values['environment'][0]['variables']) | set(later.get('variables', {}))
            self.assertLessEqual(required[name], given, name)

    def test_no_function_is_given_what_nobody_reads(self):
        known = known_variables()
        self.assertIn('PART_SIZE_MIB', known)
        for name, values in self.full.functions().items():
            self.assertLessEqual(set(values['environment'][0]['variables']), known, name)

    def test_without_a_token_for_issues_none_is_opened(self):
        variables = self.plan.functions()['StartFileUpload']['environment'][0]['variables']
        self.assertEqual([name for name in variables if name.startswith('GITHUB')], [])

    def test_functions_are_told_each_others_real_names(self):
        functions = self.plan.functions()
        for name, variable, called in (
                ('WebhookFeedly', 'FILE_COORDINATOR_FUNCTION', 'FileCoordinator'),
                ('FileCoordinator', 'START_FILE_UPLOAD_FUNCTION', 'StartFileUpload')):
            self.assertEqual(functions[name]['environment'][0]['variables'][variable],
                             functions[called]['function_name'])

    def test_each_log_is_kept_for_a_time_and_belongs_to_a_function(self):
        groups = self.plan.keyed('aws_cloudwatch_log_group.function')
        for name, values in self.plan.functions().items():
            self.assertEqual(groups[name]['name'], f'/aws/lambda/{values["function_name"]}')
            self.assertEqual(groups[name]['retention_in_days'], 14)

    def test_the_downloaders_programs_are_where_the_layer_has_them(self):
        variables = self.plan.functions()['StartFileUpload']['environment'][0]['variables']
        said = (support.PIPELINE / 'package').read_text()
        for name in ('YTDLP_PATH', 'FFMPEG_LOCATION', 'JS_RUNTIME'):
            self.assertIn(f'{name}={variables[name]}', said)


class TestApi(Configured):
    def test_routes_are_those_of_the_desk(self):
        here = re.search(r'routes\[\] = \{(.*?)\n\};', source('local/gateway.c'), re.DOTALL).group(1)
        desk = set(re.findall(r'\{ "(\w+)", "/(\w+)", "\w+" \}', here))
        methods = self.plan.keyed('aws_api_gateway_method.route')
        self.assertEqual({(values['http_method'], path) for path, values in methods.items()}, desk)
        self.assertEqual({resource['path_part'] for resource
                          in self.plan.keyed('aws_api_gateway_resource.route').values()},
                         {path for _, path in desk})

    def test_each_route_asks_the_authorizer(self):
        for values in self.plan.keyed('aws_api_gateway_method.route').values():
            self.assertEqual(values['authorization'], 'CUSTOM')
        authorizer = self.plan.resources['aws_api_gateway_authorizer.token']
        self.assertEqual((authorizer['type'], authorizer['authorizer_result_ttl_in_seconds']),
                         ('REQUEST', 0))

    def test_no_log_has_a_body_or_a_token(self):
        settings = self.plan.resources['aws_api_gateway_method_settings.api']['settings'][0]
        self.assertEqual((settings['data_trace_enabled'], settings['logging_level']), (False, 'OFF'))
        stage = self.full.document['configuration']['root_module']['resources']
        log = next(one for one in stage if one['address'] == 'aws_api_gateway_stage.api')
        self.assertIn('access_log_settings', log['expressions'])
        text = (support.CONFIGURATION / 'api.tf').read_text()
        fields = set(re.findall(r'"\$context\.([\w.]+)"', text))
        self.assertGreater(len(fields), 8)
        self.assertEqual({field for field in fields if re.search(
            r'apiKey|identity|querystring|path$|authorizer\.(?!status)', field)}, set())

    def test_the_gateways_own_errors_have_the_functions_envelope(self):
        answers = self.plan.keyed('aws_api_gateway_gateway_response.error')
        for kind, code in (('DEFAULT_4XX', 'custom-4XX-generic'), ('DEFAULT_5XX', 'custom-5XX-generic')):
            template = answers[kind]['response_templates']['application/json']
            filled = template.replace('$context.error.messageString', '"Forbidden"')
            self.assertEqual(json.loads(filled),
                             {'error': {'code': code, 'message': 'Forbidden'},
                              'requestId': '$context.requestId'})


class TestStores(Configured):
    def test_tables_are_those_of_the_desk(self):
        rows = re.search(r'tables\[\] = \{(.*?)\n\};', source('local/cloud.c'), re.DOTALL).group(1)
        desk = dict(re.findall(r'\{ "(\w+)", "(\w+)" \}', rows))
        tables = self.plan.keyed('aws_dynamodb_table.table')
        self.assertEqual({name: values['hash_key'] for name, values in tables.items()}, desk)

    def test_tables_are_encrypted_and_can_be_restored(self):
        for values in self.plan.keyed('aws_dynamodb_table.table').values():
            self.assertIs(values['server_side_encryption'][0]['enabled'], True)
            self.assertIs(values['point_in_time_recovery'][0]['enabled'], True)
            self.assertEqual(values['billing_mode'], 'PAY_PER_REQUEST')

    def test_production_cannot_be_deleted_by_mistake(self):
        for workspace, expected in (('staging', False), ('production', True)):
            tables = self.terraform.plan(workspace=workspace).keyed('aws_dynamodb_table.table')
            self.assertEqual({values['deletion_protection_enabled'] for values in tables.values()},
                             {expected})

    def test_no_bucket_is_public(self):
        blocks = self.plan.keyed('aws_s3_bucket_public_access_block.bucket')
        self.assertEqual(sorted(blocks), ['artifacts', 'files'])
        for values in blocks.values():
            self.assertEqual({values[name] for name in values if name.startswith(('block_', 'ignore_', 'restrict_'))},
                             {True})

    def rules(self, plan):
        values = plan.keyed('aws_s3_bucket_lifecycle_configuration.bucket')['files']
        return {rule['id']: rule for rule in values['rule']}

    def test_uploads_that_were_left_are_ended(self):
        rules = self.rules(self.plan)
        self.assertEqual(list(rules), ['incomplete-uploads'])
        abort = rules['incomplete-uploads']['abort_incomplete_multipart_upload']
        self.assertEqual(abort[0]['days_after_initiation'], 1)

    def test_files_expire_when_that_is_asked_for(self):
        self.assertEqual(self.rules(self.full)['old-files']['expiration'][0]['days'], 30)


class TestNotifications(Configured):
    def test_without_a_certificate_there_is_no_application(self):
        self.assertEqual(self.plan.of_type('aws_sns_platform_application'), {})
        for name in support.FUNCTIONS:
            self.assertEqual([action for action in self.plan.actions(name)
                              if action.startswith('sns:')], [])

    def test_dead_endpoints_are_reported_to_a_topic_and_a_log(self):
        references = {one['address']: one['expressions'] for one
                      in self.full.document['configuration']['root_module']['resources']}
        application = references['aws_sns_platform_application.phone']
        self.assertIn('aws_sns_topic.dead_notifications.arn',
                      application['event_delivery_failure_topic_arn']['references'])
        self.assertIn('failure_feedback_role_arn', application)

    def test_the_production_platform_is_asked_for(self):
        plan = self.terraform.plan(apns={**support.APNS, 'sandbox': False})
        self.assertEqual(plan.resources['aws_sns_platform_application.phone[0]']['platform'], 'APNS')


class TestAlarms(Configured):
    def test_our_own_metrics_are_ones_that_the_functions_write(self):
        written = set(re.findall(r'log_metric\("(\w+)"', source('functions/start_file_upload.c')))
        filtered = {values['metric_transformation'][0]['name'] for values
                    in self.full.of_type('aws_cloudwatch_log_metric_filter').values()}
        alarms = [values['metric_name'] for values
                  in self.full.of_type('aws_cloudwatch_metric_alarm').values()
                  if values['namespace'] == 'MediaDownloader']
        self.assertGreater(len(alarms), 3)
        self.assertLessEqual(set(alarms), written | filtered)
        self.assertIn('#define METRIC_NAMESPACE "MediaDownloader"', source('runtime/log.c'))

    def test_refused_notifications_are_counted_by_the_words_of_the_log(self):
        pattern = self.plan.resources['aws_cloudwatch_log_metric_filter.push_refused["StartFileUpload"]']['pattern']
        words = re.fullmatch(r'\{ \$\.message = "(.*)\*" \}', pattern).group(1)
        self.assertIn(f'log_write(LOG_WARNING, fields, "{words}', source('media/push.c'))

    def test_every_kind_of_trouble_has_an_alarm(self):
        metrics = {values['metric_name'] for values
                   in self.full.of_type('aws_cloudwatch_metric_alarm').values()}
        self.assertLessEqual({'Errors', '5XXError', 'Latency', 'VideoDownloadDuration',
                              'EstimatedCharges', 'NumberOfNotificationsFailed',
                              'ApproximateTraceCount', 'VideoDownloadSuccess'}, metrics)

    def test_each_function_has_an_alarm_on_its_errors(self):
        functions = {values['function_name'] for values in self.plan.functions().values()}
        watched = {values['dimensions']['FunctionName'] for values
                   in self.plan.of_type('aws_cloudwatch_metric_alarm').values()
                   if values['metric_name'] == 'Errors'}
        self.assertEqual(watched, functions)

    def test_charges_are_watched_where_they_are_published(self):
        alarm = self.plan.resources['aws_cloudwatch_metric_alarm.charges[0]']
        self.assertEqual((alarm['threshold'], alarm['dimensions']), (5, {'Currency': 'USD'}))
        configuration = self.plan.document['configuration']
        one = next(one for one in configuration['root_module']['resources']
                   if one['address'] == 'aws_cloudwatch_metric_alarm.charges')
        provider = configuration['provider_config'][one['provider_config_key']]
        self.assertEqual(provider['expressions']['region']['constant_value'], 'us-east-1')

    def test_the_costs_are_reckoned_for_as_much_as_is_made(self):
        done = subprocess.run([support.PIPELINE / 'costs', '--json'], stdout=subprocess.PIPE,
                              timeout=60, check=True)
        around = json.loads(done.stdout)['around']
        filtered = {values['metric_transformation'][0]['name'] for values
                    in self.full.of_type('aws_cloudwatch_log_metric_filter').values()}
        # Each is written by one function, and with its name alone as a dimension.
        written = re.findall(r'log_metric\("(\w+)"', ''.join(
            path.read_text() for path in (support.PIPELINE / 'functions').glob('*.c')))
        settings = self.full.resources['aws_api_gateway_method_settings.api']['settings']
        self.assertFalse(settings[0]['metrics_enabled'])  # five for each route, and charged
        self.assertEqual((around['alarms'], around['dashboards'], around['metrics']),
                         (len(self.full.of_type('aws_cloudwatch_metric_alarm')),
                          len(self.full.of_type('aws_cloudwatch_dashboard')),
                          len(filtered | set(written))))

    def test_the_dashboard_fits_its_page(self):
        body = json.loads(self.full.resources['aws_cloudwatch_dashboard.pipeline']['dashboard_body'])
        places = [(widget['x'], widget['y']) for widget in body['widgets']]
        self.assertEqual(len(places), len(set(places)))
        self.assertTrue(all(x + widget['width'] <= 24 for (x, _), widget in zip(places, body['widgets'])))


class TestSyntheticCheck(Configured):
    def schedule(self):
        return self.full.resources['aws_scheduler_schedule.synthetic[0]']

    def test_it_is_off_without_an_address(self):
        found = [address for address in self.plan.resources if 'synthetic' in address]
        self.assertEqual(found, [])

    def test_each_run_asks_for_another_address(self):
        event = json.loads(self.schedule()['target'][0]['input'])
        body = json.loads(event['body'])
        self.assertEqual(body, {'articleURL': 'https://media.example.org/small.mp4'
                                              '?run=<aws.scheduler.execution-id>'})

    def test_the_event_is_one_of_a_user(self):
        event = json.loads(self.schedule()['target'][0]['input'])
        self.assertEqual(event['requestContext']['authorizer'], {'principalId': 'synthetic'})

    def test_its_host_is_taken_from(self):
        for name in ('WebhookFeedly', 'StartFileUpload'):
            hosts = self.full.functions()[name]['environment'][0]['variables']['MEDIA_HOSTS']
            self.assertEqual(hosts.split(','), ['example.net', 'media.example.org'])

    def test_it_runs_every_hour(self):
        self.assertEqual(self.schedule()['schedule_expression'], 'rate(1 hour)')

    def test_silence_is_an_alarm(self):
        alarm = self.full.resources['aws_cloudwatch_metric_alarm.synthetic[0]']
        self.assertEqual((alarm['treat_missing_data'], alarm['metric_name']),
                         ('breaching', 'VideoDownloadSuccess'))


if __name__ == '__main__':
    support.require_schema_provider()
    support.main()
