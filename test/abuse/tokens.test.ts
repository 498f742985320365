// Tokens where they have no business: on another stream, for another purpose, in another's session, and after their time.

import { expect, test } from 'vitest';
import { TOKEN_GRACE_MS } from '../../edge/progressive/token-ends.ts';
import { type Grant, signToken, verifyToken } from '../../network/token.ts';
import { seal, unseal } from '../../usher/operators/sealed.ts';
import { ProgressiveServer } from '../tools/viewers/progressive-server.ts';
import { ManualClock } from '../tools/world/manual-clock.ts';

const SECRETS = ['a secret of the cluster'];
const NOW_MS = 1_800_000_000_000;
/** All that there are: the compiler misses a new one here. */
const USES: Readonly<Record<Grant['purpose'], true>> = {
  publish: true,
  play: true,
  relay: true,
  steer: true,
  operate: true,
  own: true,
  picture: true,
};
const PURPOSES = Object.keys(USES) as Grant['purpose'][];
const GRANT: Grant = {
  purpose: 'play',
  stream: 'alice',
  expiresAtMs: NOW_MS + 60_000,
  session: 'abcdefghijkl',
};

test.each(PURPOSES)('a token to %s is good for that, on its stream, and for nothing else', (purpose) => {
  const token = signToken(SECRETS, { ...GRANT, purpose });
  const uses = PURPOSES.flatMap((used) => ['alice', 'bob', '*', ''].map((stream) => ({ used, stream })));
  const good = uses.filter(
    ({ used, stream }) =>
      verifyToken(SECRETS, token, { purpose: used, stream, nowMs: NOW_MS }).kind === 'valid',
  );
  expect(good).toEqual([{ used: purpose, stream: 'alice' }]);
});

test('a token is none with another session, a later end, or its end at a point where it is over', () => {
  const token = signToken(SECRETS, GRANT);
  const [expiry, session, mac] = token.split('.') as [string, string, string];
  const wanted = { purpose: 'play', stream: 'alice', nowMs: NOW_MS } as const;
  const later = (Number.parseInt(expiry, 36) + 1).toString(36);
  for (const forged of [
    `${expiry}.lkjihgfedcba.${mac}`,
    `${expiry}..${mac}`,
    `${later}.${session}.${mac}`,
    `0${expiry}.${session}.${mac}`,
    `${expiry.toUpperCase()}.${session}.${mac}`,
    `${token}\n`,
  ])
    expect(verifyToken(SECRETS, forged, wanted).kind, forged).toBe('refused');
  expect(verifyToken(SECRETS, token, { ...wanted, nowMs: GRANT.expiresAtMs }).kind).toBe('refused');
});

test('what a browser keeps for signing in signs nobody in, and is worth nothing after its time', () => {
  const cookie = seal(SECRETS, 'sign-in', 'admin', NOW_MS + 1_000);
  expect(unseal(SECRETS, 'operator', cookie, NOW_MS)).toBeUndefined();
  expect(unseal(SECRETS, 'sign-in', cookie, NOW_MS)).toMatchObject({ value: 'admin' });
  expect(unseal(SECRETS, 'sign-in', cookie, NOW_MS + 1_000)).toBeUndefined();
  const token = signToken(SECRETS, { ...GRANT, purpose: 'operate', stream: '*' });
  expect(unseal(SECRETS, 'operator', token, NOW_MS)).toBeUndefined();
});

test.each(['signed', 'open'] as const)(
  'with %s playback a progressive answer goes on behind its token for a grace, or as long as it likes',
  async (access) => {
    const clock = new ManualClock();
    await using server = await ProgressiveServer.start({ access, clock, beatMs: 0 });
    const broadcast = server.broadcast();
    broadcast.push(2);
    const viewer = server.view('', { expiresAtMs: clock.now() + 60_000 });
    const length = (): number => Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(1)]).length;
    await viewer.bodyOf(length());
    clock.advance(60_000 + TOKEN_GRACE_MS - 1_000);
    broadcast.push(1);
    await viewer.bodyOf(length());
    clock.advance(2_000);
    if (access === 'signed') await viewer.closed;
    broadcast.push(1);
    if (access === 'open') await viewer.bodyOf(length());
    expect(viewer.contents.sequences).toHaveLength(access === 'signed' ? 3 : 4);
  },
);
