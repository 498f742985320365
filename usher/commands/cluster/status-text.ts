// The cluster as text that a person can read: servers with their load, streams with their trees. Pure.

import { type Paint, PLAIN } from '../../../network/command/paint.ts';
import { tableLines } from '../../../network/command/table.ts';
import { isAlive } from '../../../network/state/liveness.ts';
import type { KnownServer, Snapshot } from '../../../network/state/state.ts';
import { treeText, viewersOf } from '../streams/tree-text.ts';
import { drainTexts } from './drain-text.ts';

/** What is shown at most: a cluster of thousands is for the eyes of programs. */
const MAX_SERVERS = 100;
const MAX_STREAMS = 20;
const BAR = 10;
/** Of its egress, from where a server stands out. */
const HOT = 0.9;

export function statusText(snapshot: Snapshot, paint: Paint = PLAIN): string {
  const drains = drainTexts(snapshot).join('\n');
  const streams = streamTexts(snapshot, paint);
  const parts = [summary(snapshot), serverTable(snapshot, paint), drains, ...streams];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function summary(snapshot: Snapshot): string {
  const { servers, streams, planTerm } = snapshot;
  const living = servers.filter(({ beatAtMs }) => isAlive(beatAtMs, snapshot));
  const dead = servers.length - living.length;
  const viewers = sum(living.flatMap(({ holdings }) => holdings.map((held) => held.viewers)));
  const vodViewers = sum(living.map((server) => server.vodViewers ?? 0));
  const ofRecordings = vodViewers > 0 ? `, ${vodViewers} of recordings` : '';
  const counts = `${count(servers.length, 'server')}${dead > 0 ? ` (${dead} dead)` : ''}, ${count(streams.length, 'stream')}, ${count(viewers, 'viewer')}${ofRecordings}`;
  return `${counts}, ${planTerm === 0 ? 'no plan yet' : `plan of term ${planTerm}`}`;
}

function serverTable(snapshot: Snapshot, paint: Paint): string {
  const shown = snapshot.servers.slice(0, MAX_SERVERS);
  if (shown.length === 0) return '';
  const head = ['SERVER', 'SITE', 'ROLES', 'EGRESS', '', 'VIEWERS', 'FEEDS', ''];
  const rows = [head, ...shown.map((server) => serverRow(snapshot, server, paint))];
  const lines = tableLines(rows, [4, 5, 6]);
  return [...lines, ...more(snapshot.servers.length, MAX_SERVERS)].join('\n');
}

function serverRow(snapshot: Snapshot, server: KnownServer, paint: Paint): string[] {
  const { id, site, roles, sentMbps, egressMbps, holdings, vodViewers = 0, drain, beatAtMs } = server;
  const silentS = Math.round((snapshot.nowMs - beatAtMs) / 1000);
  const dead = !isAlive(beatAtMs, snapshot) && `dead: silent for ${silentS} s`;
  const load = egressMbps > 0 ? sentMbps / egressMbps : 1;
  return [
    id,
    site,
    roles.join(', '),
    paint[load > HOT ? 'red' : 'green'](bar(load)),
    `${Math.round(sentMbps)}/${Math.round(egressMbps)} Mbps`,
    String(sum(holdings.map(({ viewers }) => viewers)) + vodViewers),
    String(holdings.length),
    dead ? paint.red(dead) : drain ? paint.yellow('drains') : '',
  ];
}

function bar(share: number): string {
  const full = Math.min(BAR, Math.max(0, Math.round(share * BAR)));
  return '█'.repeat(full) + '░'.repeat(BAR - full);
}

/** Those with the most viewers first. */
function streamTexts(snapshot: Snapshot, paint: Paint): string[] {
  const ranked = snapshot.streams.map((stream) => ({ stream, viewers: viewersOf(snapshot, stream.name) }));
  ranked.sort((one, other) => other.viewers - one.viewers || (one.stream.name < other.stream.name ? -1 : 1));
  const texts = ranked.slice(0, MAX_STREAMS).map(({ stream }) => treeText(snapshot, stream, paint));
  return [...texts, ...more(snapshot.streams.length, MAX_STREAMS)];
}

function more(all: number, shown: number): string[] {
  return all > shown ? [`and ${all - shown} more, which --json has`] : [];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
