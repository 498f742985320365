// `headwater streams`: what is live, and who watches how much of it.

import { type Command, defineCommand } from '../../../network/command/command.ts';
import { SECRET_OPTIONS } from '../../../network/command/signing.ts';
import { type Reading, USHER_OPTIONS } from '../ask-usher.ts';
import { askCluster } from '../cluster/ask-cluster.ts';
import { streamRows, streamsText } from './streams-text.ts';

export function streamsCommand(tools: Reading): Command {
  return defineCommand({
    name: 'streams',
    summary: 'what is live, with viewers, servers and renditions',
    options: { ...USHER_OPTIONS, ...SECRET_OPTIONS },
    examples: [
      ['headwater streams', 'those with the most viewers first'],
      ["headwater streams --json | jq '.streams[0].viewers'", 'how many watch the largest'],
    ],
    async run(given) {
      const streams = streamRows(await askCluster(given, tools));
      return { value: { streams }, text: (paint) => streamsText(streams, paint) };
    },
  });
}
