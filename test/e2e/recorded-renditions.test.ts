// A broadcast of which renditions are made, recorded with them, and played as VOD.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { ScratchFolder } from '../tools/world/scratch-folder.ts';

const run = promisify(execFile);

let scratch: ScratchFolder;
let server: ServerProcess;

/** The media playlists of a recording, by rendition, and what each variant says of itself. */
async function playlists(): Promise<Map<string, { inf: string; url: string; text: string }>> {
  const answer = await fetch(`${server.url}/api/streams/alice/recordings`);
  const { recordings } = (await answer.json()) as { recordings: { url: string }[] };
  if (recordings.length === 0) return new Map();
  const lines = (await (await fetch(server.url + recordings[0]!.url)).text()).split('\n');
  const found = lines.flatMap((inf, at) => {
    const name = /STABLE-VARIANT-ID="([^"]+)"/.exec(inf)?.[1];
    return name === undefined ? [] : [{ name, inf, url: lines[at + 1]! }];
  });
  const texts = await Promise.all(found.map(async ({ url }) => (await fetch(url)).text()));
  return new Map(found.map(({ name, inf, url }, at) => [name, { inf, url, text: texts[at]! }]));
}

beforeAll(async () => {
  scratch = await ScratchFolder.make();
  const file = join(scratch.path, 'headwater.yaml');
  writeFileSync(
    file,
    'roles: [origin, edge, transcoder]\ntranscode: {ladder: [90p15, audio], preset: ultrafast}\narchive: {renditions: all, pictures: false}\npublish: {graceS: 0}\n',
  );
  server = await ServerProcess.start(['--no-sample', '--data', scratch.path, '--config', file]);
});
afterAll(async () => {
  await server?.end('SIGTERM');
  await scratch?.[Symbol.asyncDispose]();
});

test('all renditions are listed, the source first, with the same segments at the same times, and play', async () => {
  const recordedOf = async (rung: string): Promise<number> => {
    const text = (await playlists()).get(rung)?.text ?? '';
    return text.match(new RegExp(`^\\.\\./${rung}`, 'gm'))?.length ?? 0;
  };
  const broadcaster = new Broadcaster(`${server.rtmpUrl}/alice`);
  await expect.poll(() => recordedOf('90p15')).toBeGreaterThan(2);
  await expect.poll(() => recordedOf('audio')).toBeGreaterThan(1);
  await broadcaster[Symbol.asyncDispose]();
  await expect.poll(async () => (await playlists()).get('90p15')?.text).toContain('ENDLIST');
  const all = await playlists();
  expect([...all.keys()]).toEqual(['source', '90p15', 'audio']);
  expect(all.get('90p15')!.inf).toContain('RESOLUTION=160x90');
  const timesOf = (name: string): string[] =>
    all.get(name)!.text.match(/^#EXTINF:.*|^#EXT-X-MEDIA-SEQUENCE.*/gm)!;
  expect(timesOf('90p15').slice(0, -1)).toEqual(timesOf('source').slice(0, -1));
  // Of the last two frames of the source half the rate may have had one only.
  const lengthOf = (name: string): number => Number(/[\d.]+/.exec(timesOf(name).at(-1)!)![0]);
  expect(Math.abs(lengthOf('90p15') - lengthOf('source'))).toBeLessThanOrEqual(1 / 15);
  expect(timesOf('audio')).toHaveLength(timesOf('source').length);
  for (const name of ['source', '90p15']) {
    const { stderr } = await run('ffmpeg', ['-v', 'error', '-i', all.get(name)!.url, '-f', 'null', '-']);
    expect(stderr).toBe('');
  }
});
