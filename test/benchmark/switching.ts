// What a player sees of every kind of source that is made to change its rendition every 5 s: Chromium with hls.js as it comes.

import type { Browser } from 'playwright-core';
import { TestCluster, until } from '../tools/cluster/test-cluster.ts';
import { avMarks, greatestOffsetMs } from '../tools/media/av-offset.ts';
import { writeFlvFile } from '../tools/media/flv-file.ts';
import { SOURCE_KINDS, type SourceKind, sourceOf } from '../tools/media/source-kinds.ts';
import { FileBroadcast } from '../tools/rtmp/file-broadcast.ts';
import { launchChromium } from '../tools/viewers/chromium.ts';
import { heldMedia } from '../tools/viewers/held-media.ts';
import { readMultivariant } from '../tools/viewers/read-multivariant.ts';
import { type SwitchingFigures, watchSwitching } from '../tools/viewers/switching-page.ts';
import { type Report, table } from './report.ts';

const LADDER = ['90p30', '46p30'];
/** The farm has a server of its own: one that serves viewers too gives up rungs when its process waits for the CPU. */
const SERVERS = {
  o: { site: 'fra1', roles: ['origin', 'edge'] as const },
  w: {
    site: 'fra1',
    roles: ['transcoder'] as const,
    transcode: { preset: 'ultrafast', slots: 16, nice: 0 },
  },
};
const STREAMS = SOURCE_KINDS.map(streamOf);
const EVERY_MS = 5_000;
/** Until a stream plays, and afterwards. */
const AROUND_S = 20;
/** So many browsers and encoders one machine has room for. */
const AT_A_TIME = 3;

export async function benchmarkSwitching({
  minutes,
  only,
}: {
  readonly minutes: number;
  readonly only: string;
}): Promise<Report> {
  const usherConfig = { transcode: { ladder: LADDER } };
  await using cluster = await TestCluster.start({
    servers: SERVERS,
    ushers: ['u'],
    usherConfig,
    streams: STREAMS,
  });
  const browser = await launchChromium();
  const kinds = SOURCE_KINDS.filter((kind) => kind.includes(only));
  const findings: Finding[] = [];
  while (kinds.length > 0) {
    const some = kinds.splice(0, AT_A_TIME);
    findings.push(...(await Promise.all(some.map((kind) => watch(cluster, browser, kind, minutes * 60)))));
  }
  await browser.close();
  return { data: findings, text: textOf(findings, minutes) };
}

interface Finding {
  readonly kind: SourceKind;
  readonly figures: SwitchingFigures;
  /** The furthest that a beep is from its flash in any rendition, beyond the source's own, ms. */
  readonly offsetMs: number;
}

async function watch(
  cluster: TestCluster,
  browser: Browser,
  kind: SourceKind,
  seconds: number,
): Promise<Finding> {
  const stream = streamOf(kind);
  const flv = writeFlvFile(sourceOf(kind, seconds + AROUND_S));
  await using _ = new FileBroadcast(cluster.publishUrl('o', stream), flv);
  const url = `${cluster.usher('u').url}/live/${stream}.m3u8`;
  const rungs = kind === 'no picture' ? [] : LADDER;
  const variants = async () => {
    const answer = await fetch(url);
    return answer.ok ? readMultivariant(await answer.text()).variants : [];
  };
  await until(
    () => `the renditions of ${kind} are listed`,
    async () => {
      const listed = (await variants()).map((variant) => variant.url);
      return listed.length > 0 && rungs.every((name) => listed.some((one) => one.includes(`/${name}/`)));
    },
  );
  const times = Math.max(1, Math.round((seconds * 1000) / EVERY_MS));
  const figures = await watchSwitching(browser, url, { everyMs: EVERY_MS, times });
  return { kind, figures, offsetMs: await offsetOf((await variants()).map((variant) => variant.url)) };
}

function streamOf(kind: SourceKind): string {
  return `kind-${SOURCE_KINDS.indexOf(kind)}`;
}

/** Of the renditions beyond the source's. */
async function offsetOf(playlistUrls: readonly string[]): Promise<number> {
  const [source = [], ...rungs] = await Promise.all(
    playlistUrls.map(async (url) => avMarks(await heldMedia(url))),
  );
  return Math.max(0, ...rungs.map((rung) => greatestOffsetMs(source, rung)));
}

function textOf(findings: readonly Finding[], minutes: number): string {
  const head = [
    ...['source', 'switches', 'stalls', 'stood still', 'leapt', 'holes', 'longest frame', 'dropped'],
    ...['late answers', 'errors', 'sound and picture, beyond the source'],
  ];
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  const rows = findings.map(({ kind, figures, offsetMs }) => [
    kind,
    ...[figures.switches, figures.stalls].map(String),
    ...[figures.stoodMs, figures.leaptMs].map(ms),
    String(figures.holes),
    ms(figures.longestFrameMs),
    `${figures.framesDropped} of ${figures.framesShown}`,
    String(figures.lateAnswers),
    figures.errors.join(' ') || '-',
    ms(offsetMs),
  ]);
  return `hls.js in Chromium, another rendition every ${EVERY_MS / 1000} s for ${minutes} min\n\n${table(head, rows)}`;
}
