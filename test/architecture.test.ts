// Holds the layout in place: who may import whom, which file is the door to what, which files are pure.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

const FOLDERS = ['network', 'origin', 'edge', 'transcoder', 'usher'];
const ROOT = join(import.meta.dirname, '..');

/** Which folders each folder may import from, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  network: [],
  origin: ['network'],
  edge: ['network'],
  transcoder: ['network'],
  usher: ['network'],
};

/** What only one file touches: a package or module, or words in the code. */
const DOORS: readonly { readonly outside: string; readonly pattern: RegExp; readonly door: string }[] = [
  { outside: 'node:http', pattern: /from 'node:http2?'/, door: 'network/http/listener.ts' },
  { outside: 'node:crypto', pattern: /from 'node:crypto'/, door: 'network/hash.ts' },
  { outside: 'ioredis', pattern: /from 'ioredis'/, door: 'network/state/redis/redis-client.ts' },
  { outside: 'names of hosts', pattern: /from 'node:dns'/, door: 'network/http/resolve.ts' },
  { outside: 'undici', pattern: /from 'undici'/, door: 'network/http/dial.ts' },
  { outside: 's3mini', pattern: /from 's3mini'/, door: 'network/archive/storage-s3.ts' },
  { outside: 'pino', pattern: /from 'pino'/, door: 'network/logger.ts' },
  { outside: 'prom-client', pattern: /from 'prom-client'/, door: 'network/metrics.ts' },
  { outside: 'openid-client', pattern: /from 'openid-client'/, door: 'usher/operators/oidc.ts' },
  { outside: 'yaml', pattern: /from 'yaml'/, door: 'network/config/yaml.ts' },
  { outside: 'zod', pattern: /from 'zod'/, door: 'network/config/yaml.ts' },
  {
    outside: 'zod-openapi',
    pattern: /from 'zod-openapi'/,
    door: 'network/openapi/openapi.ts',
  },
  { outside: 'maxmind', pattern: /from 'maxmind'/, door: 'network/map/mmdb.ts' },
  { outside: 'ipaddr.js', pattern: /from 'ipaddr.js'/, door: 'network/map/address.ts' },
  { outside: 'forwarded-parse', pattern: /from 'forwarded-parse'/, door: 'network/map/client-address.ts' },
  {
    outside: 'asynchronous context',
    pattern: /from 'node:async_hooks'/,
    door: 'network/trace/current-trace.ts',
  },
  { outside: "V8's flags", pattern: /setFlagsFromString/, door: 'network/process/garbage.ts' },
  { outside: 'threads', pattern: /from 'node:worker_threads'/, door: 'network/process/thread.ts' },
  {
    outside: 'other programs',
    pattern: /import \{[^}]*\b(?:spawn|exec)\w*\b[^}]*\} from 'node:child_process'/,
    door: 'transcoder/ffmpeg/ffmpeg.ts',
  },
  {
    outside: 'processes of this program',
    pattern: /import \{[^}]*\bfork\b[^}]*\} from 'node:child_process'/,
    door: 'network/workers/worker-process.ts',
  },
  { outside: 'tinyqueue', pattern: /from 'tinyqueue'/, door: 'usher/simulator/world/events.ts' },
  { outside: 'node-media-server', pattern: /from 'node-media-server|require\(/, door: 'origin/rtmp/rtmp.ts' },
  { outside: 'commander', pattern: /from 'commander'/, door: 'network/command/program.ts' },
  { outside: 'picocolors', pattern: /from 'picocolors'/, door: 'network/command/terminal.ts' },
  { outside: 'cli-progress', pattern: /from 'cli-progress'/, door: 'network/command/progress.ts' },
  { outside: 'd3-geo', pattern: /from 'd3-geo'/, door: 'usher/console/page/map/world.ts' },
  {
    outside: 'topojson-client',
    pattern: /from 'topojson-client'/,
    door: 'usher/console/page/map/world.ts',
  },
  { outside: 'process.env', pattern: /process\.env/, door: 'network/config/config.ts' },
  {
    outside: 'the wall clock',
    pattern: /Date\.now\(|new Date\(\)|performance\.now\(/,
    door: 'network/clock.ts',
  },
  {
    outside: 'timers',
    pattern: /(?<!session\.|socket\.)\b(?:setTimeout|setInterval|setImmediate)\(/,
    door: 'network/clock.ts',
  },
  { outside: 'dice', pattern: /Math\.random/, door: 'network/hash.ts' },
];

/** No I/O, no clock, no state of their own beyond what they are given: they import none of the doors. */
const PURE = [
  'network/config/secret-keys.ts',
  'network/config/worker.ts',
  'network/command/command.ts',
  'network/command/durations.ts',
  'network/command/exit-codes.ts',
  'network/command/paint.ts',
  'network/archive/index-file.ts',
  'network/archive/recording.ts',
  'network/archive/pictures.ts',
  'network/archive/catalogue.ts',
  'origin/archive/keeping/retention.ts',
  'origin/archive/owners/clip-range.ts',
  'origin/archive/policy.ts',
  'edge/vod/aligned.ts',
  'edge/vod/download.ts',
  'edge/vod/vod-playlist.ts',
  'network/media/boxes.ts',
  'network/media/fmp4.ts',
  'network/media/write-boxes.ts',
  'network/media/chunk.ts',
  'network/media/codec-string.ts',
  'network/media/init.ts',
  'network/map/position.ts',
  'network/map/routes/route-rows.ts',
  'network/map/routes/route-table.ts',
  'network/map/topology.ts',
  'network/map/whence.ts',
  'network/state/liveness.ts',
  'network/names.ts',
  'network/relay/admission.ts',
  'network/relay/parent-list.ts',
  'network/relay/request.ts',
  'network/relay/signal.ts',
  'network/feed/cut-times.ts',
  'network/feed/rendition.ts',
  'network/state/rungs.ts',
  'transcoder/alignment.ts',
  'transcoder/beginning.ts',
  'transcoder/ffmpeg/encoders.ts',
  'transcoder/ffmpeg/ffmpeg-args.ts',
  'transcoder/ffmpeg/fragments.ts',
  'transcoder/speed.ts',
  'transcoder/ffmpeg/tracks.ts',
  'usher/ladders.ts',
  'usher/cdn/recent.ts',
  'usher/recorded.ts',
  'usher/plan/ladder.ts',
  'usher/plan/spare-cpu.ts',
  'usher/plan/transcodes.ts',
  'usher/plan/wanted.ts',
  'network/session.ts',
  'network/trace/trace-context.ts',
  'network/media/splitter.ts',
  'network/state/lease.ts',
  'network/state/state-entries.ts',
  'network/state/state-rules.ts',
  'network/state/whereabouts.ts',
  'edge/hls/directives.ts',
  'edge/hls/playlist.ts',
  'edge/hls/segments.ts',
  'edge/progressive/place.ts',
  'origin/flv/amf.ts',
  'origin/flv/flv-file.ts',
  'origin/flv/flv.ts',
  'origin/media.ts',
  'origin/packager/audio-clock.ts',
  'origin/packager/cuts.ts',
  'origin/packager/epoch.ts',
  'origin/packager/hold.ts',
  'origin/packager/packager.ts',
  'origin/packager/timeline.ts',
  'origin/packager/video-clock.ts',
  'network/connection-limit.ts',
  'usher/placement/promises/newcomers.ts',
  'origin/rtmp/limits.ts',
  'origin/rtmp/message-types.ts',
  'origin/rtmp/publish-target.ts',
  'origin/sample/recording.ts',
  'usher/accounting.ts',
  'usher/ingests.ts',
  'usher/cdn/cdn.ts',
  'usher/multivariant.ts',
  'usher/placement/price/billing.ts',
  'usher/placement/promises/booking.ts',
  'usher/placement/cdn.ts',
  'usher/placement/price/cost.ts',
  'usher/placement/exclusion.ts',
  'usher/placement/explain.ts',
  'usher/placement/feeds.ts',
  'usher/placement/scene/crossings.ts',
  'usher/placement/scene/holders.ts',
  'usher/placement/scene/kept.ts',
  'usher/placement/scene/links.ts',
  'usher/placement/scene/loads.ts',
  'usher/placement/scene/plant.ts',
  'usher/placement/place.ts',
  'usher/placement/price/policy.ts',
  'usher/placement/promises/demand.ts',
  'usher/placement/promises/leases.ts',
  'usher/placement/promises/promises.ts',
  'usher/placement/price/quality.ts',
  'usher/placement/rendezvous.ts',
  'usher/placement/vod.ts',
  'usher/placement/request.ts',
  'usher/placement/scene/scene.ts',
  'usher/placement/search.ts',
  'usher/placement/shortlist.ts',
  'usher/placement/scene/streams.ts',
  'usher/placement/scene/uplinks.ts',
  'usher/plan/copies/balance.ts',
  'usher/plan/bookings.ts',
  'usher/plan/tree/branch.ts',
  'usher/plan/changes.ts',
  'usher/plan/cluster.ts',
  'usher/plan/demand.ts',
  'usher/plan/ground.ts',
  'usher/plan/copies/growing.ts',
  'usher/plan/copies/growth.ts',
  'usher/plan/memory.ts',
  'usher/plan/copies/offers.ts',
  'usher/plan/planning.ts',
  'usher/plan/tree/planting.ts',
  'usher/plan/prices.ts',
  'usher/plan/tree/rest.ts',
  'usher/plan/copies/shelves.ts',
  'usher/plan/copies/shrink.ts',
  'usher/plan/successors.ts',
  'usher/plan/tree/tree.ts',
  'usher/planner.ts',
  'usher/commands/cluster/drain-text.ts',
  'usher/commands/recordings/recordings-text.ts',
  'usher/commands/streams/explain-text.ts',
  'usher/commands/cluster/status-text.ts',
  'usher/commands/streams/streams-text.ts',
  'usher/commands/streams/tree-text.ts',
  'usher/console/page/events/about.ts',
  'usher/console/page/parts/format.ts',
  'usher/console/page/events/happenings.ts',
  'usher/console/page/map/labels.ts',
  'usher/console/page/map/site-load.ts',
  'usher/console/page/tree/layout.ts',
  'usher/explained/explained.ts',
  'usher/explained/words.ts',
  'usher/console/figures/cluster.ts',
  'usher/console/figures/costs.ts',
  'usher/console/figures/look.ts',
  'usher/console/figures/stream.ts',
  'usher/console/figures/tally.ts',
  'usher/console/figures/held.ts',
  'usher/console/figures/spend.ts',
  'usher/console/events/copies.ts',
  'usher/console/events/event-list.ts',
  'usher/console/events/events-between.ts',
  'usher/console/events/jobs.ts',
  'usher/console/events/servers.ts',
  'usher/console/history/curve.ts',
  'usher/console/history/history.ts',
  'usher/console/live/changes.ts',
  'usher/console/messages.ts',
  'usher/console/watch/cdn-audience.ts',
  'usher/console/watch/cdn-rates.ts',
  'usher/console/watch/last-minute.ts',
  'usher/console/watch/stalls.ts',
  'usher/pages/html.ts',
  'usher/openapi/page.ts',
  'usher/openapi/schema-text.ts',
  'usher/operators/allowed.ts',
  'usher/operators/cookies.ts',
  'usher/operators/request-origin.ts',
  'usher/console/patch.ts',
  'usher/quality/presence.ts',
  'usher/steering/moving.ts',
  'usher/steering/pacer.ts',
  'usher/steering/polls.ts',
  'usher/steering/steer.ts',
  'usher/steering/steering-list.ts',
  'usher/simulator/dice.ts',
  'usher/simulator/measures/bill.ts',
  'usher/simulator/measures/copy-ratio.ts',
  'usher/simulator/measures/crowds.ts',
  'usher/simulator/measures/service.ts',
  'usher/simulator/measures/weights.ts',
  'usher/simulator/report/sections.ts',
  'usher/simulator/report/table.ts',
  'usher/simulator/scenario-sense.ts',
  'usher/simulator/trace.ts',
  'usher/simulator/world/arrivals.ts',
  'usher/simulator/world/group.ts',
  'usher/simulator/world/level.ts',
  'usher/simulator/world/meter.ts',
  'usher/simulator/world/plant.ts',
];

/** Runs in browsers, whose own doors are the platform's. */
const BROWSER = 'usher/player/';

const files = FOLDERS.flatMap((folder) => sourceFiles(folder));

describe('layout', () => {
  test.each(files.map((file) => [file.path, file] as const))(
    '%s imports only what its folder may',
    (_, file) => {
      const allowed = [file.folder, ...MAY_IMPORT[file.folder]!];
      for (const imported of importsOf(file)) {
        if (imported.startsWith('.')) {
          const target = normalize(join(dirname(file.path), imported));
          expect(allowed, `${file.path} imports ${target}`).toContain(target.split('/')[0]);
        }
      }
    },
  );

  test('no file needs, to run, one that needs it in turn, over however many others', () => {
    expect(circlesAmong(files)).toEqual([]);
  });

  test.each(DOORS)('$outside is touched in $door alone', ({ pattern, door }) => {
    const touching = files.filter((file) => !file.path.startsWith(BROWSER) && pattern.test(file.code));
    expect(touching.map((file) => file.path).filter((path) => path !== door)).toEqual([]);
  });

  test.each(DOORS.map((door) => [door.door]))('the door %s exists', (door) => {
    expect(files.map((file) => file.path)).toContain(door);
  });

  test.each(PURE)('%s is pure: it imports only pure files', (path) => {
    const file = files.find((candidate) => candidate.path === path);
    expect(file, `${path} exists`).toBeDefined();
    for (const imported of valueImportsOf(file!)) {
      expect(imported, `${path} imports ${imported}`).toMatch(/^\./);
      const target = files.find((candidate) => candidate.path === normalize(join(dirname(path), imported)));
      for (const { outside, pattern } of DOORS)
        expect(pattern.test(target!.code), `${path} reaches ${outside}`).toBe(false);
    }
  });

  test.each(files.map((file) => [file.path, file] as const))(
    '%s says in its first line what it is for',
    (_, file) => {
      expect(file.text.split('\n')[0]).toMatch(/^\/\/ .{10,}/);
    },
  );
});

interface SourceFile {
  readonly folder: string;
  readonly path: string;
  readonly text: string;
  /** The text without comments. */
  readonly code: string;
}

function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => {
      const text = readFileSync(join(ROOT, folder, name), 'utf8');
      const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
      return { folder, path: join(folder, name), text, code };
    });
}

function importsOf(file: SourceFile): string[] {
  return [...file.code.matchAll(/\b(?:from|import) '([^']+)'/g)].map((match) => match[1]!);
}

/** Chains of imports that end where they begin. Types may name each other. */
function circlesAmong(among: readonly SourceFile[]): string[] {
  const byPath = new Map(among.map((file) => [file.path, file]));
  const done = new Set<string>();
  const circles: string[] = [];
  const follow = (path: string, chain: readonly string[]): void => {
    const file = byPath.get(path);
    if (chain.includes(path)) circles.push([...chain.slice(chain.indexOf(path)), path].join(' -> '));
    if (!file || done.has(path) || chain.includes(path)) return;
    const relative = valueImportsOf(file).filter((imported) => imported.startsWith('.'));
    for (const imported of relative) follow(normalize(join(dirname(path), imported)), [...chain, path]);
    done.add(path);
  };
  for (const path of byPath.keys()) follow(path, []);
  return circles;
}

function valueImportsOf(file: SourceFile): string[] {
  const code = file.code.replace(/import type [^;]+;/g, '');
  return importsOf({ ...file, code });
}
