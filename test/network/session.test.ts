import { expect, test } from 'vitest';
import { randomName } from '../../network/hash.ts';
import { newSession, readSession, writeSession } from '../../network/session.ts';
import { signToken, verifyToken } from '../../network/token.ts';

const secrets = ['a secret of length'];

test.each(['', 'transit', 'DE_CIX_frankfurt'])('a new session says its uplink, %j', (uplink) => {
  const session = newSession(randomName, uplink);
  expect(readSession(session)).toEqual({ id: session.slice(0, 12), uplink });
  expect(newSession(randomName, uplink)).not.toBe(session);
});

test('a session on the longest name of an uplink fits into a token', () => {
  const session = newSession(randomName, 'x'.repeat(16));
  const grant = { purpose: 'play', stream: 'alice', expiresAtMs: 1_000_000, session } as const;
  const verdict = verifyToken(secrets, signToken(secrets, grant), {
    purpose: 'play',
    stream: 'alice',
    nowMs: 0,
  });
  expect(verdict).toEqual({ kind: 'valid', grant });
});

test('a session that moves keeps its id', () => {
  const { id } = readSession(newSession(randomName, 'transit'));
  expect(readSession(writeSession({ id, uplink: 'peering' }))).toEqual({ id, uplink: 'peering' });
});

test.each(['', 'short', 'customer-0001-session-9', 'x'.repeat(32)])(
  'a session that another made, %j, is its own id, on no uplink',
  (session) => {
    expect(readSession(session)).toEqual({ id: session, uplink: '' });
    expect(writeSession({ id: session, uplink: 'transit' })).toBe(session);
  },
);
