import { beforeEach, describe, expect, test } from 'vitest';
import { Feeds, SOURCE } from '../../network/feed/feeds.ts';
import { keyIdOf } from '../../network/keys/keybook.ts';
import { Metrics } from '../../network/metrics.ts';
import { Ingest } from '../../origin/ingest.ts';
import { ingestMetrics } from '../../origin/ingest-metrics.ts';
import type { PublishDecision, PublishRequest } from '../../origin/rtmp/server.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { ManualClock } from '../tools/world/manual-clock.ts';

const BUSY = 'this server is being emptied: publish to another one';

let draining: { isOn: boolean; isOverdue: boolean };
let ingest: Ingest;

beforeEach(() => {
  draining = { isOn: false, isOverdue: false };
  const feeds = new Feeds();
  ingest = new Ingest({
    feeds,
    clock: new ManualClock(),
    logger: keepingLogger(),
    metrics: ingestMetrics(new Metrics(), () => 0),
    policy: async () => ({ kind: 'allowed' }),
    claim: async (stream) => ({
      kind: 'claimed',
      term: 1,
      adopt: () => feeds.open(stream, SOURCE),
      before: undefined,
    }),
    graceMs: 60_000,
    draining,
    onChange: () => {},
    onBroadcast: () => () => {},
  });
});

/** What a broadcaster was told besides the answer to its publish. */
class Told {
  readonly closed: string[] = [];
  readonly sentTo: string[] = [];
}

async function publish(
  name: string,
  told = new Told(),
  canReconnect = false,
  query: PublishRequest['query'] = {},
): Promise<PublishDecision> {
  const request: PublishRequest = {
    connectionId: `rtmp-${name}`,
    app: 'live',
    name,
    query,
    remoteAddress: '127.0.0.1',
    close: (code, description) => told.closed.push(`${code}: ${description}`),
    reconnect: (rtmpUrl) => canReconnect && told.sentTo.push(rtmpUrl) > 0,
  };
  return ingest.onPublish(request);
}

async function publishAndLeave(name: string): Promise<void> {
  const decision = await publish(name);
  if (decision.kind === 'accept') decision.publication.closed('the line broke');
}

describe('a server that is being emptied', () => {
  test('takes no new broadcasts, and has those back that it waits for', async () => {
    await publishAndLeave('alice');
    draining.isOn = true;
    const refusal = { kind: 'refuse', code: 'NetStream.Publish.Failed', description: BUSY };
    expect(await publish('bob')).toEqual(refusal);
    expect((await publish('alice')).kind).toBe('accept');
  });

  test('has nobody back past its deadline', async () => {
    await publishAndLeave('alice');
    Object.assign(draining, { isOn: true, isOverdue: true });
    expect(await publish('alice')).toMatchObject({ kind: 'refuse', description: BUSY });
  });

  test('asks those to reconnect who can, and lets the others go', async () => {
    const told = { alice: new Told(), bob: new Told(), carol: new Told(), dave: new Told() };
    await publish('alice', told.alice, true);
    await publish('bob', told.bob, false);
    await publish('carol', told.carol, true);
    await publish('dave', told.dave, true);
    await publishAndLeave('erin');
    await ingest.sendAway(async (stream) => {
      if (stream === 'dave') throw new Error('the state is away');
      return stream === 'carol' ? undefined : `rtmp://b.example/${stream}`;
    });
    const closed = [`NetConnection.Connect.AppShutdown: ${BUSY}`];
    expect(told.alice).toEqual({ closed: [], sentTo: ['rtmp://b.example/alice'] });
    for (const other of [told.bob, told.carol, told.dave]) expect(other).toEqual({ closed, sentTo: [] });
  });
});

test('a key that is revoked costs those who publish with it their connection, and nobody else', async () => {
  const told = { alice: new Told(), bob: new Told(), carol: new Told() };
  await publish('alice', told.alice, false, { key: 'leaked' });
  await publish('bob', told.bob, false, { key: 'good' });
  await publish('carol', told.carol);
  expect(ingest.keysInUse).toEqual(['leaked', 'good']);
  ingest.revoke(new Set([keyIdOf('leaked')]));
  expect(told.alice.closed).toEqual(["NetStream.Publish.Denied: the key for 'alice' was revoked"]);
  expect([...told.bob.closed, ...told.carol.closed]).toEqual([]);
});

test('who publishes is not published over, unless the other says that it takes over', async () => {
  const [first, second] = [new Told(), new Told()];
  await publish('alice', first);
  expect(await publish('alice', second)).toEqual({
    kind: 'refuse',
    code: 'NetStream.Publish.BadName',
    description: "'alice' is live from another connection; add takeover=1 behind the key to take it over",
  });
  expect(await publish('alice', second, false, { takeover: 'true' })).toMatchObject({ kind: 'refuse' });
  expect(first.closed).toEqual([]);
  expect(await publish('alice', second, false, { takeover: '1' })).toMatchObject({ kind: 'accept' });
  expect(first.closed).toEqual(["NetStream.Publish.BadName: 'alice' was taken over by another connection"]);
});
