#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signatures on the wire, recomputed by botocore from the request that arrived.

usage: test_signature_against_botocore.py PATH-OF-AWS-CALL
Exits with 77, which is "skipped", where botocore is not installed.
"""
import http.server
import os
import re
import subprocess
import sys
import threading
import unittest

try:
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    sys.exit(77)

KEY, SECRET, REGION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "eu-west-1"
PROGRAM = ""


class Recorder(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_any(self):
        length = int(self.headers.get("Content-Length", 0))
        self.server.received.append((self.command, self.path, self.headers, self.rfile.read(length)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_any

    def log_message(self, *_):
        pass


class Signatures(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
        self.server.received = []
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def tearDown(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def call(self, service, method, path, query="", body="", headers=(), token=None):
        environment = {k: v for k, v in os.environ.items()
                       if not k.startswith("AWS_") and not k.lower().endswith("_proxy")}
        environment.update(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET, AWS_REGION=REGION,
                           AWS_ENDPOINT_URL=self.url)
        if token:
            environment["AWS_SESSION_TOKEN"] = token
        subprocess.run([PROGRAM, service, "Test", method, path, query, body, *headers],
                       env=environment, check=True, timeout=60, stdout=subprocess.DEVNULL)
        self.assertEqual(len(self.server.received), 1)
        return self.server.received[0]

    def recompute(self, service, request):
        """The signature that botocore gives to the same request."""
        method, path, headers, body = request
        signed = re.search(r"SignedHeaders=([^,]+)", headers["Authorization"])[1].split(";")
        theirs = AWSRequest(method=method, url=self.url + path, data=body,
                            headers={name: headers[name] for name in signed})
        theirs.context["timestamp"] = headers["X-Amz-Date"]
        auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(
            Credentials(KEY, SECRET), service, REGION)
        return auth.signature(auth.string_to_sign(theirs, auth.canonical_request(theirs)), theirs)

    def check(self, service, *arguments, **options):
        request = self.call(service, *arguments, **options)
        authorization = request[2]["Authorization"]
        self.assertEqual(re.search(r"Signature=(\w+)", authorization)[1],
                         self.recompute(service, request))
        return re.search(r"SignedHeaders=([^,]+)", authorization)[1].split(";")

    def test_json_service(self):
        signed = self.check("dynamodb", "POST", "/", body='{"TableName":"Files"}', headers=(
            "Content-Type: application/x-amz-json-1.0", "X-Amz-Target: DynamoDB_20120810.GetItem"))
        self.assertEqual(signed, ["content-type", "host", "x-amz-date", "x-amz-target"])

    def test_form_service(self):
        self.check("sns", "POST", "/", body="Action=Publish&Message=a%20b",
                   headers=("Content-Type: application/x-www-form-urlencoded; charset=utf-8",))

    def test_path_encoded_twice(self):
        self.check("lambda", "POST",
                   "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af/invocations",
                   query="Qualifier=a%2Fb", body="{}", headers=("X-Amz-Invocation-Type: Event",))

    def test_path_with_relative_segments(self):
        self.check("lambda", "GET", "/a/./b/../c//d/")

    def test_object_key_encoded_once(self):
        signed = self.check("s3", "PUT", "/bucket/a%20b/%C3%A9/../%2B~x", body="data")
        self.assertIn("x-amz-content-sha256", signed)

    def test_query_without_value(self):
        self.check("s3", "POST", "/bucket/key", query="uploads")

    def test_query_to_be_sorted(self):
        self.check("s3", "PUT", "/bucket/key", query="uploadId=u%2F1&partNumber=2", body="part")

    def test_session_token(self):
        signed = self.check("s3", "GET", "/bucket/key", token="TOKEN/with+signs==")
        self.assertIn("x-amz-security-token", signed)

    def test_header_values_with_blanks(self):
        self.check("s3", "GET", "/bucket/key", headers=("X-Amz-Meta-A:   a   b  ", "Range: bytes=0-9"))

    def test_trace_header_is_sent_and_not_signed(self):
        signed = self.check("sqs", "POST", "/", body="{}",
                            headers=("X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793",))
        self.assertNotIn("x-amzn-trace-id", signed)
        self.assertIn("X-Amzn-Trace-Id", self.server.received[0][2])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
