// Who may connect, by number and by address.

import { expect, test } from 'vitest';
import { plainAddress, RtmpAdmission } from '../../../origin/rtmp/admission.ts';
import { DEFAULT_RTMP_LIMITS } from '../../../origin/rtmp/limits.ts';

const LIMITS = { ...DEFAULT_RTMP_LIMITS, connections: 10, connectionsPerAddress: 2 };

test.each([
  ['203.0.113.7', '203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80::2%eth0', 'fe80:0:0:0::/64'],
])('%s and %s are one peer, with two connections', (one, other, network) => {
  const admission = new RtmpAdmission(LIMITS);
  const first = admission.admit(one);
  expect(admission.admit(other).kind).toBe('admit');
  const reason = `${network} has 2 connections already`;
  expect(admission.admit(one)).toEqual({ kind: 'refuse', code: 'rtmp_address_full', reason });
  expect(admission.admit('198.51.100.1').kind).toBe('admit');
  if (first.kind === 'admit') first.release();
  expect(admission.admit(other).kind).toBe('admit');
});

test.each(['127.0.0.1', '127.8.9.1', '::1'])('%s has only the limit of all', (address) => {
  const admission = new RtmpAdmission(LIMITS);
  for (let count = 0; count < 10; count++) expect(admission.admit(address).kind).toBe('admit');
  const reason = 'all 10 connections are taken';
  expect(admission.admit(address)).toEqual({ kind: 'refuse', code: 'rtmp_full', reason });
  expect(admission.connections).toBe(10);
});

test('an IPv4 address in an IPv6 one is written as IPv4', () => {
  expect(plainAddress('::ffff:192.0.2.1')).toBe('192.0.2.1');
  expect(plainAddress('2001:db8::1')).toBe('2001:db8::1');
});
