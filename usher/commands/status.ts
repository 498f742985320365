// `headwater status`: how a cluster is, as one of its ushers sees it.

import { type Command, defineCommand } from '../../network/command/command.ts';
import { askCluster } from './ask-cluster.ts';
import { USHER_OPTIONS, type UsherTools } from './ask-usher.ts';
import { statusText } from './status-text.ts';

export function statusCommand({ getText }: Pick<UsherTools, 'getText'>): Command {
  return defineCommand({
    name: 'status',
    summary: 'servers, streams and trees of a cluster',
    options: USHER_OPTIONS,
    examples: [
      ['headwater status', 'the cluster of the usher on this machine'],
      ['headwater status --usher http://10.0.0.2:8080', 'as another usher sees it'],
      ["headwater status --json | jq '.servers[].sentMbps'", 'the snapshot itself, as /api/cluster has it'],
    ],
    async run({ usher }) {
      const value = await askCluster(usher, getText);
      return { value, text: (paint) => statusText(value, paint) };
    },
  });
}
