// SPDX-License-Identifier: Apache-2.0
// A server that is traced by the X-Ray SDK for Node.js with its defaults: it answers
// every request with what its sampler decided, and ends with its standard input.
'use strict';

const http = require('http');
const xray = require('aws-xray-sdk-core');

xray.middleware.setDefaultName('node');
const server = http.createServer((request, response) => {
  const segment = xray.middleware.traceRequestResponseCycle(request, response);
  const rule = segment.aws && segment.aws.xray && segment.aws.xray.rule_name;
  response.end(JSON.stringify({ sampled: !segment.notTraced, rule: rule || '' }));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
