// What this month has cost so far: by CDN, and by transit uplink with the level that is billed. Pure.

import { monthStartMs } from '../../../network/state/lease.ts';
import { billedMbps } from '../../placement/price/billing.ts';
import type { Spend, TransitSpend } from '../messages.ts';
import { cdnsOf, rounded, tableOf } from './cluster.ts';
import { monthMicroUsd } from './costs.ts';
import type { Look } from './look.ts';
import type { Tally } from './tally.ts';

export function spendOf(look: Look, { plant }: Tally): Spend {
  const { accounts, nowMs } = look.snapshot;
  const transit = plant.sites.flatMap(({ name: site, uplinks }) =>
    uplinks.flatMap(({ uplink, load }) => {
      if (uplink.kind === 'peering') return [];
      const name = `${site}/${uplink.name}`;
      const account = accounts[name];
      const { billing } = uplink;
      const spend: TransitSpend = {
        monthMicroUsd: Math.round(monthMicroUsd(uplink, account)),
        gigabytes: rounded(account?.gigabytes ?? 0),
        usedMbps: rounded(load.usedMbps),
        ...(billing.kind === 'percentile'
          ? { billedMbps: rounded(billedMbps(account, billing)), commitMbps: billing.commitMbps }
          : {}),
      };
      return [[name, spend] as const];
    }),
  );
  return {
    monthStartMs: monthStartMs(nowMs),
    cdns: cdnsOf(look),
    transit: tableOf(transit, (entry) => entry),
  };
}
