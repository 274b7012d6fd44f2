// SPDX-License-Identifier: Apache-2.0
// The workloads of bench/workloads.c on the X-Ray SDK for Node.js.
//
//   node workloads.js NAME RULES
//
// NAME is W1 to W6, RULES the file with the sampling rules of W5. Documents go to
// AWS_XRAY_DAEMON_ADDRESS. Prints one JSON line with the nanoseconds of an
// operation in each of seven runs. Manual mode: the automatic one costs more.
'use strict';

const xray = require('aws-xray-sdk-core');
const localSampler = require('aws-xray-sdk-core/dist/lib/middleware/sampling/local_sampler');
const utils = require('aws-xray-sdk-core/dist/lib/utils');
const sdk = require('aws-xray-sdk-core/package.json');

const RUNS = 7;
const WIDTH = 10000; // subsegments of W6
const TURN = 64; // segments between two turns of the event loop, in which datagrams leave

const turn = () => new Promise((resolve) => { setImmediate(resolve); });

function oneSubsegment() {
  const segment = new xray.Segment('checkout-api');
  segment.notTraced = true;
  const work = segment.addNewSubsegment('work');
  work.addAnnotation('customer', 'c-12345');
  work.close();
  segment.close();
}

function small() {
  const segment = new xray.Segment('checkout-api');
  const work = segment.addNewSubsegment('work');
  work.addAnnotation('customer', 'c-12345');
  work.addAnnotation('tier', 'gold');
  work.addMetadata('note', 'hello metadata');
  work.close();
  segment.close();
}

function callTable(segment) {
  const call = segment.addNewSubsegment('DynamoDB');
  call.namespace = 'aws';
  call.aws = {
    operation: 'GetItem',
    table_name: 'orders',
    region: 'us-east-1',
    request_id: '3AIENM5J4ELQ3SPODHKBIRVIC3VV4KQNSO5AEMVJF66Q9ASUAAJG',
  };
  call.http = { response: { status: 200 } };
  call.close();
}

function callService(segment) {
  const call = segment.addNewSubsegment('payments.example.com');
  call.namespace = 'remote';
  call.http = {
    request: { method: 'GET', url: 'https://payments.example.com/v1/charge' },
    response: { status: 200, content_length: 128 },
  };
  call.close();
}

function typical() {
  const segment = new xray.Segment('checkout-api');
  segment.addIncomingRequestData({
    request: {
      method: 'POST',
      url: 'https://api.example.com/orders/1234/items',
      user_agent: 'Mozilla/5.0 (X11; Linux x86_64)',
      client_ip: '203.0.113.7',
    },
    response: { status: 200, content_length: 512 },
  });
  segment.addAnnotation('customer', 'c-12345');
  segment.addAnnotation('items', 42);
  segment.addAnnotation('premium', true);
  for (let i = 0; i < 3; i++) callTable(segment);
  for (let i = 0; i < 2; i++) callService(segment);
  segment.close();
}

let used = 0; // what is computed for nothing could be left out

function header() {
  const data = utils.processTraceData(
    'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1');
  used += `Root=${data.root};Parent=${data.parent};Sampled=${data.sampled}`.length;
}

const REQUEST = { host: 'shop.example.com', httpMethod: 'POST', urlPath: '/orders/1234/items' };

function decision() {
  if (localSampler.shouldSample(REQUEST)) used++;
}

async function wide() {
  const segment = new xray.Segment('wide');
  for (let i = 0; i < WIDTH; i++) {
    const work = segment.addNewSubsegment('work');
    work.addAnnotation('i', i);
    work.close();
    if (i % TURN === TURN - 1) await turn();
  }
  segment.close();
}

// [what runs, repeats in each run, operations in each repeat, segments sent in each repeat]
const WORKLOADS = {
  W1: [oneSubsegment, 100000, 1, 0],
  W2: [small, 20000, 1, 1],
  W3: [typical, 8000, 1, 1],
  W4: [header, 500000, 1, 0],
  W5: [decision, 200000, 1, 0],
  W6: [wide, 1, WIDTH, 1],
};

async function repeat(run, repeats, sends) {
  for (let i = 0; i < repeats; i++) {
    const result = run();
    if (result) await result;
    if (sends && i % TURN === TURN - 1) await turn();
  }
  if (sends) { // what the last segments left to do
    await turn();
    await turn();
  }
}

async function measure(name, rules) {
  if (!(name in WORKLOADS)) throw new Error(`there is no workload "${name}": W1 to W6`);
  const [run, repeats, operations, segments] = WORKLOADS[name];
  const warm = Math.floor(repeats / 4) + 1;
  const ns = [];
  xray.enableManualMode();
  localSampler.setLocalRules(rules);
  await repeat(run, warm, segments);
  for (let i = 0; i < RUNS; i++) {
    const start = process.hrtime.bigint();
    await repeat(run, repeats, segments);
    ns.push(Number(process.hrtime.bigint() - start) / (repeats * operations));
  }
  console.log(JSON.stringify({
    ns, segments: (warm + RUNS * repeats) * segments, sdk: sdk.version, runtime: process.version,
  }));
}

if (process.argv.length !== 4) {
  console.error('Usage: node workloads.js NAME RULES');
  process.exit(2);
}
measure(process.argv[2], process.argv[3]).then(
  // The socket's callbacks may still be due, and nothing else would end the process.
  () => setTimeout(() => process.exit(0), 200),
  (error) => { console.error(`workloads: ${error.message}`); process.exit(1); });
