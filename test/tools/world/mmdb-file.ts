// Writes a database of addresses (MaxMind DB format 2.0), for tests.

import { parsePrefix } from '../../../network/map/address.ts';

export type MmdbValue =
  | string
  | number
  | readonly MmdbValue[]
  | { readonly [key: string]: MmdbValue }
  /** An encoded value, as it is. */
  | Uint8Array;

export interface MmdbLayout {
  /** In the tree for IPv6, IPv4 is below ::/96. */
  readonly ipVersion?: 4 | 6;
  /** Bits of each record of the tree. */
  readonly recordSize?: 24 | 28 | 32;
  /** Behind the others. */
  readonly metadata?: Readonly<Record<string, MmdbValue>>;
}

/** Prefixes that do not overlap, with what is known of each. Numbers with a fraction become doubles, others 32 bits. */
export function mmdbFile(
  type: string,
  records: Readonly<Record<string, MmdbValue>>,
  { ipVersion = 6, recordSize = 24, metadata: more = {} }: MmdbLayout = {},
): Buffer {
  const data: Buffer[] = [];
  let offset = 0;
  /** A record is the number of the next node, the place of data as `-1 - offset`, or undefined for nothing. */
  const nodes: (number | undefined)[][] = [[undefined, undefined]];
  for (const [prefix, value] of Object.entries(records)) {
    const encoded = encode(value);
    insert(nodes, bitsOf(prefix, ipVersion), -1 - offset);
    data.push(encoded);
    offset += encoded.length;
  }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_780_000_000,
    database_type: type,
    description: { en: 'for tests' },
    ip_version: ipVersion,
    languages: ['en'],
    node_count: nodes.length,
    record_size: recordSize,
    ...more,
  });
  const marker = Buffer.from('abcdef4d61784d696e642e636f6d', 'hex');
  return Buffer.concat([treeOf(nodes, recordSize), Buffer.alloc(16), ...data, marker, metadata]);
}

/** A pointer (format 2.0, "Data Field Format") to a place in the data, or in the metadata, below 2048. */
export function pointerTo(place: number): Uint8Array {
  return Uint8Array.of(0x20 | (place >> 8), place & 0xff);
}

function bitsOf(prefix: string, ipVersion: 4 | 6): string {
  const { first, last } = parsePrefix(prefix)!;
  const binary = (words: readonly number[]): string =>
    words
      .map((word) => word.toString(2).padStart(32, '0'))
      .join('')
      .padStart(ipVersion === 4 ? 32 : 128, '0');
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

function treeOf(nodes: readonly (readonly (number | undefined)[])[], recordSize: 24 | 28 | 32): Buffer {
  const written = (record: number | undefined): string => {
    const value = record === undefined ? nodes.length : record < 0 ? nodes.length + 15 - record : record;
    return value.toString(16).padStart(recordSize / 4, '0');
  };
  return Buffer.concat(
    nodes.map(([left, right]) => Buffer.from(nodeText(written(left), written(right), recordSize), 'hex')),
  );
}

/** Of 28 bits, the highest four of both records are in the byte between them. */
function nodeText(left: string, right: string, recordSize: number): string {
  if (recordSize !== 28) return left + right;
  return `${left.slice(1)}${left[0]}${right}`;
}

function encode(value: MmdbValue): Buffer {
  if (typeof value === 'string')
    return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.from(value);
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
