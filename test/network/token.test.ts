import { describe, expect, test } from 'vitest';
import { type Grant, signToken, verifyToken } from '../../network/token.ts';

const secrets = ['the current secret', 'the one before it'];
const grant: Grant = { purpose: 'play', stream: 'alice', expiresAtMs: 2_000_000, session: 'abc_-9' };
const wanted = { purpose: 'play', stream: 'alice', nowMs: 1_999_999 } as const;

describe('tokens', () => {
  test('a signed token is valid for its purpose and stream until it expires', () => {
    const token = signToken(secrets, grant);
    expect(verifyToken(secrets, token, wanted)).toEqual({ kind: 'valid', grant });
    expect(verifyToken(secrets, token, { ...wanted, nowMs: 2_000_000 })).toMatchObject({ kind: 'refused' });
  });

  test('a token fits into a path and a query as it is', () => {
    const token = signToken(secrets, grant);
    expect(encodeURIComponent(token)).toBe(token);
  });

  test.each([
    ['another stream', { stream: 'bob' }],
    ['another purpose', { purpose: 'publish' }],
  ] as const)('a token is refused for %s', (_, other) => {
    const verdict = verifyToken(secrets, signToken(secrets, grant), { ...wanted, ...other });
    expect(verdict.kind).toBe('refused');
  });

  test('a token signed with the secret before is valid, one signed with an unknown secret is not', () => {
    expect(verifyToken(secrets, signToken([secrets[1]!], grant), wanted).kind).toBe('valid');
    expect(verifyToken(secrets, signToken(['a stranger’s secret'], grant), wanted).kind).toBe('refused');
  });

  test('no character of a token can be changed', () => {
    const token = signToken(secrets, grant);
    for (let index = 0; index < token.length; index++) {
      const other = token[index] === 'a' ? 'b' : 'a';
      const changed = token.slice(0, index) + other + token.slice(index + 1);
      const verdict = verifyToken(secrets, changed, wanted);
      expect(verdict.kind, changed).toBe('refused');
    }
  });

  test.each(['', '.', 'a.b.c', `zzzzzzzzzzzz.s.${'a'.repeat(22)}`, '../../etc', 'x'.repeat(10_000)])(
    'malformed: %.20s',
    (token) => {
      expect(verifyToken(secrets, token, wanted)).toEqual({
        kind: 'refused',
        reason: 'the token is malformed',
      });
    },
  );
});
