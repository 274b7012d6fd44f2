// SPDX-License-Identifier: Apache-2.0
// Stands in for the AWS provider where it cannot be had: it gives Terraform the provider's schema
// (aws-schema.json) and plans what is configured; what is not, it calls unknown. So Terraform
// evaluates the configuration for real, but AWS's own checks of values are not made, and nothing
// can be applied. Terraform reaches it by TF_REATTACH_PROVIDERS, which is printed.
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import process from 'node:process';

const schema = JSON.parse(readFileSync(new URL('aws-schema.json', import.meta.url)));
const ADDRESS = 'registry.terraform.io/hashicorp/aws';
const UNIMPLEMENTED = '12';

// ---- Protocol buffers: the fields of tfplugin6.proto that are used here --------------------

const VARINT = 0, BYTES = 2;
const NESTING = { single: 1, list: 2, set: 3 };

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}

const number = (field, value) => Buffer.concat([varint(field * 8 + VARINT), varint(value)]);

function bytes(field, value) {
  const content = Buffer.from(value);
  return Buffer.concat([varint(field * 8 + BYTES), varint(content.length), content]);
}

function readVarint(message, at) {
  let value = 0, scale = 1, byte;
  do {
    byte = message[at.offset++];
    value += (byte & 127) * scale;
    scale *= 128;
  } while (byte & 128);
  return value;
}

// The fields of a message that are texts or messages themselves: {number: bytes}.
function read(message) {
  const fields = {};
  for (const at = { offset: 0 }; at.offset < message.length;) {
    const tag = readVarint(message, at);
    const value = readVarint(message, at);
    if (tag % 8 === BYTES) {
      fields[Math.floor(tag / 8)] = message.subarray(at.offset, at.offset + value);
      at.offset += value;
    }
  }
  return fields;
}

// ---- MessagePack, as far as Terraform writes it -------------------------------------------

const UNKNOWN = Symbol('unknown');

class Raw { // a number or anything else that only has to be handed on
  constructor(data) { this.data = data; }
}

function unpack(data, at = { offset: 0 }) {
  const start = at.offset;
  const first = data[at.offset++];
  const length = size => {
    const value = data.readUIntBE(at.offset, size);
    at.offset += size;
    return value;
  };
  const skip = count => {
    at.offset += count;
    return new Raw(data.subarray(start, at.offset));
  };
  const text = count => {
    at.offset += count;
    return data.toString('utf8', at.offset - count, at.offset);
  };
  const list = count => Array.from({ length: count }, () => unpack(data, at));
  const map = count => new Map(Array.from({ length: count }, () => [unpack(data, at), unpack(data, at)]));
  const extension = count => {
    at.offset += count + 1;
    return UNKNOWN;
  };
  if (first < 0x80 || first >= 0xe0) return skip(0);
  if (first < 0x90) return map(first & 15);
  if (first < 0xa0) return list(first & 15);
  if (first < 0xc0) return text(first & 31);
  switch (first) {
    case 0xc0: return null;
    case 0xc2: return false;
    case 0xc3: return true;
    case 0xc4: return skip(length(1));
    case 0xc5: return skip(length(2));
    case 0xc6: return skip(length(4));
    case 0xc7: return extension(length(1));
    case 0xc8: return extension(length(2));
    case 0xca: case 0xce: case 0xd2: return skip(4);
    case 0xcb: case 0xcf: case 0xd3: return skip(8);
    case 0xcc: case 0xd0: return skip(1);
    case 0xcd: case 0xd1: return skip(2);
    case 0xd4: return extension(1);
    case 0xd5: return extension(2);
    case 0xd6: return extension(4);
    case 0xd7: return extension(8);
    case 0xd8: return extension(16);
    case 0xd9: return text(length(1));
    case 0xda: return text(length(2));
    case 0xdb: return text(length(4));
    case 0xdc: return list(length(2));
    case 0xdd: return list(length(4));
    case 0xde: return map(length(2));
    case 0xdf: return map(length(4));
    default: throw new Error(`MessagePack has no ${first}`);
  }
}

function head(type, count) {
  const buffer = Buffer.alloc(5);
  buffer[0] = type;
  buffer.writeUInt32BE(count, 1);
  return buffer;
}

function pack(value) {
  if (value === UNKNOWN) return Buffer.from([0xd4, 0, 0]);
  if (value === null) return Buffer.from([0xc0]);
  if (value === false) return Buffer.from([0xc2]);
  if (value === true) return Buffer.from([0xc3]);
  if (value instanceof Raw) return value.data;
  if (typeof value === 'string') return Buffer.concat([head(0xdb, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Array.isArray(value)) return Buffer.concat([head(0xdd, value.length), ...value.map(pack)]);
  return Buffer.concat([head(0xdf, value.size), ...[...value].flat().map(pack)]);
}

// ---- The schema, and what is planned by it ------------------------------------------------

function attribute(name, [type, kind]) {
  const fields = [bytes(1, name), bytes(2, JSON.stringify(type))];
  if (kind === 'required') fields.push(number(4, 1));
  if (kind === 'optional' || kind === 'setting') fields.push(number(5, 1));
  if (kind === 'optional' || kind === 'computed') fields.push(number(6, 1));
  return Buffer.concat(fields);
}

function nestedBlock(name, nested) {
  return Buffer.concat([
    bytes(1, name), bytes(2, block(nested.block)), number(3, NESTING[nested.nesting]),
    number(4, nested.min), number(5, nested.max),
  ]);
}

function block({ attributes, blocks }) {
  return Buffer.concat([
    ...Object.entries(attributes).map(([name, known]) => bytes(2, attribute(name, known))),
    ...Object.entries(blocks).map(([name, nested]) => bytes(3, nestedBlock(name, nested))),
  ]);
}

// A provider's own settings are never computed.
function settings({ attributes, blocks }) {
  const kind = known => (known === 'optional' ? 'setting' : known);
  return {
    attributes: Object.fromEntries(Object.entries(attributes).map(([name, [type, known]]) => [name, [type, kind(known)]])),
    blocks: Object.fromEntries(Object.entries(blocks).map(([name, nested]) => [name, { ...nested, block: settings(nested.block) }])),
  };
}

const whole = content => bytes(2, block(content));

function providerSchema() {
  return Buffer.concat([
    bytes(1, whole(settings(schema.provider))),
    ...Object.entries(schema.resources).map(([name, content]) => bytes(2, Buffer.concat([bytes(1, name), bytes(2, whole(content))]))),
  ]);
}

// What is neither required nor given becomes known when it is made.
function plan({ attributes, blocks }, object) {
  for (const [name, [, kind]] of Object.entries(attributes))
    if (kind !== 'required' && object.get(name) === null) object.set(name, UNKNOWN);
  for (const [name, nested] of Object.entries(blocks)) {
    const value = object.get(name);
    for (const one of Array.isArray(value) ? value : [value])
      if (one instanceof Map) plan(nested.block, one);
  }
  return object;
}

// AWS's ARNs are known when a thing is made. These have their form, so that policies can be read.
const PLACE = 'us-west-2:123456789012';
const ARNS = {
  aws_cloudwatch_log_group: object => `arn:aws:logs:${PLACE}:log-group:${object.get('name')}`,
  aws_dynamodb_table: object => `arn:aws:dynamodb:${PLACE}:table/${object.get('name')}`,
  aws_lambda_function: object => `arn:aws:lambda:${PLACE}:function:${object.get('function_name')}`,
  aws_s3_bucket: object => `arn:aws:s3:::${object.get('bucket_prefix')}1`,
  aws_sns_platform_application: object => `arn:aws:sns:${PLACE}:app/${object.get('platform')}/${object.get('name')}`,
};

function planChange(request) {
  const fields = read(request);
  const type = fields[1].toString();
  const proposed = unpack(Buffer.from(read(fields[3])[1]));
  const planned = proposed instanceof Map ? plan(schema.resources[type], proposed) : proposed;
  if (planned && ARNS[type]) planned.set('arn', ARNS[type](planned));
  return bytes(1, bytes(1, pack(planned)));
}

const methods = {
  GetProviderSchema: providerSchema,
  ValidateProviderConfig: () => Buffer.alloc(0),
  ValidateResourceConfig: () => Buffer.alloc(0),
  ConfigureProvider: () => Buffer.alloc(0),
  PlanResourceChange: planChange,
  StopProvider: () => Buffer.alloc(0),
};

// ---- gRPC ---------------------------------------------------------------------------------

function answer(stream, path, request) {
  const method = methods[path.replace('/tfplugin6.Provider/', '')];
  const headers = { ':status': 200, 'content-type': 'application/grpc+proto' };
  if (!method) {
    stream.respond({ ...headers, 'grpc-status': UNIMPLEMENTED }, { endStream: true });
    return;
  }
  const message = method(request.subarray(5));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.respond(headers, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([prefix, message]));
}

const server = http2.createServer();
server.on('stream', (stream, headers) => {
  const chunks = [];
  stream.on('error', () => {});
  // A stream that nobody here serves may never end: it is refused at once.
  if (!headers[':path'].startsWith('/tfplugin6.Provider/')) {
    answer(stream, headers[':path']);
    return;
  }
  stream.on('data', chunk => chunks.push(chunk));
  stream.on('end', () => answer(stream, headers[':path'], Buffer.concat(chunks)));
});
server.listen(0, '127.0.0.1', () => {
  const provider = {
    Protocol: 'grpc',
    ProtocolVersion: 6,
    Pid: process.pid,
    Test: true,
    Addr: { Network: 'tcp', String: `127.0.0.1:${server.address().port}` },
  };
  process.stdout.write(`${JSON.stringify({ [ADDRESS]: provider })}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume(); // whoever started it has gone
