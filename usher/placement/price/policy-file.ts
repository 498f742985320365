// The policies as a YAML file says them: sets of prices with names, the default one, and which streams have another.

import { readFile } from 'node:fs/promises';
import type { Clock } from '../../../network/clock.ts';
import { explain, parseYaml, type YamlText, z } from '../../../network/config/yaml.ts';
import { CodedError, reasonOf } from '../../../network/errors.ts';
import type { Logger } from '../../../network/logger.ts';
import { Reloaded } from '../../../network/reloaded.ts';
import { DEFAULT_POLICIES, POLICIES, type Policies, type Policy, policiesOf } from './policy.ts';

const price = z.number().min(0).max(1e12);
const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'a policy is called by 1 to 32 of a-z, 0-9 and "-"');
const BUILT_IN = POLICIES.map((policy) => policy.name) as [string, ...string[]];

/** What is not said is as in the policy that it is like. */
const policy = z.strictObject({
  like: z.enum(BUILT_IN).default('balanced'),
  msHourMicroUsd: price.optional(),
  stallHourMicroUsd: price.optional(),
  hotHourMicroUsd: price.optional(),
  copyMicroUsd: price.optional(),
  waitMicroUsdPerS: price.optional(),
  elsewhereMicroUsd: price.optional(),
  moveMicroUsd: price.optional(),
  cdnAt: z.enum(['full', 'price']).optional(),
});

const schema = z
  .strictObject({
    default: name.default('balanced'),
    /** More policies; one that is called like one that there is takes its place. */
    policies: z.record(name, policy).default({}),
    /** The first that matches counts; `*` stands for any characters. */
    streams: z
      .array(z.strictObject({ stream: z.string().min(1).max(200), policy: name }))
      .max(1_000)
      .default([]),
  })
  .superRefine(({ default: fallback, policies, streams }, context) => {
    const known = [...BUILT_IN, ...Object.keys(policies)];
    const used = [
      { path: ['default'], policy: fallback },
      ...streams.map((rule, at) => ({ path: ['streams', at, 'policy'], policy: rule.policy })),
    ];
    for (const { path, policy: input } of used)
      if (!known.includes(input))
        context.addIssue({ code: 'custom', path, input, message: `the policies are ${known.join(', ')}` });
  });

/** Reads policies. Throws `bad_policies` with everything that is wrong, each with its line, key and value. */
export function readPolicies(yaml: string): Policies {
  const text = parse(yaml);
  const parsed = schema.safeParse(text.value ?? {}, { reportInput: true });
  if (!parsed.success) {
    const wrong = explain(
      parsed.error,
      (path) => `line ${text.lineOf(path)}: `,
      () => false,
    );
    throw new CodedError('bad_policies', wrong);
  }
  const { default: fallback, policies, streams } = parsed.data;
  const own = Object.entries(policies).map(([own, raw]) => policyFrom(own, raw));
  return policiesOf([...POLICIES, ...own], fallback, streams);
}

export interface OpenPolicies extends Disposable {
  /** The newest that could be read; without a file those that need none. */
  readonly value: Policies;
}

/** Rejects when the file can't be read. It is read again when it changes; a change that can't be read is logged. */
export async function openPolicies(
  file: string | undefined,
  tools: { readonly clock: Clock; readonly logger: Logger },
): Promise<OpenPolicies> {
  if (file === undefined) return { value: DEFAULT_POLICIES, [Symbol.dispose]: () => {} };
  const read = async (): Promise<Policies> => readPolicies(await readFile(file, 'utf8'));
  return Reloaded.open({ what: 'the policies', files: [file], read, ...tools });
}

function parse(yaml: string): YamlText {
  try {
    return parseYaml(yaml);
  } catch (error) {
    throw new CodedError('bad_policies', reasonOf(error), { cause: error });
  }
}

function policyFrom(own: string, { like, ...prices }: z.output<typeof policy>): Policy {
  const base = POLICIES.find((each) => each.name === like)!;
  const said = Object.fromEntries(Object.entries(prices).filter(([, value]) => value !== undefined));
  return { ...base, ...said, name: own };
}
