// `headwater status`: how a cluster is, as one of its ushers sees it.

import { type Command, defineCommand } from '../../../network/command/command.ts';
import { SECRET_OPTIONS } from '../../../network/command/signing.ts';
import { type Reading, USHER_OPTIONS } from '../ask-usher.ts';
import { askCluster } from './ask-cluster.ts';
import { statusText } from './status-text.ts';

export function statusCommand(tools: Reading): Command {
  return defineCommand({
    name: 'status',
    summary: 'servers, streams and trees of a cluster',
    options: { ...USHER_OPTIONS, ...SECRET_OPTIONS },
    examples: [
      ['headwater status', 'the cluster of the usher on this machine'],
      ['headwater status --usher http://10.0.0.2:8080', 'as another usher sees it'],
      ["headwater status --json | jq '.servers[].sentMbps'", 'the snapshot itself, as /api/cluster has it'],
    ],
    async run(given) {
      const value = await askCluster(given, tools);
      return { value, text: (paint) => statusText(value, paint) };
    },
  });
}
