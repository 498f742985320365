// `headwater streams`: what is live, and who watches how much of it.

import { type Command, defineCommand } from '../../network/command/command.ts';
import { askCluster } from './ask-cluster.ts';
import { USHER_OPTIONS, type UsherTools } from './ask-usher.ts';
import { streamRows, streamsText } from './streams-text.ts';

export function streamsCommand({ getText }: Pick<UsherTools, 'getText'>): Command {
  return defineCommand({
    name: 'streams',
    summary: 'what is live, with viewers, servers and renditions',
    options: USHER_OPTIONS,
    examples: [
      ['headwater streams', 'those with the most viewers first'],
      ["headwater streams --json | jq '.streams[0].viewers'", 'how many watch the largest'],
    ],
    async run({ usher }) {
      const streams = streamRows(await askCluster(usher, getText));
      return { value: { streams }, text: (paint) => streamsText(streams, paint) };
    },
  });
}
