// SPDX-License-Identifier: Apache-2.0
// A service that the X-Ray SDK for Node.js traces, with its defaults: the address of the daemon
// comes from the environment. official_service.js NAME [PORT OF THE SERVICE BEHIND IT]
// It prints its port and ends with its standard input.
'use strict';

const http = require('http');
const xray = require('aws-xray-sdk-core');

const [name, behind] = process.argv.slice(2);
xray.middleware.setDefaultName(name);
xray.captureHTTPsGlobal(http);

function ask(path) {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port: behind, path }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
}

// What a service without one behind it does.
function charge(path) {
  try {
    xray.captureFunc('charge', () => {
      if (path === '/broken')
        throw new Error('no such card');
    });
    return 200;
  } catch (error) {
    return 500;
  }
}

async function answer(segment, request, response) {
  segment.addAnnotation('path', request.url);
  segment.addAnnotation('amount', 42);
  segment.addAnnotation('gift', true);
  segment.addMetadata('basket', { items: [1, 2] });
  response.statusCode = behind ? await ask(request.url) : charge(request.url);
  const rule = segment.aws && segment.aws.xray && segment.aws.xray.rule_name;
  response.end(JSON.stringify({ trace: segment.trace_id, rule: rule || '' }));
}

// As the middleware for Express does it.
const server = http.createServer((request, response) => {
  const segment = xray.middleware.traceRequestResponseCycle(request, response);
  const namespace = xray.getNamespace();
  namespace.bindEmitter(request);
  namespace.bindEmitter(response);
  namespace.run(() => {
    xray.setSegment(segment);
    answer(segment, request, response);
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
