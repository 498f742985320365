// Who may connect, by number and by address.

import { expect, test } from 'vitest';
import { ConnectionLimit, plainAddress } from '../../network/connection-limit.ts';

const LIMITS = { connections: 10, connectionsPerAddress: 2 };

test.each([
  ['203.0.113.7', '203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80::2%eth0', 'fe80:0:0:0::/64'],
])('%s and %s are one peer, with two connections', (one, other, network) => {
  const limit = new ConnectionLimit(LIMITS);
  const first = limit.admit(one);
  expect(limit.admit(other).kind).toBe('admit');
  const reason = `${network} has 2 connections already`;
  expect(limit.admit(one)).toEqual({ kind: 'refuse', why: 'address_full', reason });
  expect(limit.admit('198.51.100.1').kind).toBe('admit');
  if (first.kind === 'admit') first.release();
  expect(limit.admit(other).kind).toBe('admit');
});

test.each(['127.0.0.1', '127.8.9.1', '::1'])('%s has only the limit of all', (address) => {
  const limit = new ConnectionLimit(LIMITS);
  for (let count = 0; count < 10; count++) expect(limit.admit(address).kind).toBe('admit');
  const reason = 'all 10 connections are taken';
  expect(limit.admit(address)).toEqual({ kind: 'refuse', why: 'full', reason });
  expect(limit.connections).toBe(10);
});

test('a proxy, by way of which many come, has only the limit of all', () => {
  const limit = new ConnectionLimit(LIMITS, (address) => address === '198.51.100.9');
  for (let count = 0; count < 8; count++) expect(limit.admit('198.51.100.9').kind).toBe('admit');
  expect([1, 2, 3].map(() => limit.admit('203.0.113.7').kind)).toEqual(['admit', 'admit', 'refuse']);
});

test('an IPv4 address in an IPv6 one is written as IPv4', () => {
  expect(plainAddress('::ffff:192.0.2.1')).toBe('192.0.2.1');
  expect(plainAddress('2001:db8::1')).toBe('2001:db8::1');
});
