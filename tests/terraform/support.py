# SPDX-License-Identifier: Apache-2.0
"""Plans of terraform/ as JSON: with the real AWS provider, or with its schema alone.

The real one is taken from XRAYTRACE_TERRAFORM_PLUGINS, a directory in the layout of a filesystem
mirror. No account is used, nothing is asked of AWS, nothing is applied.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
PIPELINE = HERE.parents[1] / 'examples' / 'media-pipeline'
CONFIGURATION = PIPELINE / 'terraform'
SKIPPED = 77
PLUGINS = os.environ.get('XRAYTRACE_TERRAFORM_PLUGINS', '')
FUNCTIONS = ['AuthorizerAPIToken', 'WebhookFeedly', 'FileCoordinator', 'StartFileUpload',
             'RegisterDevice', 'ListFiles']
APNS = {'certificate': 'a-certificate', 'private_key': 'a-private-key'}

# The provider would look for an account otherwise; it is never used for a plan of new things.
OFFLINE = '''
provider "aws" {
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
}

provider "aws" {
  alias                       = "charges"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
}
'''


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(SKIPPED)


def main():
    unittest.main(verbosity=2)


class Terraform:
    """A copy of the configuration, with packages that are empty."""

    def __init__(self, is_real=False):
        self.directory = tempfile.TemporaryDirectory(prefix='terraform-')
        self.path = pathlib.Path(self.directory.name)
        self.plans = {}
        self.provider = None
        self.environment = {
            **{name: value for name, value in os.environ.items()
               if not name.startswith(('TF_', 'AWS_'))},
            'TF_CLI_CONFIG_FILE': os.devnull,
            'TF_IN_AUTOMATION': '1',
            'TF_WORKSPACE': 'staging',
            'CHECKPOINT_DISABLE': '1',
            'AWS_EC2_METADATA_DISABLED': 'true',
            'HOME': str(self.path),
        }
        for file in CONFIGURATION.glob('*.tf'):
            shutil.copy(file, self.path)
        (self.path / 'offline_override.tf').write_text(OFFLINE)
        for architecture in ('x86_64', 'arm64'):
            for name in ('pipeline', 'layer'):
                (self.path / f'media-{name}-{architecture}.zip').touch()
        if not is_real:
            self.start_provider()
        mirror = [f'-plugin-dir={PLUGINS}'] if is_real else []
        self.run('init', '-backend=false', *mirror)

    def start_provider(self):
        self.provider = subprocess.Popen(['node', str(HERE / 'schema_provider.mjs')], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.environment['TF_REATTACH_PROVIDERS'] = self.provider.stdout.readline()

    def close(self):
        if self.provider:
            self.provider.communicate()
        self.directory.cleanup()

    def call(self, *arguments, workspace='staging'):
        return subprocess.run(['terraform', arguments[0], '-no-color', *arguments[1:]],
                              cwd=self.path, text=True, capture_output=True, check=False,
                              stdin=subprocess.DEVNULL,
                              env={**self.environment, 'TF_WORKSPACE': workspace})

    def run(self, *arguments, workspace='staging'):
        done = self.call(*arguments, workspace=workspace)
        if done.returncode:
            raise AssertionError(f'terraform {arguments[0]}: {done.stdout}{done.stderr}')
        return done.stdout

    def options(self, variables):
        (self.path / 'tested.tfvars.json').write_text(json.dumps(
            {'package_directory': str(self.path), **variables}))
        return ['-input=false', '-var-file=tested.tfvars.json']

    def complaint(self, workspace='staging', **variables):
        """What Terraform says to values that it refuses; empty when it takes them."""
        done = self.call('plan', *self.options(variables), workspace=workspace)
        return ' '.join(done.stderr.replace('\u2502', ' ').split()) if done.returncode else ''

    def plan(self, workspace='staging', **variables):
        key = json.dumps([workspace, variables], sort_keys=True)
        if key not in self.plans:
            self.run('plan', *self.options(variables), '-out=plan', workspace=workspace)
            self.plans[key] = Plan(json.loads(self.run('show', '-json', 'plan')))
        return self.plans[key]


class Plan:
    def __init__(self, document):
        self.document = document
        self.resources = {resource['address']: resource.get('values', {}) for resource
                          in document['planned_values']['root_module']['resources']}

    def of_type(self, kind):
        return {address: values for address, values in self.resources.items()
                if address.startswith(kind + '.')}

    def keyed(self, address):
        """The instances of a resource by their key."""
        return {name[len(address) + 2:-2]: values for name, values in self.resources.items()
                if name.startswith(f'{address}["')}

    def functions(self):
        return self.keyed('aws_lambda_function.function')

    def statements(self, function):
        policy = self.resources[f'aws_iam_role_policy.function["{function}"]']['policy']
        return json.loads(policy)['Statement']

    def actions(self, function):
        return sorted({action for statement in self.statements(function)
                       for action in statement['Action']})

    def differences(self, other):
        """{address: names of attributes that differ}; "" where one has no such resource."""
        found = {}
        for address in self.resources.keys() | other.resources.keys():
            mine, others = self.resources.get(address), other.resources.get(address)
            if mine is None or others is None:
                found[address] = {''}
            elif mine != others:
                found[address] = {name for name in mine.keys() | others.keys()
                                  if mine.get(name) != others.get(name)}
        return found


def require_terraform():
    if not shutil.which('terraform'):
        skip('there is no terraform: nothing of the deployment was checked')


def require_schema_provider():
    require_terraform()
    if not shutil.which('node'):
        skip('there is no node, which gives terraform the schema of the AWS provider')


def require_real_provider():
    require_terraform()
    if not PLUGINS:
        skip('XRAYTRACE_TERRAFORM_PLUGINS is not set: nothing was planned with the real AWS '
             'provider. `terraform providers mirror DIRECTORY` makes one where there is a network')
