// `headwater tree`: who follows whom, for each rendition of a stream.

import { type Command, defineCommand } from '../../../network/command/command.ts';
import { SECRET_OPTIONS } from '../../../network/command/signing.ts';
import { CodedError } from '../../../network/errors.ts';
import { quoted } from '../../../network/names.ts';
import type { Snapshot, StreamRecord } from '../../../network/state/state.ts';
import { type Reading, USHER_OPTIONS } from '../ask-usher.ts';
import { askCluster } from '../cluster/ask-cluster.ts';
import { readTree, treeText } from './tree-text.ts';

export function treeCommand(tools: Reading): Command {
  return defineCommand({
    name: 'tree',
    summary: 'which servers have a stream, and from whom',
    arguments: { stream: 'the name of a stream' },
    options: { ...USHER_OPTIONS, ...SECRET_OPTIONS },
    examples: [
      ['headwater tree alice', 'a tree for each rendition, its root where the feed is written'],
      ['headwater tree alice --json', 'the same for programs'],
    ],
    async run({ stream: name, ...given }) {
      const snapshot = await askCluster(given, tools);
      const stream = snapshot.streams.find((candidate) => candidate.name === name);
      if (!stream) throw new CodedError('not_found', `no stream ${quoted(name)} is live`);
      return {
        value: treeValue(snapshot, stream),
        text: (paint) => `${treeText(snapshot, stream, paint)}\n`,
      };
    },
  });
}

function treeValue(snapshot: Snapshot, stream: StreamRecord) {
  return {
    stream: stream.name,
    live: stream.live,
    renditions: stream.renditions.map(({ name }) => {
      const { root, held, follows } = readTree(snapshot, stream, name);
      const ids = [...new Set([root, ...held.keys(), ...follows.keys()])];
      const servers = ids.map((id) => ({
        id,
        // From whom it has it, and from whom it should.
        parent: held.get(id)?.parent ?? null,
        plannedParent: follows.get(id)?.parents[0]?.id ?? null,
        viewers: held.get(id)?.viewers ?? 0,
        behindChunks: held.has(id) ? (held.get(root)?.next ?? 0) - held.get(id)!.next : null,
      }));
      return { name, root, servers };
    }),
  };
}
