// `headwater explain`: asks an usher where a viewer would be sent from an address, and why there.

import { type Command, defineCommand } from '../../network/command/command.ts';
import { CodedError } from '../../network/errors.ts';
import type { Explained } from '../explained.ts';
import { answerOf, MAX_BYTES, TIMEOUT_MS, USHER_OPTIONS, type UsherTools, usherUrl } from './ask-usher.ts';
import { explainText } from './explain-text.ts';

export function explainCommand({ getText }: Pick<UsherTools, 'getText'>): Command {
  return defineCommand({
    name: 'explain',
    summary: 'where a viewer would be sent, and what each server would cost by which term',
    arguments: { stream: 'the name of a live stream', address: 'the viewer’s IP address' },
    options: USHER_OPTIONS,
    examples: [
      ['headwater explain alice 198.51.100.7', 'in micro-dollars per viewer-hour'],
      ['headwater explain alice 2001:db8::1 --json', 'the same for programs'],
    ],
    async run({ stream, address, usher }) {
      const url = usherUrl(usher, `/api/explain?${new URLSearchParams({ stream, address })}`);
      const value = await answerOf(url, getText(url, TIMEOUT_MS, MAX_BYTES));
      if (!Array.isArray(value.servers) || !Array.isArray(value.choices))
        throw new CodedError('no_answer', `${url} is no usher's: it answers with something else`);
      return { value, text: explainText(value as unknown as Explained) };
    },
  });
}
