#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the media pipeline annotates is what docs/annotations.md says, and each key has a filter."""
import re
import unittest

from common import SOURCE

PAGE = (SOURCE / 'docs' / 'annotations.md').read_text()
PIPELINE = SOURCE / 'examples' / 'media-pipeline'
ANNOTATED = r'(?:xray|invocation)_annotate\(\s*[^,;]+,\s*"(\w+)"'
DESCRIBED = r'xray_add_metadata\(\s*[^,;]+,\s*"media",\s*"(\w+)"'


def recorded(pattern):
    """The keys which the functions use. What is under tests/ and local/ is not part of these."""
    return {key for folder in ('functions', 'media', 'runtime') for file in (PIPELINE / folder).glob('*.c')
            for key in re.findall(pattern, file.read_text())}


def rows(heading):
    """The keys of the table below a heading."""
    section = re.search(rf'^## {heading}.*?\n(.*?)(?=^## |\Z)', PAGE, re.M | re.S)[1]
    return {key for row in re.findall(r'^\| (`.*?`) \|', section, re.M)
            for key in re.findall(r'`(\w+)`', row)}


class Annotations(unittest.TestCase):
    def test_the_page_has_the_annotations_of_the_pipeline_and_no_others(self):
        self.assertGreater(len(recorded(ANNOTATED)), 10)
        self.assertEqual(rows('Annotations'), recorded(ANNOTATED))

    def test_the_page_has_the_metadata_of_the_pipeline_and_no_other(self):
        self.assertGreater(len(recorded(DESCRIBED)), 2)
        self.assertEqual(rows('Metadata'), recorded(DESCRIBED))

    def test_each_annotation_is_in_a_filter(self):
        filters = ''.join(re.findall(r'^```filter\n(.*?)^```', PAGE, re.M | re.S))
        self.assertEqual(rows('Annotations') - set(re.findall(r'annotation\.(\w+)', filters)), set())


if __name__ == '__main__':
    unittest.main()
