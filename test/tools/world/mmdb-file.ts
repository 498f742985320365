// Writes a database of addresses (MaxMind DB format 2.0), for tests: an IPv6 tree, IPv4 below ::/96.

import { parsePrefix } from '../../../network/map/address.ts';

export type MmdbValue = string | number | readonly MmdbValue[] | { readonly [key: string]: MmdbValue };

/** Prefixes that do not overlap, with what is known of each. Numbers with a fraction become doubles, others 32 bits. */
export function mmdbFile(type: string, records: Readonly<Record<string, MmdbValue>>): Buffer {
  const data: Buffer[] = [];
  let offset = 0;
  /** A record is the number of the next node, the place of data as `-1 - offset`, or undefined for nothing. */
  const nodes: (number | undefined)[][] = [[undefined, undefined]];
  for (const [prefix, value] of Object.entries(records)) {
    const encoded = encode(value);
    insert(nodes, bitsOf(prefix), -1 - offset);
    data.push(encoded);
    offset += encoded.length;
  }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_780_000_000,
    database_type: type,
    description: { en: 'for tests' },
    ip_version: 6,
    languages: ['en'],
    node_count: nodes.length,
    record_size: 24,
  });
  const marker = Buffer.from('abcdef4d61784d696e642e636f6d', 'hex');
  return Buffer.concat([treeOf(nodes), Buffer.alloc(16), ...data, marker, metadata]);
}

function bitsOf(prefix: string): string {
  const { first, last } = parsePrefix(prefix)!;
  const binary = (words: readonly number[]): string =>
    words
      .map((word) => word.toString(2).padStart(32, '0'))
      .join('')
      .padStart(128, '0');
  const [from, to] = [binary(first), binary(last)];
  const differing = [...from].findIndex((bit, index) => bit !== to[index]);
  return differing < 0 ? from : from.slice(0, differing);
}

function insert(nodes: (number | undefined)[][], bits: string, leaf: number): void {
  let node = 0;
  for (const bit of bits.slice(0, -1)) {
    const next = nodes[node]![Number(bit)] ?? nodes.push([undefined, undefined]) - 1;
    nodes[node]![Number(bit)] = next;
    node = next;
  }
  nodes[node]![Number(bits.at(-1))] = leaf;
}

function treeOf(nodes: readonly (readonly (number | undefined)[])[]): Buffer {
  const tree = Buffer.alloc(nodes.length * 6);
  for (const [index, record] of nodes.flat().entries()) {
    const value = record === undefined ? nodes.length : record < 0 ? nodes.length + 15 - record : record;
    tree.writeUIntBE(value, index * 3, 3);
  }
  return tree;
}

function encode(value: MmdbValue): Buffer {
  if (typeof value === 'string')
    return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)]);
  if (typeof value === 'object') {
    const entries = Object.entries(value);
    return Buffer.concat([
      control(7, entries.length),
      ...entries.flatMap(([key, inner]) => [encode(key), encode(inner)]),
    ]);
  }
  const bytes = Buffer.alloc(Number.isInteger(value) ? 4 : 8);
  if (bytes.length === 4) bytes.writeUInt32BE(value as number);
  else bytes.writeDoubleBE(value as number);
  return Buffer.concat([control(bytes.length === 4 ? 6 : 3, bytes.length), bytes]);
}

function control(type: number, size: number): Buffer {
  const [first, ...extended] = type > 7 ? [0, type - 7] : [type << 5];
  return size < 29
    ? Buffer.from([first! | size, ...extended])
    : Buffer.from([first! | 29, ...extended, size - 29]);
}
