// What becomes of viewers while the network between the sites of a cluster does what networks do, and its names, clocks, disks and code fail.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { json } from 'node:stream/consumers';
import { namespacesMissing } from '../../tools/world/namespaces.ts';
import { type Report, table } from '../report.ts';
import type { BenchmarkOptions } from '../run.ts';
import { FAULTS } from './network-faults.ts';
import { type Finding, LASTS_MS, Stage } from './stage.ts';

/** Runs once more in namespaces of its own, where nothing of this machine's network can be hurt. */
export async function benchmarkNetwork({ only }: Pick<BenchmarkOptions, 'only'>): Promise<Report> {
  const why = namespacesMissing();
  if (why) return { data: { missing: why }, text: `Nothing was measured: ${why}.\n` };
  if (process.env['HEADWATER_BENCHMARK'] === 'inside') {
    const data = await watchAll(only);
    return { data, text: textOf(data) };
  }
  const isolated = ['--net', '--mount', '--fork', '--kill-child', process.execPath];
  const child = spawn('unshare', [...isolated, ...process.argv.slice(1), '--json'], {
    env: { ...process.env, HEADWATER_BENCHMARK: 'inside' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [data] = await Promise.all([json(child.stdout) as Promise<Finding[]>, once(child, 'exit')]);
  return { data, text: textOf(data) };
}

async function watchAll(only: string): Promise<readonly Finding[]> {
  await using stage = await Stage.set();
  const findings: Finding[] = [];
  for (const fault of FAULTS.filter(({ name }) => name.includes(only))) {
    console.error(fault.name);
    findings.push(await stage.watch(fault));
  }
  return findings;
}

function textOf(findings: readonly Finding[]): string {
  const head = [
    `what happens for ${LASTS_MS / 1000} s`,
    'player stalled',
    'progressive stalled',
    'longest gap',
    'chunks lost',
    'LL-HLS parts',
    'recording',
    'whole after',
    'what servers say',
  ];
  const rows = findings.map((finding) => [
    finding.fault,
    playerText(finding),
    seconds(finding.stalledMs),
    `${finding.longestGapMs.toFixed(0)} ms`,
    String(finding.lost),
    finding.hlsMissing + finding.hlsFailures === 0
      ? 'all there'
      : `${finding.hlsMissing} missing, ${finding.hlsFailures} requests failed`,
    finding.unrecorded === 0 ? 'whole' : `${finding.unrecorded} segments missing`,
    finding.wholeAfterMs === null ? 'not in a minute' : seconds(finding.wholeAfterMs),
    finding.said.join('; ') || 'nothing',
  ]);
  return `${CAPTION}\n\n${table(head, rows)}`;
}

function playerText({ player, playsOn }: Finding): string {
  if (!player) return 'no Chromium';
  const what = [...player.errors, ...(playsOn ? [] : ['stands still'])];
  return [seconds(player.stalledMs), ...what].join(', ');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

const CAPTION = `An origin and an edge are in one site, two edges in another, two ushers and Redis elsewhere, each site in a network namespace of its
own. _Player_ is hls.js as it comes, in Chromium, at an edge of the second site: seconds in which the video had nothing to play, by its own
events. _Progressive_ is the worst of a viewer on every edge who has a second in hand; the longest gap and the chunks lost are
theirs. _LL-HLS parts_ counts chunks in parts that a playlist did not list any more when a player came back, who gets them as whole
segments. _Whole after_ counts from when the fault is over until every edge follows its planned parent.`;
