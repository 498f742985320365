// The tree of the stream that is watched most, as it is at one moment.

import type { Copy } from '../world/copy.ts';
import type { Stream } from '../world/stream.ts';
import type { Tree, TreeCopy } from './result.ts';

export function treeOf(stream: Stream, second: number, nowMs: number): Tree {
  const roots = [...stream.copies].filter(({ parent }) => !parent).sort(byServer);
  const copies: TreeCopy[] = [];
  for (const root of roots) addBelow(copies, root, -1, nowMs);
  return { second, stream: stream.name, copies };
}

function addBelow(copies: TreeCopy[], copy: Copy, parent: number, nowMs: number): void {
  const place = copies.length;
  const { server, viewers, readyAtMs } = copy;
  const percent = Math.round(server.card.utilisation * 100);
  copies.push({ server: server.id, parent, viewers, isReady: readyAtMs <= nowMs, percent });
  for (const child of [...copy.children].sort(byServer)) addBelow(copies, child, place, nowMs);
}

function byServer(one: Copy, other: Copy): number {
  return one.server.index - other.server.index;
}
