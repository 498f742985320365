import { beforeEach, describe, expect, test } from 'vitest';
import { Feed } from '../../../network/feed/feed.ts';
import type { Probe } from '../../../network/http/dial.ts';
import { claimStream, type Owned, type OwnershipOptions } from '../../../network/state/ownership.ts';
import { MemoryState } from '../../../network/state/state-memory.ts';
import { serverRecord, streamRecord } from '../../tools/cluster/cluster-records.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

const [a, b] = [serverRecord('a'), serverRecord('b')];
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let clock: ManualClock;
let state: MemoryState;
/** What the server follows of the stream: how far it is with that, and whether more comes. */
let followed: { isCaughtUp: boolean; isFed: boolean; isAlone?: boolean } | undefined;
/** The server writes the stream itself. */
let isWriter: boolean;
let demanded: string[];
/** What is heard of a server that is asked whether it lives, and which were asked. */
let health: Awaited<ReturnType<Probe>>;
let probed: string[];
const feed = new Feed();

beforeEach(() => {
  clock = new ManualClock();
  state = new MemoryState(clock);
  followed = undefined;
  isWriter = false;
  demanded = [];
  health = 'answers';
  probed = [];
});

function holdings(): OwnershipOptions['holdings'] {
  return {
    demand: async (stream) => {
      demanded.push(stream);
      return followed && feed;
    },
    get followed() {
      const held = {
        name: { stream: 'alice', rendition: 'source' },
        get isCaughtUp() {
          return followed?.isCaughtUp;
        },
        get isAlone() {
          return followed?.isAlone ?? false;
        },
        relayed: {
          lineage: {
            get isFed() {
              return followed?.isFed;
            },
          },
        },
      };
      return (followed ? [held] : []) as unknown as OwnershipOptions['holdings']['followed'];
    },
    writes: () => isWriter,
    adopt: () => feed,
  };
}

function claim(server = b, takeover = false): Promise<Owned> {
  const probe: Probe = async (url) => {
    probed.push(url);
    return health;
  };
  return claimStream('alice', takeover, { state, server, holdings: holdings(), probe, clock });
}

describe('a claim', () => {
  test('of a new stream gives a feed to write, and looks for no other', async () => {
    const owned = await claim();
    expect(owned).toMatchObject({ kind: 'claimed', term: clock.now(), before: undefined });
    expect(owned.kind === 'claimed' && owned.adopt()).toBe(feed);
    expect(demanded).toEqual([]);
  });

  test('of what another server holds says whose it is', async () => {
    await state.beat(a, [streamRecord('alice', 'a', 5)]);
    expect(await claim()).toEqual({ kind: 'held', by: 'a' });
    expect(probed).toEqual([`${a.relayUrl}/healthz`]);
  });

  test('of what a server holds whose process is gone takes it at once', async () => {
    await state.beat(a, [streamRecord('alice', 'a', 5)]);
    health = 'refused';
    expect(await claim()).toMatchObject({ kind: 'claimed', before: { origin: 'a' } });
  });

  test('of what a server holds without a broadcaster takes it at once', async () => {
    await state.beat(a, [streamRecord('alice', 'a', 5, { live: false })]);
    expect(await claim()).toMatchObject({ kind: 'claimed', before: { origin: 'a' } });
    expect(probed).toEqual([]);
  });

  test.each([
    ['once it is known as dead', false, { kind: 'claimed' }, 3_000],
    ['not if it still beats', true, { kind: 'held', by: 'a' }, 4_000],
  ])('of what a silent server holds takes it %s', async (_, beats, expected, ms) => {
    await state.beat(a, [streamRecord('alice', 'a', 5)]);
    health = 'silent';
    const beganAtMs = clock.now();
    let endedAtMs = 0;
    const owned = claim().finally(() => {
      endedAtMs = clock.now();
    });
    for (let beat = 0; endedAtMs === 0; beat++) {
      await pause();
      if (beat % 10 === 0) await state.beat(b, []);
      if (beat % 10 === 0 && beats) await state.beat(a, [streamRecord('alice', 'a', 5)]);
      clock.advance(100);
      await pause();
    }
    expect(await owned).toMatchObject(expected);
    expect(endedAtMs - beganAtMs).toBeGreaterThanOrEqual(ms);
    expect(endedAtMs - beganAtMs).toBeLessThan(ms + 500);
  });

  test('of what this server writes itself waits for nobody, though the feed has yet to begin', async () => {
    await state.beat(b, [streamRecord('alice', 'b', 5, { live: false })]);
    isWriter = true;
    expect(await claim()).toMatchObject({ kind: 'claimed', before: { origin: 'b' } });
    expect(demanded).toEqual([]);
  });

  test('of what nobody has any more gives what was announced', async () => {
    await state.beat(a, [streamRecord('alice', 'a', 5, { live: false })]);
    await state.leave(a);
    expect(await claim()).toMatchObject({ before: { origin: 'a', lastMsn: 7, unheardMs: 0 } });
    expect(demanded).toEqual(['alice']);
  });

  test('of a stream that is over looks for nobody who has it', async () => {
    await state.beat(a, [streamRecord('alice', 'a', 5)]);
    await state.beat(a, []);
    expect(await claim()).toMatchObject({ before: { lastMsn: 7, isOver: true } });
    expect(demanded).toEqual([]);
  });

  test('by a new process of the last origin goes on from what that had announced', async () => {
    await state.beat(a, [streamRecord('alice', 'a', 5)]);
    for (let seconds = 0; seconds < 4; seconds++) {
      clock.advance(1_000);
      await state.beat(b, []);
    }
    await state.beat({ ...a, instance: 'another' }, []);
    expect(await claim({ ...a, instance: 'another' })).toMatchObject({ before: { origin: 'a', lastMsn: 7 } });
    expect(demanded).toEqual(['alice']);
  });

  test.each([
    ['until all is here that the last origin gave away', { isCaughtUp: true, isFed: false }, 50],
    ['and not at all once nobody else has it', { isCaughtUp: false, isFed: false, isAlone: true }, 50],
    ['and not for ever for an origin that goes on', { isCaughtUp: true, isFed: true }, 2_500],
  ])('of what others still have waits %s', async (_, later, ms) => {
    await state.beat(a, [streamRecord('alice', 'a', 5)]);
    followed = { isCaughtUp: false, isFed: true };
    let isDone = false;
    const owned = claim(b, true).finally(() => {
      isDone = true;
    });
    for (let passed = 0; passed < ms; passed += 50) {
      await pause();
      expect(isDone).toBe(false);
      followed = later;
      clock.advance(50);
    }
    expect(await owned).toMatchObject({ kind: 'claimed', before: { origin: 'a' } });
  });
});
