// The form by which the owner of a stream cuts a clip. The stream's key stays in the tab.

import { type ClipOrder, cutClip } from '../usher.ts';
import { element, part } from './dom.ts';

export interface ClipFormOptions {
  readonly stream: string;
  /** Id of the recording to cut out of; undefined when there is none now. */
  readonly recording: () => Promise<string | undefined>;
  /** Of a recording that is played here: from where to where. Without one, it is the last of what is live. */
  readonly video?: HTMLVideoElement;
}

const LAST_S = 30;
const KEY = 'headwater-key ';

export function runClipForm(root: ParentNode, options: ClipFormOptions): void {
  const { stream, video } = options;
  const form = part<HTMLFormElement>(root, 'clip-form');
  const key = part<HTMLInputElement>(root, 'clip-key');
  const title = part<HTMLInputElement>(root, 'clip-title');
  part(root, 'clip').hidden = false;
  part(root, 'clip-range').hidden = video === undefined;
  part(root, 'clip-cut').textContent = video ? 'Cut the clip' : `Clip the last ${LAST_S} s`;
  key.value = sessionStorage.getItem(KEY + stream) ?? '';
  const [from, to] = ['from', 'to'].map((end) => placeIn(root, end, video)) as [() => number, () => number];
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY + stream, key.value);
    const range = video ? { from: from(), to: to() } : { last: LAST_S };
    void cut(root, options, key.value, { ...range, title: title.value });
  });
}

/** Gives what its field says, in seconds; its button makes that the place that is shown. */
function placeIn(root: ParentNode, end: string, video: HTMLVideoElement | undefined): () => number {
  const field = part<HTMLInputElement>(root, `clip-${end}`);
  part(root, `clip-${end}-here`).addEventListener('click', () => {
    field.value = (video?.currentTime ?? 0).toFixed(1);
  });
  return () => Number(field.value);
}

async function cut(
  root: ParentNode,
  { recording }: ClipFormOptions,
  key: string,
  order: ClipOrder,
): Promise<void> {
  const note = part(root, 'clip-note');
  const button = part<HTMLButtonElement>(root, 'clip-cut');
  button.disabled = true;
  note.textContent = 'Cutting…';
  try {
    const of = await recording();
    if (of === undefined) throw new Error('nothing is recorded now');
    const clip = await cutClip(location.origin, of, key, order);
    const link = element('a', '', clip.title || 'Your clip');
    link.href = `/replay/${clip.id}${location.search}`;
    note.replaceChildren(
      link,
      ` is ${(clip.durationMs / 1000).toFixed(1)} s long, and kept until you delete it.`,
    );
  } catch (error) {
    note.textContent = `It was not cut: ${(error as Error).message}`;
  } finally {
    button.disabled = false;
  }
}
