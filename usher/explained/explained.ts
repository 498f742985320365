// An explanation of placement as it travels to whoever asks: names instead of whole records. Pure.

import type { Whence } from '../../network/map/whence.ts';
import type { ExplainedCdn, ExplainedServer, Explanation } from '../placement/explain.ts';
import type { Choice, FullReason } from '../placement/request.ts';

export interface Explained {
  readonly stream: string;
  readonly address: string;
  readonly whence: Whence;
  /** The site that the usher stands in. */
  readonly site: string;
  readonly policy: string;
  readonly mbps: number;
  /** Where a viewer would be sent now, best first; or why nowhere. */
  readonly choices: readonly ExplainedChoice[];
  readonly full?: FullReason;
  readonly servers: readonly ExplainedServer[];
  readonly cdns: readonly ExplainedCdn[];
}

export type ExplainedChoice =
  | {
      readonly kind: 'server';
      readonly server: string;
      readonly uplink: string;
      readonly mbps: number;
      readonly microUsdPerHour: number;
    }
  | {
      readonly kind: 'cdn';
      readonly cdn: string;
      readonly shields: readonly string[];
      readonly mbps: number;
      readonly microUsdPerHour: number;
    };

export function explained(
  { request, policy, mbps, decision, servers, cdns }: Explanation,
  address: string,
): Explained {
  const { stream, whence, site = '' } = request;
  return {
    stream,
    address,
    whence,
    site,
    policy,
    mbps,
    choices: decision.kind === 'serve' ? decision.choices.map(named) : [],
    ...(decision.kind === 'full' ? { full: decision.reason } : {}),
    servers,
    cdns,
  };
}

function named(choice: Choice): ExplainedChoice {
  const { mbps, microUsdPerHour } = choice;
  if (choice.kind === 'cdn') {
    const shields = choice.shields.map(({ id }) => id);
    return { kind: 'cdn', cdn: choice.cdn.name, shields, mbps, microUsdPerHour };
  }
  return { kind: 'server', server: choice.server.id, uplink: choice.uplink, mbps, microUsdPerHour };
}
