#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What --db keeps over restarts and kills, and what it leaves alone."""
import os
import pathlib
import shutil
import signal
import sqlite3
import stat
import tempfile
import threading
import time
import unittest

from collector import LONG, Collector, run, segment, subsegment, trace_id


class Journal(unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.path = pathlib.Path(folder) / 'traces.db'

    def start(self, *options):
        collector = Collector('--port', '0', '--db', str(self.path), *options)
        self.addCleanup(collector.stop)
        return collector

    def fill(self, collector, traces):
        """The texts of the traces by id, as they are then."""
        ids = [trace_id(number) for number in range(1, traces + 1)]
        for number, trace in enumerate(ids, 1):
            self.assertEqual(collector.put(
                segment(trace, number, annotations={'n': number}, big=2**64 - 1),
                subsegment(trace, number + 1000, number)), [])
        return {trace: collector.trace(trace) for trace in ids}

    def refused(self, *words):
        """It does not start, says this, and leaves the file as it is."""
        before = self.path.read_bytes()
        code, _, errors = run('--port', '0', '--db', str(self.path))
        self.assertEqual(code, 1, errors)
        for word in words:
            self.assertIn(word, errors)
        self.assertEqual(self.path.read_bytes(), before)

    def test_traces_are_there_again_after_a_restart(self):
        first = self.start()
        kept = self.fill(first, 50)
        summaries = first.summaries()
        first.stop()
        second = self.start()
        self.assertEqual({trace: second.trace(trace) for trace in kept}, kept)
        self.assertEqual(second.summaries(), summaries)
        self.assertEqual(second.errors, [])

    def test_the_later_of_two_documents_is_there_again(self):
        first = self.start()
        trace = trace_id()
        running = {'trace_id': trace, 'id': '%016x' % 1, 'name': 's', 'start_time': time.time(),
                   'in_progress': True}
        first.put(running)
        first.put(segment(trace, 1, name='done'))
        first.put(running)
        first.stop()
        self.assertEqual([found['name'] for found in self.start().trace(trace)], ['done'])

    def test_what_had_no_room_is_not_there_again(self):
        first = self.start('--max-traces', '10')
        self.fill(first, 30)
        left = {summary['Id'] for summary in first.summaries()}
        first.stop()
        self.assertEqual(len(left), 10)
        self.assertEqual({summary['Id'] for summary in self.start().summaries()}, left)

    def test_a_smaller_limit_holds_for_the_file_too(self):
        first = self.start()
        self.fill(first, 30)
        first.stop()
        second = self.start('--max-traces', '7')
        self.assertEqual(len(second.summaries()), 7)
        second.stop()
        self.assertEqual(len(self.start().summaries()), 7)

    def test_what_is_too_old_goes_at_the_start(self):
        first = self.start()
        self.fill(first, 3)
        first.stop()
        time.sleep(1.1)
        second = self.start('--max-age', '1s')
        while second.summaries():
            time.sleep(0.05)
        second.stop()
        self.assertEqual(self.start().summaries(), [])

    def test_a_kill_loses_nothing_older_than_a_second(self):
        collector = self.start()
        acknowledged = []  # (time, trace id)

        def put():
            number = 0
            while True:
                number += 1
                trace = trace_id(number)
                try:
                    for first in range(0, 5):
                        collector.put(segment(trace, 10 * number + first))
                except OSError:
                    return
                acknowledged.append((time.monotonic(), trace))

        threads = [threading.Thread(target=put)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + LONG
        while len(acknowledged) < 300 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(1.2)
        killed = time.monotonic()
        collector.stop(signal.SIGKILL)
        for thread in threads:
            thread.join()
        old = [trace for when, trace in acknowledged if when < killed - 1]
        self.assertGreaterEqual(len(old), 100)
        again = self.start()
        lost = [trace for trace in old if len(again.trace(trace)) != 5]
        self.assertEqual(lost, [])

    def test_only_the_owner_may_read_the_file(self):
        self.start()
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_two_processes_do_not_share_a_file(self):
        first = self.start()
        kept = self.fill(first, 2)
        code, _, errors = run('--port', '0', '--db', str(self.path))
        self.assertEqual(code, 1)
        self.assertIn('in use by another process', errors)
        self.assertEqual({trace: first.trace(trace) for trace in kept}, kept)

    def test_a_file_of_something_else_is_left_alone(self):
        self.path.write_text('# My notes\n' * 100)
        self.refused('traces.db', 'not a file that xraytrace-local has written')

    def test_a_short_file_of_something_else_is_left_alone(self):
        self.path.write_text('x')
        self.refused('not a file that xraytrace-local has written')

    def test_another_programs_database_is_left_alone(self):
        with sqlite3.connect(self.path) as database:
            database.execute('CREATE TABLE document(row INTEGER PRIMARY KEY)')
        database.close()
        self.refused('not a file that xraytrace-local has written')

    def test_a_newer_programs_file_is_left_alone(self):
        self.start().stop()
        database = sqlite3.connect(self.path)
        database.execute('PRAGMA user_version = 2')
        database.close()
        self.refused('format 2', 'newer xraytrace-local')

    def test_a_damaged_file_is_left_alone(self):
        first = self.start()
        self.fill(first, 100)
        first.stop()
        data = bytearray(self.path.read_bytes())
        self.assertGreater(len(data), 5 * 4096)
        data[4096:] = b'\xa5' * (len(data) - 4096)
        self.path.write_bytes(data)
        self.refused('damaged', 'Move it away')

    def test_a_document_that_is_damaged_does_not_take_the_others_with_it(self):
        first = self.start()
        kept = self.fill(first, 5)
        first.stop()
        database = sqlite3.connect(self.path)
        database.execute("UPDATE document SET body = x'00' WHERE row IN (1, 2)")
        database.commit()
        database.close()
        second = self.start()
        self.assertEqual(len(second.summaries()), 4)
        self.assertEqual(second.trace(max(kept)), kept[max(kept)])
        second.stop()
        self.assertIn('2 documents', ''.join(second.errors))

    def test_a_folder_that_is_not_there_is_named(self):
        code, _, errors = run('--port', '0', '--db', str(self.path.parent / 'none' / 'a.db'))
        self.assertEqual(code, 1)
        self.assertIn('No such file', errors)
        self.assertIn('none/a.db', errors)

    def test_a_name_that_means_something_to_sqlite_is_a_file(self):
        before = os.getcwd()
        os.chdir(self.path.parent)
        self.addCleanup(os.chdir, before)
        self.path = pathlib.Path(':memory:')
        first = self.start()
        kept = self.fill(first, 1)
        first.stop()
        self.assertEqual(self.start().trace(*kept), *kept.values())


if __name__ == '__main__':
    unittest.main()
