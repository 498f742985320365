import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICIES } from '../../../../usher/placement/price/policy.ts';
import { readPolicies } from '../../../../usher/placement/price/policy-file.ts';

const FILE = `
default: cheapest
policies:
  sports:
    like: nearest
    stallHourMicroUsd: 9000000
  balanced:
    copyMicroUsd: 1
streams:
  - { stream: match-*, policy: sports }
  - { stream: match-7, policy: balanced }
  - { stream: news.de, policy: balanced }
`;

test('without a file every stream is balanced, unless a request wants another', () => {
  expect(DEFAULT_POLICIES.of('alice').name).toBe('balanced');
  expect(DEFAULT_POLICIES.of('alice', 'nearest').name).toBe('nearest');
  expect(DEFAULT_POLICIES.of('alice', 'none such').name).toBe('balanced');
});

describe('a policy file', () => {
  const policies = readPolicies(FILE);

  test.each([
    ['match-7', 'sports'],
    ['match-', 'sports'],
    ['rematch-7', 'cheapest'],
    ['news.de', 'balanced'],
    ['newsXde', 'cheapest'],
  ])('gives %s the policy %s', (stream, name) => {
    expect(policies.of(stream).name).toBe(name);
  });

  test('says only what differs, of a policy that there is or that one is like', () => {
    const nearest = DEFAULT_POLICIES.of('', 'nearest');
    expect(policies.of('match-1')).toEqual({ ...nearest, name: 'sports', stallHourMicroUsd: 9_000_000 });
    expect(policies.of('x', 'balanced')).toEqual({ ...DEFAULT_POLICIES.of('x'), copyMicroUsd: 1 });
    expect(policies.of('x').cdnAt).toBe('price');
  });

  test('may be empty', () => {
    expect(readPolicies('').of('alice')).toEqual(DEFAULT_POLICIES.of('alice'));
  });

  test.each([
    ['default: dearest', 'line 1: default: the policies are balanced, cheapest, nearest (got "dearest")'],
    ['policies:\n  a:\n    msHourMicroUsd: -1', 'line 3: policies.a.msHourMicroUsd: '],
    ['policies:\n  a: { msHour: 1 }', 'line 2: policies.a.msHour: there is no such key'],
    ['streams:\n  - { stream: x, policy: b }', 'line 2: streams.0.policy: the policies are'],
    ['policies: { a: { like: b } }', 'line 1: policies.a.like: '],
    ['a: [', 'line 1: '],
  ])('is refused when it says %j, with line and value', (yaml, words) => {
    expect(() => readPolicies(yaml)).toThrow(expect.objectContaining({ code: 'bad_policies' }));
    expect(() => readPolicies(yaml)).toThrow(words);
  });
});
