import { describe, expect, test } from 'vitest';
import { createPublishPolicy } from '../../../network/config/publish-policy.ts';
import type { PostJson } from '../../../network/http/dial.ts';
import { signToken } from '../../../network/token.ts';

const NO_REVOCATIONS = { isRevoked: async () => false };
const secrets = ['a secret for the tests'];
const noWebhook: PostJson = () => Promise.reject(new Error('nobody asked for this'));
const applicant = {
  action: 'publish' as const,
  stream: 'alice',
  key: undefined as string | undefined,
  remoteAddress: '203.0.113.9',
  nowMs: 1_000,
};
const keyFor = (stream: string, expiresAtMs = 2_000) =>
  signToken(secrets, { purpose: 'publish', stream, expiresAtMs, session: '' });

describe('without any key configured', () => {
  const policy = createPublishPolicy({
    secrets,
    requireKey: false,
    keys: [],
    postJson: noWebhook,
    revocations: NO_REVOCATIONS,
  });

  test.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])(
    'this machine (%s) may publish',
    async (remoteAddress) => {
      expect(await policy({ ...applicant, remoteAddress })).toEqual({ kind: 'allowed' });
    },
  );

  test.each(['203.0.113.9', '::ffff:10.0.0.1', '2001:db8::1', '1270.0.0.1'])(
    '%s may not',
    async (remoteAddress) => {
      expect(await policy({ ...applicant, remoteAddress })).toMatchObject({
        kind: 'denied',
        reason: expect.stringMatching(/needs a key/),
      });
    },
  );
});

describe('with keys', () => {
  const keys = [{ stream: 'alice', key: 'correct horse' }];
  const policy = createPublishPolicy({
    secrets,
    requireKey: true,
    keys,
    postJson: noWebhook,
    revocations: NO_REVOCATIONS,
  });

  test('a key from the list opens its own stream alone', async () => {
    expect(await policy({ ...applicant, key: 'correct horse' })).toEqual({ kind: 'allowed' });
    expect(await policy({ ...applicant, stream: 'bob', key: 'correct horse' })).toMatchObject({
      kind: 'denied',
    });
    expect(await policy({ ...applicant, key: 'correct hors' })).toMatchObject({ kind: 'denied' });
  });

  test('a signed key opens its own stream until it expires', async () => {
    expect(await policy({ ...applicant, key: keyFor('alice') })).toEqual({ kind: 'allowed' });
    expect(await policy({ ...applicant, stream: 'bob', key: keyFor('alice') })).toMatchObject({
      kind: 'denied',
    });
    expect(await policy({ ...applicant, key: keyFor('alice', 1_000) })).toMatchObject({ kind: 'denied' });
  });

  test('the key of a stream is that of its recordings too, and who has none is told how to bring it', async () => {
    const owner = { ...applicant, action: 'recordings' as const };
    expect(await policy({ ...owner, key: 'correct horse' })).toEqual({ kind: 'allowed' });
    expect(await policy(owner)).toEqual({
      kind: 'denied',
      reason: "the recordings of 'alice' need its key: Authorization: Bearer <key>",
    });
  });

  test('this machine needs a key too', async () => {
    expect(await policy({ ...applicant, remoteAddress: '127.0.0.1' })).toMatchObject({ kind: 'denied' });
  });
});

describe('with a webhook', () => {
  const asked: unknown[] = [];
  const answering =
    (status: number, text = ''): PostJson =>
    async (url, value) => {
      asked.push({ url, ...(value as object) });
      return { status, text };
    };
  const policyWith = (postJson: PostJson) =>
    createPublishPolicy({
      secrets,
      requireKey: true,
      keys: [],
      webhook: 'http://site.example/keys',
      postJson,
      revocations: NO_REVOCATIONS,
    });

  test('2xx allows, and it is told who asks', async () => {
    expect(await policyWith(answering(204))({ ...applicant, key: 'k' })).toEqual({ kind: 'allowed' });
    expect(asked.at(-1)).toMatchObject({
      url: 'http://site.example/keys',
      action: 'publish',
      stream: 'alice',
      key: 'k',
    });
  });

  test('another status denies, with the reason that it gives', async () => {
    expect(await policyWith(answering(403, '{"reason":"unpaid"}'))({ ...applicant, key: 'k' })).toEqual({
      kind: 'denied',
      reason: 'unpaid',
    });
    expect(await policyWith(answering(500, '<html>'))({ ...applicant, key: 'k' })).toMatchObject({
      kind: 'denied',
      reason: expect.stringMatching(/status 500/),
    });
  });

  test('a webhook that can not be reached denies', async () => {
    expect(await policyWith(noWebhook)({ ...applicant, key: 'k' })).toMatchObject({
      kind: 'denied',
      reason: expect.stringMatching(/checked now/),
    });
  });
});

test('a revoked key is refused, whoever made it', async () => {
  const revocations = { isRevoked: async (key: string) => key === 'listed for alice' };
  const keys = [{ stream: 'alice', key: 'listed for alice' }];
  const policy = createPublishPolicy({ secrets, requireKey: true, keys, postJson: noWebhook, revocations });
  expect(await policy({ ...applicant, key: 'listed for alice' })).toEqual({
    kind: 'denied',
    reason: "the key for 'alice' was revoked",
  });
});
