// `headwater explain`: asks an usher where a viewer would be sent from an address, and why there.

import { type Command, defineCommand } from '../../../network/command/command.ts';
import { SECRET_OPTIONS } from '../../../network/command/signing.ts';
import { CodedError } from '../../../network/errors.ts';
import type { Explained } from '../../explained/explained.ts';
import {
  answerOf,
  asOperator,
  MAX_BYTES,
  type Reading,
  TIMEOUT_MS,
  USHER_OPTIONS,
  usherUrl,
} from '../ask-usher.ts';
import { explainText } from './explain-text.ts';

export function explainCommand({ getText, clock }: Reading): Command {
  return defineCommand({
    name: 'explain',
    summary: 'where a viewer would be sent, and what each server would cost by which term',
    arguments: { stream: 'the name of a live stream', address: 'the viewer’s IP address' },
    options: { ...USHER_OPTIONS, ...SECRET_OPTIONS },
    examples: [
      ['headwater explain alice 198.51.100.7', 'in micro-dollars per viewer-hour'],
      ['headwater explain alice 2001:db8::1 --json', 'the same for programs'],
    ],
    async run({ stream, address, ...given }) {
      const url = usherUrl(given.usher, `/api/explain?${new URLSearchParams({ stream, address })}`);
      const value = await answerOf(url, getText(url, TIMEOUT_MS, MAX_BYTES, await asOperator(given, clock)));
      if (!Array.isArray(value.servers) || !Array.isArray(value.choices))
        throw new CodedError('no_answer', `${url} is no usher's: it answers with something else`);
      return { value, text: explainText(value as unknown as Explained) };
    },
  });
}
