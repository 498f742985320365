// The answer in words: where the viewer would go, what is known of where it is, and what it was weighed by.

import type { Explained, ExplainedChoice } from '../../../explained/explained.ts';
import { FULL_WORDS, placeText } from '../../../explained/words.ts';
import { element } from '../../../player/page/dom.ts';
import { rate } from '../parts/format.ts';

export function showVerdict(box: HTMLElement, explained: Explained): void {
  const { stream, address, choices, full, policy, mbps, site } = explained;
  const [first, ...others] = choices;
  const answer = element('p', 'answer');
  if (first)
    answer.append(element('b', 'answer-title', titleOf(first)), element('span', 'note', noteOf(first)));
  else
    answer.append(
      element('b', 'answer-title', 'Nowhere'),
      element('span', 'note', full ? FULL_WORDS[full] : ''),
    );
  const then = others.map((choice) => `${titleOf(choice)} (${priceOf(choice)})`).join(', ');
  box.replaceChildren(
    answer,
    element('p', 'note', then === '' ? '' : `Else ${then}.`),
    element(
      'p',
      'note',
      `${stream}, ${rate(mbps)}, for ${address}, ${placeText(explained)}. Asked at ${site || 'no site'}, policy ${policy}.`,
    ),
  );
}

function titleOf(choice: ExplainedChoice): string {
  return choice.kind === 'server' ? choice.server : `CDN ${choice.cdn}`;
}

function noteOf(choice: ExplainedChoice): string {
  const way = choice.kind === 'server' ? `by ${choice.uplink}` : `pulls from ${choice.shields.join(' or ')}`;
  return `${way}, ${priceOf(choice)}`;
}

function priceOf({ microUsdPerHour }: ExplainedChoice): string {
  return `${Math.round(microUsdPerHour).toLocaleString('en')} µ$ an hour`;
}
