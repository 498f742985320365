// Changes of MP4 (ISO/IEC 14496-12 4.2) after which each box is still as long as its header says.

import type { Dice } from '../../../usher/simulator/dice.ts';
import { changeBytes, changeOrder, type FormatChange, repeatedly, type Stock } from '../mutate.ts';

interface Node {
  /** Empty for bytes that are no box. */
  readonly type: string;
  /** Behind the header, and before the boxes inside if there are any. */
  readonly own: Uint8Array;
  readonly inner: readonly Node[];
}

export const changeBoxes: FormatChange = (input, times, dice, stock) =>
  written(repeatedly(nodesIn(input), times, (nodes) => dice.pick(CHANGES)(nodes, dice, stock)));

type Change = (nodes: readonly Node[], dice: Dice, stock: Stock) => readonly Node[];

const CHANGES: readonly Change[] = [
  (nodes, dice, stock) =>
    inOne(nodes, dice, (node) => ({ ...node, own: changeBytes(node.own, dice, stock) })),
  (nodes, dice, { words }) =>
    inOne(nodes, dice, (node) => ({ ...node, type: typeIn(words, dice) ?? node.type })),
  (nodes, dice, { pick }) =>
    inFamily(nodes, dice, (family) => changeOrder(family, dice, () => familyOf(nodesIn(pick()), dice))),
];

/** Boxes that hold boxes, and how many bytes lie before those. */
const CONTAINERS: Readonly<Record<string, number>> = {
  ...{ moov: 0, trak: 0, mdia: 0, minf: 0, dinf: 0, stbl: 0, mvex: 0, moof: 0, traf: 0, stsd: 8, dref: 8 },
  ...{ avc1: 78, hvc1: 78, av01: 78, vp09: 78 },
  ...{ mp4a: 28, Opus: 28, fLaC: 28, 'ac-3': 28, 'ec-3': 28 },
};
const HEADER_BYTES = 8;
const TYPE_BYTES = 4;

function inOne(nodes: readonly Node[], dice: Dice, change: (node: Node) => Node): readonly Node[] {
  return inFamily(nodes, dice, (family) => {
    const at = dice.upTo(family.length);
    return family.with(at, change(family[at]!));
  });
}

/** Changes the boxes at the top, or those inside of one of them, however deep. */
function inFamily(
  nodes: readonly Node[],
  dice: Dice,
  change: (family: readonly Node[]) => readonly Node[],
): readonly Node[] {
  const parents = nodes.flatMap(({ inner }, at) => (inner.length > 0 ? [at] : []));
  if (nodes.length === 0) return nodes;
  if (parents.length === 0 || dice.upTo(4) === 0) return change(nodes);
  const at = dice.pick(parents);
  return nodes.with(at, { ...nodes[at]!, inner: inFamily(nodes[at]!.inner, dice, change) });
}

/** Those from which one is taken. */
function familyOf(nodes: readonly Node[], dice: Dice): readonly Node[] {
  let found = nodes;
  inFamily(nodes, dice, (family) => {
    found = family;
    return family;
  });
  return found;
}

function typeIn(words: readonly Uint8Array[], dice: Dice): string | undefined {
  const types = words.filter(({ length }) => length === TYPE_BYTES);
  return types.length === 0 ? undefined : latin1(dice.pick(types));
}

function nodesIn(bytes: Uint8Array): readonly Node[] {
  const nodes: Node[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = sizeAt(bytes, at);
    if (size === undefined) return [...nodes, { type: '', own: bytes.subarray(at), inner: [] }];
    nodes.push(
      nodeOf(
        latin1(bytes.subarray(at + TYPE_BYTES, at + HEADER_BYTES)),
        bytes.subarray(at + HEADER_BYTES, at + size),
      ),
    );
    at += size;
  }
  return nodes;
}

function nodeOf(type: string, body: Uint8Array): Node {
  const ownBytes = CONTAINERS[type] ?? body.length;
  return { type, own: body.subarray(0, ownBytes), inner: nodesIn(body.subarray(ownBytes)) };
}

/** Undefined where there is no whole box. */
function sizeAt(bytes: Uint8Array, at: number): number | undefined {
  if (bytes.length - at < HEADER_BYTES) return undefined;
  const size = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32BE(at);
  return size >= HEADER_BYTES && at + size <= bytes.length ? size : undefined;
}

function written(nodes: readonly Node[]): Uint8Array {
  const bytes = Buffer.alloc(sizeOf(nodes));
  writeAt(bytes, 0, nodes);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function sizeOf(nodes: readonly Node[]): number {
  return nodes.reduce(
    (sum, { type, own, inner }) => sum + (type === '' ? 0 : HEADER_BYTES) + own.length + sizeOf(inner),
    0,
  );
}

/** Returns where they end. */
function writeAt(bytes: Buffer, start: number, nodes: readonly Node[]): number {
  let at = start;
  for (const { type, own, inner } of nodes) {
    const body = type === '' ? at : at + HEADER_BYTES;
    bytes.set(own, body);
    const end = writeAt(bytes, body + own.length, inner);
    if (type !== '') {
      bytes.writeUInt32BE(end - at, at);
      bytes.write(type, at + TYPE_BYTES, 'latin1');
    }
    at = end;
  }
  return at;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
