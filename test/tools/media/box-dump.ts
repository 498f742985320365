// Boxes as readable text: one line each, indented, with the bytes of those that hold no others.

import { type Box, readBoxes, viewOf } from '../../../network/media/boxes.ts';

/** Boxes that hold boxes, and how many bytes lie before those. */
const CONTAINERS: Readonly<Record<string, number>> = {
  moov: 0,
  trak: 0,
  mdia: 0,
  minf: 0,
  dinf: 0,
  stbl: 0,
  mvex: 0,
  moof: 0,
  traf: 0,
  dref: 8,
  stsd: 8,
  avc1: 78,
  mp4a: 28,
};

export function dumpBoxes(bytes: Uint8Array): string {
  const view = viewOf(bytes);
  return [...readBoxes(view)].map((box) => dumpBox(view, box, '')).join('');
}

function dumpBox(view: DataView, box: Box, indent: string): string {
  const { type, start, body, end } = box;
  const skipped = CONTAINERS[type];
  const own = hex(view, body, skipped === undefined ? end : body + skipped);
  const line = `${`${indent}${type} ${end - start}  ${own}`.trimEnd()}\n`;
  if (skipped === undefined) return line;
  const inner = [...readBoxes(view, body + skipped, end)].map((child) => dumpBox(view, child, `${indent}  `));
  return line + inner.join('');
}

/** In groups of four bytes, a run of zeros as its length. */
function hex(view: DataView, start: number, end: number): string {
  const digits = Buffer.from(view.buffer, view.byteOffset + start, end - start).toString('hex');
  const groups = digits.match(/.{1,8}/g) ?? [];
  return groups.join(' ').replace(/00000000( 00000000)+/g, (run) => `0x${(run.length + 1) / 9}`);
}
