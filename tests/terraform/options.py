# SPDX-License-Identifier: Apache-2.0
"""What the mission's four options change, and that they change nothing else: the same checks for
plans by the provider's schema (test_options.py) and by the real one (test_real_provider.py)."""
import support

CRITICAL = ['FileCoordinator', 'StartFileUpload', 'WebhookFeedly']
ALL = sorted(support.FUNCTIONS)
PUT = ['xray:PutTelemetryRecords', 'xray:PutTraceSegments']

# tracing, enable_xray_tracing: the stage's tracing, the functions that are Active, the debug rule
TABLE = {
    ('full', True): (True, ALL, False),
    ('full', False): (True, ALL, False),
    ('selective', True): (True, CRITICAL, False),
    ('selective', False): (True, CRITICAL, False),
    ('passive', True): (True, [], False),
    ('passive', False): (True, [], False),
    ('on_demand', True): (True, ALL, True),
    ('on_demand', False): (False, [], True),
}


class Options:
    """To be mixed into a TestCase that has self.terraform."""

    def plan(self, tracing, enabled):
        return self.terraform.plan(tracing=tracing, enable_xray_tracing=enabled)

    def each_row(self):
        for (tracing, enabled), expected in TABLE.items():
            with self.subTest(tracing=tracing, enable_xray_tracing=enabled):
                yield self.plan(tracing, enabled), enabled, *expected

    def test_the_stage_is_traced_as_the_table_says(self):
        for plan, _, stage, _, _ in self.each_row():
            self.assertIs(plan.resources['aws_api_gateway_stage.api']['xray_tracing_enabled'], stage)

    def test_the_functions_are_active_as_the_table_says(self):
        for plan, _, _, active, _ in self.each_row():
            modes = {name: values['tracing_config'][0]['mode']
                     for name, values in plan.functions().items()}
            self.assertEqual(modes, {name: 'Active' if name in active else 'PassThrough'
                                     for name in ALL})

    def test_every_function_is_told_whether_to_record(self):
        for plan, enabled, _, _, _ in self.each_row():
            told = {values['environment'][0]['variables']['ENABLE_XRAY']
                    for values in plan.functions().values()}
            self.assertEqual(told, {'true' if enabled else 'false'})

    def test_the_debug_rule_is_there_on_demand_alone(self):
        for plan, _, _, _, debug in self.each_row():
            rules = sorted(plan.keyed('aws_xray_sampling_rule.stage'))
            self.assertEqual(rules, ['MediaDownloader-staging',
                                     *(['MediaDownloaderDebug-staging'] if debug else [])])

    def test_selective_follows_its_list(self):
        plan = self.terraform.plan(tracing='selective', traced_functions=['ListFiles'])
        active = [name for name, values in plan.functions().items()
                  if values['tracing_config'][0]['mode'] == 'Active']
        self.assertEqual(active, ['ListFiles'])

    def test_the_list_matters_to_selective_alone(self):
        for tracing in ('full', 'passive', 'on_demand'):
            with self.subTest(tracing):
                listed = self.terraform.plan(tracing=tracing, traced_functions=['ListFiles'],
                                             enable_xray_tracing=True)
                self.assertEqual(self.plan(tracing, True).differences(listed), {})

    def test_an_option_changes_tracing_and_nothing_else(self):
        base = self.plan('full', True)
        allowed = {f'aws_lambda_function.function["{name}"]': {'tracing_config', 'environment'}
                   for name in ALL}
        allowed |= {f'aws_iam_role_policy.function["{name}"]': {'policy'} for name in ALL}
        allowed['aws_api_gateway_stage.api'] = {'xray_tracing_enabled'}
        allowed['aws_xray_sampling_rule.stage["MediaDownloaderDebug-staging"]'] = {''}
        for plan, _, _, _, _ in self.each_row():
            for address, names in base.differences(plan).items():
                self.assertLessEqual(names, allowed.get(address, set()), address)

    def test_the_environment_differs_in_one_variable(self):
        base = self.plan('full', True).functions()
        for plan, _, _, _, _ in self.each_row():
            for name, values in plan.functions().items():
                before = base[name]['environment'][0]['variables']
                after = values['environment'][0]['variables']
                self.assertEqual({key for key in before.keys() | after.keys()
                                  if before.get(key) != after.get(key)} - {'ENABLE_XRAY'}, set())

    def test_the_rollback_is_one_variable_of_the_functions(self):
        for tracing in ('full', 'selective', 'passive'):
            with self.subTest(tracing):
                differences = self.plan(tracing, True).differences(self.plan(tracing, False))
                self.assertEqual(differences,
                                 {f'aws_lambda_function.function["{name}"]': {'environment'}
                                  for name in ALL})
