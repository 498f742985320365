// All streams as a list, those with the most viewers first. Pure.

import { type Paint, PLAIN } from '../../../network/command/paint.ts';
import { tableLines } from '../../../network/command/table.ts';
import { isAlive } from '../../../network/state/liveness.ts';
import type { Snapshot, StreamRecord } from '../../../network/state/state.ts';

/** A stream in one line. */
export interface StreamRow {
  readonly name: string;
  readonly live: boolean;
  readonly startedAtMs: number;
  readonly viewers: number;
  /** Viewers that begin to watch it, per second, of late. */
  readonly arrivalsPerS: number;
  /** How many hold it. */
  readonly servers: number;
  /** Id of its origin. */
  readonly origin: string;
  readonly renditions: readonly { readonly name: string; readonly mbps: number }[];
}

export function streamRows(snapshot: Snapshot): StreamRow[] {
  const rows = snapshot.streams.map((stream) => rowOf(snapshot, stream));
  return rows.sort((one, other) => other.viewers - one.viewers || (one.name < other.name ? -1 : 1));
}

function rowOf(snapshot: Snapshot, stream: StreamRecord): StreamRow {
  const { name, live, startedAtMs, origin, renditions } = stream;
  const living = snapshot.servers.filter(({ beatAtMs }) => isAlive(beatAtMs, snapshot));
  const held = living.map(({ holdings }) => holdings.filter((holding) => holding.stream === name));
  const all = held.flat();
  return {
    name,
    live,
    startedAtMs,
    viewers: all.reduce((sum, { viewers }) => sum + viewers, 0),
    arrivalsPerS: Number(all.reduce((sum, { arrivalsPerS }) => sum + arrivalsPerS, 0).toFixed(2)),
    servers: held.filter((holdings) => holdings.length > 0).length,
    origin,
    renditions: renditions.map((rendition) => ({
      name: rendition.name,
      mbps: Number((rendition.averageBps / 1e6).toFixed(3)),
    })),
  };
}

const HEAD = ['STREAM', 'STATE', 'VIEWERS', 'NEW/S', 'SERVERS', 'ORIGIN', 'RENDITIONS'];

export function streamsText(rows: readonly StreamRow[], paint: Paint = PLAIN): string {
  if (rows.length === 0) return 'nobody publishes\n';
  const cells = rows.map((row) => [
    paint.bold(row.name),
    row.live ? paint.green('live') : paint.yellow('waits'),
    String(row.viewers),
    row.arrivalsPerS.toFixed(1),
    String(row.servers),
    row.origin,
    row.renditions.map(({ name, mbps }) => `${name} ${mbps.toFixed(1)} Mbps`).join(', '),
  ]);
  return `${tableLines([HEAD, ...cells], [2, 3, 4]).join('\n')}\n`;
}
