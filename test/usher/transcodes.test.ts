// Who makes which rungs: slots, the farm, the wait for it, crowds, drains and deaths.

import { describe, expect, test } from 'vitest';
import type { KnownServer, Snapshot, StreamRecord, Transcoding } from '../../network/state/state.ts';
import { isComing, type LadderPolicies } from '../../usher/plan/transcodes.ts';
import { Wanted } from '../../usher/plan/wanted.ts';
import { plan } from '../../usher/planner.ts';
import { DRAIN, NOW_MS, server, snapshot, stream } from '../tools/cluster/clusters.ts';

const LADDER = ['480p30', '160p30'].map((name) => ({ name }));
const ALWAYS: LadderPolicies = () => ({ ladder: LADDER, when: 'always' });

const working = (slots: number, changes: Partial<Transcoding> = {}): Transcoding => ({
  slots,
  codecs: ['h264'],
  jobs: [],
  ...changes,
});
const farm = (id: string, slots = 2, changes: Partial<KnownServer> = {}): KnownServer =>
  server(id, { roles: ['transcoder'], transcoding: working(slots), ...changes });
const origin = server('origin', { roles: ['origin', 'edge'] });
const streams = (count: number, changes: Partial<StreamRecord> = {}): StreamRecord[] =>
  Array.from({ length: count }, (_, index) =>
    stream(`s${index}`, 'origin', { startedAtMs: NOW_MS - 60_000 + index, ...changes }),
  );

interface Decided {
  readonly plan: Snapshot['plan'];
  /** `worker: stream stream`, by those that have any. */
  readonly jobs: readonly string[];
  readonly waiting: readonly string[];
}

function decide(cluster: Partial<Snapshot>, policies = ALWAYS, wanted = new Wanted()): Decided {
  let waiting: readonly string[] = [];
  const transcoding = { policies, wanted, onWaiting: (streams: readonly string[]) => (waiting = streams) };
  const made = plan({ ...snapshot([], []), ...cluster }, { transcoding });
  const jobs = Object.entries(made)
    .filter(([, { transcodes = [] }]) => transcodes.length > 0)
    .map(([id, { transcodes }]) => `${id}: ${transcodes!.map(({ stream: name }) => name).join(' ')}`);
  return { plan: made, jobs, waiting };
}

describe('transcodes', () => {
  test('of five streams fill three workers with two slots each, and of six more wait those that came last', () => {
    const servers = [origin, farm('a'), farm('b'), farm('c')];
    expect(decide({ servers, streams: streams(5) })).toMatchObject({
      jobs: ['a: s0 s3', 'b: s1 s4', 'c: s2'],
      waiting: [],
    });
    expect(decide({ servers, streams: streams(8) }).waiting).toEqual(['s6', 's7']);
  });

  test('stay where they are when others come, and go on elsewhere when their worker is emptied, dead, or too slow', () => {
    const servers = [origin, farm('a'), farm('b'), farm('c')];
    const before = decide({ servers, streams: streams(3) });
    expect(before.jobs).toEqual(['a: s0', 'b: s1', 'c: s2']);
    expect(decide({ servers, streams: streams(5), plan: before.plan }).jobs).toEqual([
      'a: s0 s3',
      'b: s1 s4',
      'c: s2',
    ]);
    const gone: readonly Partial<KnownServer>[] = [
      { drain: DRAIN },
      { beatAtMs: NOW_MS - 10_000 },
      ...(['behind', 'failed'] as const).map((state) => ({
        transcoding: working(2, { jobs: [{ stream: 's0', state, reason: 'why', renditions: [] }] }),
      })),
    ];
    for (const changes of gone) {
      const after = decide({
        servers: [origin, farm('a', 2, changes), farm('b'), farm('c')],
        streams: streams(3),
        plan: before.plan,
      });
      expect(after.jobs).toEqual(['b: s0 s1', 'c: s2']);
    }
  });

  test('of the most watched streams have the slots', () => {
    const watched = { stream: 's2', rendition: 'source', viewers: 9, arrivalsPerS: 0, next: 1, parent: null };
    const servers = [server('origin', { roles: ['origin', 'edge'], holdings: [watched] }), farm('a', 1)];
    const before = decide({ servers: [origin, farm('a', 1)], streams: streams(3) });
    expect(before.jobs).toEqual(['a: s0']);
    expect(decide({ servers, streams: streams(3), plan: before.plan })).toMatchObject({
      jobs: ['a: s2'],
      waiting: ['s0', 's1'],
    });
  });

  test('go to servers with other work when the farm is full, after a wait', () => {
    const mixed = server('mixed', { roles: ['edge', 'transcoder'], transcoding: working(4) });
    const servers = [origin, farm('a', 1), mixed];
    expect(decide({ servers, streams: streams(2, { startedAtMs: NOW_MS - 1_000 }) })).toMatchObject({
      jobs: ['a: s0'],
      waiting: ['s1'],
    });
    expect(decide({ servers, streams: streams(2) }).jobs).toEqual(['a: s0', 'mixed: s1']);
    expect(decide({ servers: [origin, mixed], streams: streams(1, { startedAtMs: NOW_MS }) }).jobs).toEqual([
      'mixed: s0',
    ]);
  });

  test('give way to a crowd there: the lowest rungs of the least watched stream first, at last all', () => {
    const at = (committedMbps: number): readonly string[] => {
      const watched = {
        stream: 's1',
        rendition: 'source',
        viewers: 9,
        arrivalsPerS: 0,
        next: 1,
        parent: null,
      };
      const mixed = server('mixed', {
        roles: ['origin', 'edge', 'transcoder'],
        transcoding: working(4),
        committedMbps,
        holdings: [watched],
      });
      const { plan: made } = decide({ servers: [mixed], streams: streams(2) });
      return (made['mixed']!.transcodes ?? []).map(
        ({ stream: name, rungs }) => `${name}: ${rungs.map((rung) => rung.name)}`,
      );
    };
    expect(at(600)).toEqual(['s0: 480p30,160p30', 's1: 480p30,160p30']);
    expect(at(790)).toEqual(['s0: 480p30', 's1: 480p30,160p30']);
    expect(at(860)).toEqual(['s1: 480p30,160p30']);
    expect(at(940)).toEqual(['s1: 480p30']);
    expect(at(1_000)).toEqual([]);
  });

  test('go with the CPU that viewers need, and come back only once they need much less of it', () => {
    const mixed = (cpuLoad: number): KnownServer =>
      server('mixed', { roles: ['origin', 'edge', 'transcoder'], transcoding: working(4), cpuLoad });
    let made: Snapshot['plan'] = {};
    const at = (cpuLoad: number, others: readonly KnownServer[] = []): string => {
      const decided = decide({ servers: [mixed(cpuLoad), ...others], streams: streams(2), plan: made });
      made = decided.plan;
      return Object.entries(made)
        .flatMap(([id, { transcodes = [] }]) =>
          transcodes.map(({ stream: name, rungs }) => `${id} ${name} ${rungs.map((rung) => rung.name)}`),
        )
        .sort()
        .join(', ');
    };
    const all = 'mixed s0 480p30,160p30, mixed s1 480p30,160p30';
    expect(at(0.5)).toBe(all);
    expect(at(0.79)).toBe(all);
    expect(at(0.88)).toBe('mixed s0 480p30,160p30, mixed s1 480p30');
    expect(at(0.82)).toBe('mixed s0 480p30,160p30, mixed s1 480p30');
    expect(at(0.65)).toBe('mixed s0 480p30,160p30, mixed s1 480p30');
    expect(at(0.96)).toBe('mixed s0 480p30');
    expect(at(0.7)).toBe('mixed s0 480p30');
    expect(at(0.7, [farm('a', 1)])).toBe('a s0 480p30,160p30');
    expect(at(0.6, [farm('a', 1)])).toBe('a s0 480p30,160p30, mixed s1 480p30,160p30');
    expect(at(1, [farm('a', 1)])).toBe('a s0 480p30,160p30');
  });

  test('of a source that browsers can not play keep the rung that they can, whatever viewers need', () => {
    const [plain, open] = streams(2);
    const opensGops = { ...open!, renditions: [{ ...open!.renditions[0]!, opensGops: true as const }] };
    const watched = { stream: 's0', rendition: 'source', viewers: 9, arrivalsPerS: 0, next: 1, parent: null };
    const mixed = (slots: number, cpuLoad: number): KnownServer =>
      server('mixed', {
        roles: ['origin', 'edge', 'transcoder'],
        transcoding: working(slots),
        cpuLoad,
        holdings: [watched],
      });
    let made: Snapshot['plan'] = {};
    const at = (...servers: readonly KnownServer[]): readonly string[] => {
      made = decide({ servers, streams: [plain!, opensGops], plan: made }).plan;
      return Object.entries(made).flatMap(([id, { transcodes = [] }]) =>
        transcodes.map(({ stream: name, rungs }) => `${id} ${name} ${rungs.map((rung) => rung.name)}`),
      );
    };
    const [best] = at(mixed(4, 0.5))[1]!.split(',');
    expect(best).toMatch(/^mixed s1 \d+p\d+$/);
    expect(at(mixed(4, 0.95))).toEqual(['mixed s0 480p30', best]);
    expect(at(mixed(4, 1))).toEqual([best]);
    expect(at(mixed(1, 0.5))[0]).toMatch(/^mixed s1 .*,160p30$/);
    expect(at(mixed(1, 1), farm('a', 1))).toEqual([`a${best!.slice('mixed'.length)},480p30,160p30`]);
  });

  test('on demand are made while somebody watches, and for a while after', () => {
    const onDemand: LadderPolicies = () => ({ ladder: LADDER, when: 'on-demand' });
    const wanted = new Wanted();
    const watched = { stream: 's0', rendition: 'source', viewers: 1, arrivalsPerS: 0, next: 1, parent: null };
    const busy = server('origin', { roles: ['origin', 'edge'], holdings: [watched] });
    const one = streams(1);
    expect(decide({ servers: [origin, farm('a')], streams: one }, onDemand, wanted).jobs).toEqual([]);
    expect(decide({ servers: [busy, farm('a')], streams: one }, onDemand, wanted).jobs).toEqual(['a: s0']);
    expect(decide({ servers: [origin, farm('a')], streams: one }, onDemand, wanted).jobs).toEqual(['a: s0']);
    const later = {
      nowMs: NOW_MS + 31_000,
      servers: [origin, farm('a')].map((each) => ({ ...each, beatAtMs: NOW_MS + 31_000 })),
    };
    expect(decide({ ...later, streams: one }, onDemand, wanted).jobs).toEqual([]);
  });

  test('on demand are coming while a worker has them to make, or room for them, and has not failed', () => {
    const policy = { ladder: LADDER, when: 'on-demand' } as const;
    const one = streams(1);
    const failed = farm('a', 2, {
      transcoding: working(2, { jobs: [{ stream: 's0', state: 'failed', reason: 'why', renditions: [] }] }),
    });
    const there = streams(1, {
      renditions: [...one[0]!.renditions, { ...one[0]!.renditions[0]!, name: '480p30' }],
    });
    const isComingIn = (servers: readonly KnownServer[], of = one): boolean =>
      isComing({ ...snapshot([], []), servers, streams: of }, 's0', policy);
    expect(isComingIn([origin, farm('a')])).toBe(true);
    expect(isComingIn([origin, farm('a')], there)).toBe(false);
    expect(isComingIn([origin, farm('a', 0)])).toBe(false);
    expect(isComingIn([origin, failed])).toBe(false);
    expect(isComingIn([origin])).toBe(false);
    const always = { ladder: LADDER, when: 'always' } as const;
    const [source] = one[0]!.renditions;
    const opening = [{ ...one[0]!, lastMsn: 0, renditions: [{ ...source!, opensGops: true as const }] }];
    const isAwaited = (of: readonly StreamRecord[]): boolean =>
      isComing({ ...snapshot([], []), servers: [origin, farm('a')], streams: of }, 's0', always);
    expect(isAwaited(one)).toBe(false);
    expect(isAwaited(opening)).toBe(true);
  });

  test('keep their rungs as they were decided while the bitrate of the source changes', () => {
    const servers = [origin, farm('a')];
    const before = decide({ servers, streams: streams(1) });
    const [source] = streams(1)[0]!.renditions;
    const thinner = streams(1, { renditions: [{ ...source!, averageBps: 700_000 }] });
    expect(decide({ servers, streams: thinner, plan: before.plan }).plan['a']!.transcodes).toEqual(
      before.plan['a']!.transcodes,
    );
  });
});
