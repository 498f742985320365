// Policies: what things are worth, in micro-dollars. Every dial of placement is a price. Pure.

/** `cheapest`, `nearest`, `balanced`, or one of the operator's own. */
export type PolicyName = string;

export interface Policy {
  readonly name: PolicyName;
  /** One millisecond of round-trip time, for a viewer who has it for an hour. */
  readonly msHourMicroUsd: number;
  /** An hour of stalling. */
  readonly stallHourMicroUsd: number;
  /** The risk of a server that is full to the brim, to each viewer of an hour; less full, it falls with the fourth power. */
  readonly hotHourMicroUsd: number;
  /** A stream on one more server, besides what the link that it comes over costs. */
  readonly copyMicroUsd: number;
  /** A second that a viewer waits for the first picture. */
  readonly waitMicroUsdPerS: number;
  /** Another site than the one that the request came in at. */
  readonly elsewhereMicroUsd: number;
  /** Moving a viewer who watches. */
  readonly moveMicroUsd: number;
  /** A CDN serves whom no server has room for (`full`), or also whom it is cheaper for (`price`). */
  readonly cdnAt: 'full' | 'price';
}

export interface Policies {
  /** The policy for a stream; `wanted` names another. A name that there is not means the default. */
  of(stream: string, wanted?: PolicyName): Policy;
}

const BALANCED: Policy = {
  name: 'balanced',
  msHourMicroUsd: 70,
  stallHourMicroUsd: 2_000_000,
  hotHourMicroUsd: 2_000,
  copyMicroUsd: 5_000,
  waitMicroUsdPerS: 2_000,
  elsewhereMicroUsd: 100,
  moveMicroUsd: 500,
  cdnAt: 'full',
};

/** The policies that need no file. */
export const POLICIES: readonly Policy[] = [
  BALANCED,
  {
    ...BALANCED,
    name: 'cheapest',
    msHourMicroUsd: 1,
    stallHourMicroUsd: 500_000,
    hotHourMicroUsd: 500,
    elsewhereMicroUsd: 5,
    cdnAt: 'price',
  },
  { ...BALANCED, name: 'nearest', msHourMicroUsd: 1_000, elsewhereMicroUsd: 1_000 },
];

/** Every stream is `balanced` unless a request says otherwise. */
export const DEFAULT_POLICIES: Policies = policiesOf(POLICIES, 'balanced', []);

export interface StreamPolicy {
  /** A stream's name, `*` standing for any characters. */
  readonly stream: string;
  readonly policy: PolicyName;
}

/** The first of `streams` that matches counts. */
export function policiesOf(
  policies: readonly Policy[],
  defaultName: PolicyName,
  streams: readonly StreamPolicy[],
): Policies {
  const byName = new Map(policies.map((policy) => [policy.name, policy]));
  const fallback = byName.get(defaultName) ?? BALANCED;
  const rules = streams.map((rule) => ({
    pattern: patternOf(rule.stream),
    policy: byName.get(rule.policy) ?? fallback,
  }));
  return {
    of(stream, wanted) {
      const named = wanted === undefined ? undefined : byName.get(wanted);
      return named ?? rules.find(({ pattern }) => pattern.test(stream))?.policy ?? fallback;
    },
  };
}

function patternOf(glob: string): RegExp {
  return new RegExp(`^${glob.split('*').map(RegExp.escape).join('.*')}$`);
}
