import { beforeEach, describe, expect, test } from 'vitest';
import { Feed } from '../../../network/feed/feed.ts';
import { Follower } from '../../../network/relay/follow.ts';
import { QUIET_MS, SILENCE_MS } from '../../../network/relay/link.ts';
import type { Lineage } from '../../../network/relay/signal.ts';
import { heartbeat } from '../../tools/cluster/fake-parent.ts';
import { Broadcaster } from '../../tools/media/feed.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { ScriptedDial } from '../../tools/world/scripted-dial.ts';

const truth = new Broadcaster().play(5).feed;
const BEGUN = 200;

let clock: ManualClock;
let parents: ScriptedDial;
let feed: Feed;
let follower: Follower;
let lineages: (Lineage | undefined)[];

beforeEach(() => {
  clock = new ManualClock();
  parents = new ScriptedDial();
  feed = new Feed();
  lineages = [];
  follower = follow('a', 'b');
  parents.say('a', heartbeat(BEGUN, ['o', 'a']), ...truth.wire(1, BEGUN));
});

describe('a parent that falls quiet', () => {
  test('keeps its place until another has been heard, and loses it to that one', () => {
    clock.advance(QUIET_MS);
    expect([follower.parent?.id, parents.open]).toEqual(['a', ['a', 'b']]);
    expect(lineages.at(-1)).toEqual({ path: ['o', 'a'], isFed: false });
    parents.say('b', heartbeat(BEGUN + 50, ['o', 'b']), ...truth.wire(BEGUN, BEGUN + 50));
    expect([follower.parent?.id, parents.open, feed.next]).toEqual(['b', ['b'], BEGUN + 50]);
    expect(lineages.at(-1)).toEqual({ path: ['o', 'b'], isFed: true });
  });

  test('and is heard again before that keeps it: the other is let go', () => {
    clock.advance(QUIET_MS);
    parents.say('a', ...truth.wire(BEGUN, BEGUN + 50));
    expect([follower.parent?.id, parents.open, feed.next]).toEqual(['a', ['a'], BEGUN + 50]);
    expect(lineages.at(-1)).toEqual({ path: ['o', 'a'], isFed: true });
    clock.advance(QUIET_MS);
    expect(parents.asked).toEqual(['a', 'b', 'b']);
  });

  test('does not lose it to one to which nothing comes either', () => {
    clock.advance(QUIET_MS);
    clock.advance(SILENCE_MS - QUIET_MS - 1);
    parents.say('b', heartbeat(BEGUN, ['o', 'b'], false));
    expect(follower.parent?.id).toBe('a');
    expect(parents.open).toEqual(['a', 'b']);
    clock.advance(1);
    expect([follower.parent?.id, parents.open]).toEqual(['b', ['b']]);
  });

  test('while a better one is being joined does not keep it from that', () => {
    follower.reparent(['c', 'a', 'b'].map((id) => parents.parent(id)));
    clock.advance(QUIET_MS);
    parents.say('a', heartbeat(BEGUN, ['o', 'a']));
    expect(parents.open).toEqual(['a', 'c']);
    parents.say('c', heartbeat(BEGUN, ['o', 'c']));
    expect([follower.parent?.id, parents.open]).toEqual(['c', ['c']]);
  });
});

function follow(...ids: string[]): Follower {
  return new Follower({
    id: 'child',
    name: { stream: 'alice', rendition: 'source' },
    feed,
    parents: ids.map((id) => parents.parent(id)),
    secrets: ['the secret of the cluster'],
    dial: parents.dial,
    clock,
    logger: keepingLogger(),
    events: {
      onLineage: (lineage) => lineages.push(lineage),
      onGap: () => {},
      onEnd: () => {},
      onExhausted: () => {},
    },
  });
}
